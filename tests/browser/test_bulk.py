"""`#/tasks`: what is done to many: shown before, stopped half-way, taken back; and the export."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Locator, Route, expect

from tests.acceptance.deployment import Api, ServeWith
from tests.browser.conftest import OpenTab
from tests.browser.stock import claim, post, submit
from tests.browser.tab import Tab

MANY, BATCH = 10_000, 1000
Watch = Callable[[str], Awaitable[Tab]]


@pytest.fixture(scope="module")
def own(serve_with: ServeWith) -> Api:
    """Each test has a queue of its own."""
    return serve_with({})


@pytest.fixture
async def watch(own: Api, open_tab: OpenTab) -> Watch:
    async def watch(view: str) -> Tab:
        """A view, with a clock that the test moves."""
        tab = await open_tab(own.url, None)
        await tab.page.clock.install()
        await tab.go(view)
        return tab

    return watch


def counted(api: Api, **filters: str) -> int:
    count: int = api.http.get("/tasks/count", params=filters).json()["count"]
    return count


def dialog(tab: Tab) -> Locator:
    return tab.page.get_by_role("dialog")


def toast(tab: Tab, text: str) -> Locator:
    return tab.page.locator(".toast", has_text=text)


async def press(place: Locator, name: str) -> None:
    await place.get_by_role("button", name=name, exact=True).click()


async def choose_all(tab: Tab) -> None:
    await tab.main.get_by_label("Select all rows").check()


async def blast(tab: Tab) -> list[str]:
    """What the dialog says will become of them."""
    lines = dialog(tab).locator("tr")
    await lines.first.wait_for()
    return [" ".join(line.split()) for line in await lines.all_inner_texts()]


async def test_all_that_match_are_paused_with_a_stop_half_way(own: Api, watch: Watch) -> None:
    for _ in range(MANY // BATCH):
        submit(own, "many", BATCH, "One of many {}")
    tab = await watch("#/tasks?queue=many")
    await choose_all(tab)
    await expect(tab.main.get_by_text("50 selected")).to_be_visible()
    await tab.main.get_by_role("button", name="Select all 10,000 that match").click()
    await expect(tab.main.get_by_text("All 10,000 that match are selected")).to_be_visible()
    await tab.assert_accessible()
    await press(tab.main, "Pause")
    assert await blast(tab) == ["10,000 To do → Paused"]
    await tab.assert_accessible()

    pages = 0
    is_third, goes_on = asyncio.Event(), asyncio.Event()

    async def hold_the_third(route: Route) -> None:
        nonlocal pages
        pages += 1
        if pages == 3:
            is_third.set()
            await goes_on.wait()
        await route.continue_()

    await tab.page.route(re.compile(r"/admin/tasks/pause\?"), hold_the_third)
    await press(dialog(tab), "Pause 10,000")
    await is_third.wait()
    job = tab.main.locator(".job")
    await expect(job).to_contain_text("1,000 of 10,000")
    await tab.assert_accessible()
    await press(job, "Stop")
    goes_on.set()
    await expect(job).to_contain_text("1,500 of 10,000")
    await expect(job).to_contain_text("Stopped")
    assert counted(own, queue="many", status="paused") == 1500
    await press(job, "Go on")
    await toast(tab, "10,000 paused").wait_for()
    assert counted(own, queue="many", status="paused") == MANY
    assert pages == MANY // 500
    await expect(tab.main.locator("tr[data-row]").first).to_contain_text("Paused")


async def test_what_will_become_of_which_is_shown_first(own: Api, watch: Watch) -> None:
    submit(own, "mixed", 7, "Mixed {}", retry_limit=0)
    leases = claim(own, "mixed", 5)
    for lease in leases[:3]:
        post(own, f"/leases/{lease['lease_id']}/fail", {"error": "no"})
    for lease in leases[3:]:
        post(own, f"/leases/{lease['lease_id']}/complete", {"result": None})
    tab = await watch("#/tasks?queue=mixed")
    await choose_all(tab)
    await press(tab.main, "Resume")
    await expect(dialog(tab)).to_contain_text("This would change none of them.")
    assert await dialog(tab).get_by_role("button").all_inner_texts() == ["Leave as it is"]
    await press(dialog(tab), "Leave as it is")
    await press(tab.main, "Retry")
    assert set(await blast(tab)) == {
        "3 Failed → To do",
        "2 Done stay as they are",
        "2 To do stay as they are",
    }
    await press(dialog(tab), "Retry 3")
    await toast(tab, "3 will run again").wait_for()
    assert counted(own, queue="mixed", status="to_do") == 5
    assert counted(own, queue="mixed", status="done") == 2


async def test_no_more_are_changed_than_were_shown(own: Api, watch: Watch) -> None:
    submit(own, "growing", 60, "Shown {}")
    tab = await watch("#/tasks?queue=growing")
    tab.expected = {409}
    await choose_all(tab)
    await tab.main.get_by_role("button", name="Select all 60 that match").click()
    await press(tab.main, "Pause")
    assert await blast(tab) == ["60 To do → Paused"]
    submit(own, "growing", 1, "Not shown {}")
    await press(dialog(tab), "Pause 60")
    await expect(tab.main.get_by_role("alert")).to_contain_text("nothing was changed")
    assert counted(own, queue="growing", status="paused") == 0
    await press(tab.main.locator(".job"), "Close")
    await expect(tab.main.locator(".job")).to_have_count(0)


async def test_it_goes_on_after_the_server_could_not(own: Api, watch: Watch) -> None:
    for _ in range(2):
        submit(own, "broken-off", 600, "Broken off {}")
    tab = await watch("#/tasks?queue=broken-off")
    tab.expected = {503}
    await choose_all(tab)
    await tab.main.get_by_role("button", name="Select all 1,200 that match").click()
    await press(tab.main, "Pause")
    second = re.compile(r"/admin/tasks/pause\?.*after=")

    async def fail(route: Route) -> None:
        await route.fulfill(status=503, json={"title": "Away", "detail": "MySQL is away."})

    await tab.page.route(second, fail)
    await press(dialog(tab), "Pause 1,200")
    job = tab.main.locator(".job")
    await expect(job.get_by_role("alert")).to_contain_text("MySQL is away.")
    await expect(job).to_contain_text("500 of 1,200")
    await tab.page.unroute(second)
    await press(job, "Go on")
    await toast(tab, "1,200 paused").wait_for()
    assert counted(own, queue="broken-off", status="paused") == 1200


async def test_a_cancel_waits_and_can_be_undone(own: Api, watch: Watch) -> None:
    submit(own, "doomed", 3, "Doomed {}")
    tab = await watch("#/tasks?queue=doomed")
    await choose_all(tab)

    async def cancel() -> Locator:
        await press(tab.main, "Cancel")
        await press(dialog(tab), "Cancel 3")
        later = toast(tab, "3 will be cancelled")
        await later.wait_for()
        return later

    await press(await cancel(), "Undo")
    await tab.passes(10)
    assert counted(own, queue="doomed", status="cancelled") == 0

    later = await cancel()
    await tab.passes(7)
    await expect(later).to_be_visible()
    assert counted(own, queue="doomed", status="cancelled") == 0
    await tab.passes(2)
    await toast(tab, "3 cancelled").wait_for()
    assert counted(own, queue="doomed", status="cancelled") == 3


async def test_what_is_chosen_by_rows_is_deleted_and_nothing_else(own: Api, watch: Watch) -> None:
    submit(own, "picked", 6, "Picked {}")
    tab = await watch("#/tasks?queue=picked")
    boxes = tab.main.locator("tr[data-row]").get_by_role("checkbox")
    await boxes.nth(1).check()
    await boxes.nth(3).click(modifiers=["Shift"])
    await expect(tab.main.get_by_text("3 selected")).to_be_visible()
    assert await tab.passes(30) == 0  # rows stay as they are while somebody chooses
    await press(tab.main, "Delete")
    assert await blast(tab) == ["3 To do → deleted"]
    await press(dialog(tab), "Delete 3")
    await press(toast(tab, "3 will be deleted"), "Now")
    await toast(tab, "3 deleted").wait_for()
    left = own.http.get("/tasks", params={"queue": "picked"}).json()
    assert [task["title"] for task in left] == ["Picked 6", "Picked 2", "Picked 1"]
    await expect(tab.main.locator("tr[data-row]")).to_have_count(3)


async def test_a_pause_is_undone_for_those_that_it_paused(own: Api, watch: Watch) -> None:
    tasks = submit(own, "halted", 3, "Halted {}")
    post(own, f"/admin/tasks/{tasks[0]['id']}/pause", None)
    tab = await watch("#/tasks?queue=halted")
    await choose_all(tab)
    await press(tab.main, "Pause")
    assert set(await blast(tab)) == {"2 To do → Paused", "1 Paused stay as they are"}
    await press(dialog(tab), "Pause 2")
    await press(toast(tab, "2 paused"), "Undo")
    await toast(tab, "2 resumed").wait_for()
    paused = own.http.get("/tasks", params={"queue": "halted", "status": "paused"}).json()
    assert [task["title"] for task in paused] == ["Halted 1"]


async def test_the_list_is_exported_as_the_server_has_it(
    own: Api, watch: Watch, tmp_path: Path
) -> None:
    exact = '{"z": 12345678901234567890, "10": 1, "2": [{}, "\\"}"]}'
    body = f'{{"title": "Exact", "queue": "exported", "payload": {exact}}}'
    own.http.post("/tasks", content=body, headers={"Content-Type": "application/json"})
    for _ in range(2):
        submit(own, "exported", BATCH, "Exported {}", payload=None)
    tab = await watch("#/tasks?queue=exported")
    await tab.main.get_by_text("Copy, export").click()
    async with tab.page.expect_download() as started:
        await press(tab.main, "Export as NDJSON")
    file = tmp_path / "tasks.ndjson"
    await (await started.value).save_as(file)
    lines = file.read_text().splitlines()
    assert len(lines) == 2 * BATCH + 1
    stored = own.http.get("/tasks", params={"queue": "exported", "order": "asc", "limit": 1})
    assert json.loads(lines[-1]) == stored.json()[0]
    payload = re.search(r'"payload": ?(.*?), ?"result"', stored.text)
    assert payload is not None
    assert "12345678901234567890" in payload[1]
    assert payload[1] in lines[-1]


async def test_an_export_can_be_stopped(own: Api, watch: Watch, tmp_path: Path) -> None:
    for _ in range(3):
        submit(own, "long", BATCH, "Long {}")
    tab = await watch("#/tasks?queue=long")
    goes_on = asyncio.Event()

    async def hold(route: Route) -> None:
        await goes_on.wait()
        await route.continue_()

    await tab.page.route(re.compile(r"limit=1000.*cursor="), hold)
    await tab.main.get_by_text("Copy, export").click()
    await press(tab.main, "Export as NDJSON")
    job = tab.main.locator(".job")
    await expect(job).to_contain_text("1,000 of 3,000")
    await press(job, "Stop")
    goes_on.set()
    await expect(job).to_contain_text("2,000 of 3,000")
    async with tab.page.expect_download() as started:
        await press(job, "Save these")
    file = tmp_path / "some.ndjson"
    await (await started.value).save_as(file)
    assert len(file.read_text().splitlines()) == 2 * BATCH
    async with tab.page.expect_download():
        await press(job, "Go on")
    await toast(tab, "3,000 exported").wait_for()
