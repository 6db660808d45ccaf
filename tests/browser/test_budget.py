"""How often each page asks, where nobody touches it, and where nobody sees it."""

import pytest

from tests.acceptance.deployment import Api
from tests.browser.conftest import OpenTab
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
