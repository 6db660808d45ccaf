"""How often each page asks, where nobody touches it, and where nobody sees it."""

import pytest

from tests.acceptance.deployment import Api, ServeWith
from tests.browser.conftest import OpenTab
from tests.browser.stock import submit
from tests.browser.test_choices import CALLS_A_MINUTE, hide

VIEWS = ["#/", "#/queues", "#/queues/mail", "#/workers", "#/workers/worker-1.example"]


@pytest.mark.parametrize("view", VIEWS)
async def test_a_page_that_is_only_open_asks_seldom_and_a_hidden_one_never(
    site: Api, open_tab: OpenTab, view: str
) -> None:
    tab = await open_tab(site.url, None)
    await tab.page.clock.install()
    await tab.go(view)
    await tab.page.get_by_label("Refresh", exact=True).last.select_option("Refresh every 2 s")
    await tab.passes(60)  # a person has just been at it
    for _ in range(3):
        assert 2 < await tab.passes(60) <= CALLS_A_MINUTE
    await hide(tab.page, is_hidden=True)
    assert await tab.passes(60) == 0


async def test_the_curves_of_many_queues_come_one_after_the_other(
    serve_with: ServeWith, open_tab: OpenTab
) -> None:
    api = serve_with({})
    for n in range(30):
        submit(api, f"queue-{n}", 1, "Something")
    tab = await open_tab(api.url, None)
    await tab.page.clock.install()
    await tab.go("#/queues")
    await tab.page.get_by_label("Refresh", exact=True).last.select_option("Refresh every 2 s")
    await tab.passes(60)
    drawn = sum("history" in call for call in tab.calls)
    assert drawn > 10
    for _ in range(14):  # the curves are good for 10 minutes
        assert await tab.passes(60) <= CALLS_A_MINUTE
    assert sum("history" in call for call in tab.calls) > drawn
