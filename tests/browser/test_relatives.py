"""What a task depends on, and what depends on it, on the page of the task."""

import pytest
from playwright.async_api import Locator, expect

from app.domain.states import Status
from tests.acceptance.deployment import Api, ServeWith
from tests.browser.conftest import NARROW, WIDE, Look, OpenTab
from tests.browser.stock import post, submit
from tests.browser.tab import Tab
from tests.browser.tasks import finish, in_status, one

HEADING = {"en": "Dependencies", "zh": "任务依赖"}


@pytest.fixture(scope="module")
def flow(site: Api) -> list[int]:
    """Extract two, load both, tell three."""
    items: list[dict[str, object]] = [
        {"title": "Extract the sales of a day", "ref": "sales"},
        {"title": "提取成本数据", "ref": "costs"},
        {
            "title": "Load all into the warehouse",
            "depends_on": ["sales", "costs"],
            "ref": "all",
        },
        {"title": "Tell accounting", "depends_on": ["all"]},
        {"title": "T" * 255, "depends_on": ["all"]},
        {"title": "Clean up", "depends_on": ["all"], "on_parent_failure": "run"},
    ]
    tasks = post(site, "/tasks/batch", {"tasks": [item | {"queue": "etl"} for item in items]})
    finish(site, "etl", "complete", result=1)
    return [task["id"] for task in tasks]


def graph(tab: Tab) -> Locator:
    return tab.main.locator(".graph")


def asked(tab: Tab) -> list[str]:
    return [call for call in tab.calls if "/dependencies" in call]


async def open_section(tab: Tab, language: str = "en") -> None:
    await tab.main.get_by_text(HEADING[language], exact=True).click()
    await expect(graph(tab)).to_be_visible()


async def test_it_is_fit_to_look_at(look: Look, flow: list[int]) -> None:
    await look("task-flow", f"#/tasks/{flow[2]}")


async def test_it_says_each_with_name_title_and_status_and_leads_to_it(
    site: Api, open_tab: OpenTab, flow: list[int]
) -> None:
    tab = await open_tab(site.url, f"#/tasks/{flow[2]}")
    parents = graph(tab).get_by_role("list", name="Tasks that it depends on: 2")
    said = [text.split("\n") for text in await parents.get_by_role("link").all_inner_texts()]
    assert [[word for word in words if word.strip()] for words in said] == [
        ["Extract the sales of a day", "Done", f"#{flow[0]}", "sales"],
        ["提取成本数据", "To do", f"#{flow[1]}", "costs"],
    ]
    await expect(graph(tab).locator(".head.parents")).to_contain_text("Not ended: 1")
    await expect(graph(tab).locator(".head.parents")).to_contain_text("Done: 1")
    here = graph(tab).locator("[aria-current]")
    await expect(here).to_contain_text("Load all into the warehouse")
    await expect(here).to_contain_text("all")
    children = graph(tab).get_by_role("list", name="Tasks that depend on it: 3")
    assert await children.get_by_role("listitem").count() == 3
    # What is waited for is dashed: one parent has ended, the task itself has not.
    assert await graph(tab).locator(".lines.parents path.awaited").count() == 1
    assert await graph(tab).locator(".lines.children path.awaited").count() == 3

    # By keyboard on to the next one, whose section is open as well, for it surely has some.
    await parents.get_by_role("link").nth(1).focus()
    await tab.page.keyboard.press("Enter")
    await expect(tab.main.locator(".task h2")).to_have_text("提取成本数据")
    await expect(graph(tab)).to_contain_text("Tasks that it depends on: 0")
    await graph(tab).get_by_role("link", name="Load all into").click()
    await expect(tab.main.locator(".task h2")).to_have_text("Load all into the warehouse")


@pytest.mark.parametrize("status", Status)
async def test_a_task_costs_no_more_calls_until_somebody_wants_to_know(
    site: Api, open_tab: OpenTab, status: Status
) -> None:
    tab = await open_tab(site.url, f"#/tasks/{in_status(site, status, f'alone-{status}')}")
    await tab.page.wait_for_load_state("networkidle")
    assert asked(tab) == []
    await open_section(tab)
    await expect(graph(tab)).to_contain_text("Tasks that depend on it: 0")
    assert len(asked(tab)) <= 4


async def test_one_cancelled_for_its_parent_shows_it(
    serve_with: ServeWith, open_tab: OpenTab
) -> None:
    api = serve_with({})
    parent = one(api, retry_limit=0)
    child = one(api, depends_on=[parent], title="Child")
    finish(api, "default", "fail", error="no")
    tab = await open_tab(api.url, f"#/tasks/{child}")
    await expect(graph(tab).locator("ul.parents")).to_contain_text("Failed")


async def test_of_many_the_first_ones_then_more(site: Api, open_tab: OpenTab) -> None:
    parent = one(site, queue="many", title="Parent")
    for _ in range(2):
        submit(site, "many", 600, "Child {}", depends_on=[parent])
    tab = await open_tab(site.url, f"#/tasks/{parent}")
    await open_section(tab)
    children = graph(tab).locator("ul.children a")
    await expect(children).to_have_count(8)
    await expect(graph(tab)).to_contain_text("Tasks that depend on it: 1,200")
    for left, count in (("1,192", 100), ("1,100", 1000), ("200", 200)):
        more = graph(tab).get_by_role("button", name=f"Show more ({left})")
        await more.focus()
        await tab.page.keyboard.press("Enter")
        await expect(children).to_have_count(count)
    await expect(children.last).to_contain_text("Child 600")
    await graph(tab).get_by_role("button", name="Show the first ones").click()
    await expect(children).to_have_count(1000)


async def test_it_follows_what_happens_and_asks_seldom(site: Api, open_tab: OpenTab) -> None:
    first = one(site, queue="first", title="First")
    last = one(site, queue="last", title="Last", depends_on=[first])
    tab = await open_tab(site.url, None)
    await tab.page.clock.install()
    await tab.go(f"#/tasks/{last}")
    await tab.page.get_by_label("Refresh", exact=True).last.select_option("Refresh every 2 s")
    await expect(graph(tab).locator("ul.parents .chip")).to_have_text("To do")
    finish(site, "first", "complete", result=1)
    await tab.passes(5)
    await expect(graph(tab).locator("ul.parents .chip")).to_have_text("Done")
    await expect(graph(tab).locator(".head.parents")).to_contain_text("Done: 1")
    await tab.passes(60)
    assert 15 < await tab.passes(180) <= 3 * 20 + 3  # the last three may be of the next minute
    finish(site, "last", "complete", result=1)
    await tab.passes(60)
    before = len(asked(tab))
    await tab.passes(60)
    assert len(asked(tab)) == before  # nothing will change any more


async def test_on_a_phone_they_stand_one_above_the_other(
    site: Api, open_tab: OpenTab, flow: list[int]
) -> None:
    async def tops(size: tuple[int, int]) -> list[float]:
        tab = await open_tab(site.url, f"#/tasks/{flow[2]}", size=size)
        boxes = [
            await graph(tab).locator(part).bounding_box()
            for part in ("ul.parents", ".here", "ul.children")
        ]
        return [box["x" if size == WIDE else "y"] for box in boxes if box]

    for size in (WIDE, NARROW):
        found = await tops(size)
        assert len(found) == 3
        assert found == sorted(found)
