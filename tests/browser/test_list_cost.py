"""What a list will cost is said before it runs, and a search that may be cut off waits for a
person."""

import re
from typing import Any

import pytest
from playwright.async_api import Locator, Route, expect

from tests.acceptance.deployment import Api
from tests.browser.conftest import OpenTab
from tests.browser.tab import Tab
from tests.browser.task_list import rows, view, write

DEAR = {
    **{"index": "ix_tasks_created", "rows_at_least": 51, "rows_at_most": 8_000_000},
    **{"is_estimate": False, "may_be_cut_off": True, "timeout_seconds": 2.0},
}
SAID_EN = [
    "Reads 51 to about 8,000,000 rows by the index ix_tasks_created: the fewer match, the more.",
    "If few match, it is cut off after 2 s.",
]
SAID_ZH = [
    "按索引 ix_tasks_created 读取 51 行至约 8,000,000 行：符合的任务越少，读取越多。",
    "如果符合的任务很少，2 秒后会被中断。",
]


async def make_dear(tab: Tab) -> None:
    async def answer(route: Route) -> None:
        await route.fulfill(json=DEAR)

    await tab.page.route(re.compile("/tasks/cost"), answer)


def run(tab: Tab) -> Locator:
    return tab.main.get_by_role("button", name="Run it all the same")


def asked(tab: Tab, *parts: str) -> list[str]:
    return [call for call in tab.calls if all(part in call for part in parts)]


def searched(tab: Tab) -> list[str]:
    return [*asked(tab, "/tasks?", "title="), *asked(tab, "/tasks/count", "title=")]


async def test_it_is_said_while_the_search_is_written(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/tasks")
    await tab.main.get_by_label("Filter").press_sequentially("invoice")
    await expect(tab.main.get_by_role("status")).to_have_text(
        "Reads about 49 rows by the index ix_tasks_created."
    )
    assert not searched(tab)
    await tab.page.keyboard.press("Enter")
    await expect(rows(tab)).to_have_count(30)
    assert len(asked(tab, "/tasks/cost")) == 1


async def test_of_a_list_along_an_index_nothing_is_asked(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, None)
    await tab.page.clock.install()
    await tab.go("#/tasks?queue=mail&status=done")
    await tab.main.get_by_label("Filter").fill("priority:high")
    await tab.passes(60)
    await tab.go("#/tasks")
    await tab.passes(60)
    assert not asked(tab, "/tasks/cost")
    await expect(tab.main.get_by_role("status")).to_have_count(0)


async def test_what_may_be_cut_off_waits_for_a_person(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, None)
    await make_dear(tab)
    await tab.page.clock.install()
    await tab.go("#/tasks?title=invoice")
    await expect(tab.main.get_by_role("status").locator("span")).to_have_text(SAID_EN)
    await expect(tab.main.get_by_text("Add one of these:")).to_be_visible()
    await tab.assert_accessible()
    assert await tab.passes(60) == 0
    assert not searched(tab)
    await run(tab).click()
    await expect(rows(tab)).to_have_count(30)
    await expect(run(tab)).to_have_count(0)
    assert len(asked(tab, "/tasks/cost")) == 1


async def test_enter_runs_what_a_person_knows_the_cost_of(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/tasks?queue=mail")
    await make_dear(tab)
    line = tab.main.get_by_label("Filter")
    await write(tab, "invoice")  # sooner than it was said
    await expect(run(tab)).to_be_visible()
    assert view(tab) == [("queue", "mail"), ("title", "invoice")]
    assert not searched(tab)
    await line.press("Enter")
    await expect(tab.main.get_by_text("30 found")).to_be_visible()

    await line.fill("invoice 7")
    await expect(tab.main.get_by_role("status")).to_be_visible()
    before = len(searched(tab))
    await line.press("Enter")
    await expect(rows(tab)).to_have_count(1)
    await expect(tab.main.get_by_text("1 found")).to_be_visible()
    assert len(searched(tab)) >= before + 1


async def test_without_an_answer_the_search_runs(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, None)
    tab.expected = {503}

    async def refuse(route: Route) -> None:
        await route.fulfill(status=503, json={"title": "Away", "detail": "MySQL is away."})

    await tab.page.route(re.compile("/tasks/cost"), refuse)
    await tab.go("#/tasks?title=invoice")
    await expect(rows(tab)).to_have_count(30)


@pytest.mark.parametrize("size", [(390, 844), (1440, 900)])
async def test_it_is_said_in_chinese(site: Api, open_tab: OpenTab, size: Any) -> None:
    tab = await open_tab(site.url, None, language="zh", theme="dark", size=size)
    await make_dear(tab)
    await tab.go("#/tasks?title=invoice")
    await expect(tab.main.get_by_role("status").locator("span")).to_have_text(SAID_ZH)
    await tab.assert_accessible()
    await tab.main.get_by_role("button", name="仍然执行").click()
    await expect(rows(tab)).to_have_count(30)
