"""`#/tasks` while tasks come and go: rows stay, pages do not shift, and who may only look looks."""

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Error, Route, expect

from tests.acceptance.deployment import Api, ServeWith
from tests.browser.conftest import OpenTab
from tests.browser.stock import claim, submit
from tests.browser.tab import Tab
from tests.browser.task_list import rows, titles

TOKEN, VIEWER = "an-admin-token", "a-viewer-token"
Watch = Callable[..., Awaitable[Tab]]


@pytest.fixture(scope="module")
def own(serve_with: ServeWith) -> Api:
    """One whose tasks change: each test has a queue of its own. Whoever looks may not change it."""
    api = serve_with(
        {
            "CLIENT_TOKENS": TOKEN,
            "WORKER_TOKENS": TOKEN,
            "ADMIN_TOKENS": TOKEN,
            "VIEWER_TOKENS": VIEWER,
        }
    )
    api.http.headers["Authorization"] = f"Bearer {TOKEN}"
    return api


@pytest.fixture
async def watch(own: Api, open_tab: OpenTab) -> Watch:
    async def watch(view: str, token: str = VIEWER) -> Tab:
        """A view, with a clock that the test moves."""
        tab = await open_tab(own.url, None)
        tab.expected = {401}
        await tab.page.clock.install()
        await tab.go(view)
        await tab.sign_in(token)
        return tab

    return watch


async def test_rows_stay_where_they_are_and_new_ones_are_counted(own: Api, watch: Watch) -> None:
    submit(own, "steady", 3, "Old {}")
    tab = await watch("#/tasks?queue=steady&status=to_do")
    before = await titles(tab)
    submit(own, "steady", 12, "New {}")
    claim(own, "steady", 1)
    await tab.passes(6)
    assert await titles(tab) == before == ["Old 3", "Old 2", "Old 1"]
    await expect(tab.main.locator("tr", has_text="Old 1")).to_contain_text("no longer matches")
    await tab.main.get_by_role("button", name="12 new").click()
    await expect(rows(tab)).to_have_count(14)
    assert (await titles(tab))[0] == "New 12"


@pytest.mark.parametrize("wanted", ["title=needle", "available_before=1h"])
async def test_what_no_index_finds_is_not_asked_again_by_itself(
    own: Api, watch: Watch, wanted: str
) -> None:
    queue = f"searched-{wanted[:5]}"
    submit(own, queue, 1, "Needle {}", available_at="2026-01-01T00:00:00Z")
    tab = await watch(f"#/tasks?queue={queue}&{wanted}")
    assert await titles(tab) == ["Needle 1"]
    assert await tab.passes(60) == 0
    submit(own, queue, 1, "Needle, again {}", available_at="2026-01-01T00:00:00Z")
    await tab.page.keyboard.press("r")
    await expect(rows(tab)).to_have_count(2)


async def test_pages_do_not_shift(own: Api, watch: Watch) -> None:
    submit(own, "paged", 120, "Page {}")
    tab = await watch("#/tasks?queue=paged&created_after=1h")
    assert (await titles(tab))[-1] == "Page 71"
    submit(own, "paged", 60, "Newer {}")
    await tab.main.get_by_role("link", name="Next").click()
    await expect(rows(tab).first).to_contain_text("Page 70")
    second = await titles(tab)
    await tab.main.get_by_role("link", name="Next").click()
    await expect(rows(tab)).to_have_count(20)
    assert await tab.main.get_by_role("link", name="Next").count() == 0
    await tab.main.get_by_role("link", name="Previous").click()
    await expect(rows(tab)).to_have_count(50)
    assert await titles(tab) == second == [f"Page {n}" for n in range(70, 20, -1)]
    address = tab.page.url.partition("ui/")[2]
    other = await watch(address)
    assert await titles(other) == second
    await other.main.get_by_role("link", name="First page").click()
    await expect(rows(other).first).to_contain_text("Newer 60")


async def test_rows_of_other_filters_cannot_be_chosen(own: Api, watch: Watch) -> None:
    submit(own, "first", 1, "First {}")
    submit(own, "second", 1, "Second {}")
    tab = await watch("#/tasks?queue=first", TOKEN)
    answers = asyncio.Event()

    async def hold(route: Route) -> None:
        await answers.wait()
        await route.continue_()

    await tab.page.route(re.compile(r"/tasks\?.*queue=second"), hold)
    await tab.main.get_by_label("Filter").fill("queue:second")
    await tab.page.keyboard.press("Enter")
    await tab.main.get_by_role("button", name="Remove queue: first").click()
    assert await titles(tab) == ["First 1"]  # the old ones stay to be seen
    await tab.page.keyboard.press("j")
    await tab.page.keyboard.press("x")
    with pytest.raises(Error, match="Timeout"):
        await tab.main.get_by_label("Select all rows").click(timeout=500)
    answers.set()
    await expect(rows(tab)).to_contain_text(["Second 1"])
    assert await tab.main.get_by_role("checkbox", checked=True).count() == 0
    await tab.main.get_by_label("Select all rows").check()
    await expect(tab.main.get_by_text("1 selected")).to_be_visible()


async def test_who_may_only_look_is_offered_nothing_else(own: Api, watch: Watch) -> None:
    submit(own, "looked-at", 2, "Look {}")
    tab = await watch("#/tasks?queue=looked-at")
    assert await tab.main.get_by_role("checkbox").count() == 0
    await tab.page.keyboard.press("j")
    await tab.page.keyboard.press("x")
    assert await tab.main.get_by_role("button", name="Delete").count() == 0
    other = await watch("#/tasks?queue=looked-at", TOKEN)
    assert await other.main.locator("tr").get_by_role("checkbox").count() == 3


async def test_where_nothing_is_yet_it_says_how_to_begin(
    serve_with: ServeWith, open_tab: OpenTab
) -> None:
    api = serve_with({})
    tab = await open_tab(api.url, "#/tasks")
    assert f"curl -s {api.url}/tasks" in await tab.main.inner_text()
    await tab.assert_accessible()
    submit(api, "default", 1, "First")
    await tab.page.keyboard.press("r")
    await expect(rows(tab)).to_have_count(1)
