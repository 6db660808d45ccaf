"""An operator's walk: from what is wrong to its cause, to the lever, and back, at a million tasks
with workers at work."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from tests.acceptance.deployment import Api, until
from tests.acceptance.working import WorkerProcess
from tests.browser.conftest import OpenTab
from tests.browser.million import ALL_DOORS, BROKEN, LATE, VIEWER, api, deployment
from tests.browser.stock import submit
from tests.browser.tab import Tab
from tests.browser.task_list import rows
from tests.browser.tasks import assert_status, button
from tests.browser.test_bulk import blast, choose_all, counted, dialog, press, toast

__all__ = ["api", "deployment"]
ERROR = "ConnectionError: archive.example:5432 refused"
MENDED_REPORT = """sleep 0.2; echo '{"pages": 12}'"""
REPORT = f'sleep 0.2; grep -q archive && {{ echo "{ERROR}" >&2; exit 65; }}; {MENDED_REPORT}'
DRAINED_MS = 300_000
# So many are retried at a time: else 312 are but one page.
PAGE = 100

StartWorker = Callable[[str, str, int], WorkerProcess]
TakePicture = Callable[[str], Awaitable[None]]


@pytest.fixture
def start_worker(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StartWorker]:
    """Start a `rowlock worker` that runs a line of shell for each task of a queue."""
    monkeypatch.setenv("ROWLOCK_TOKEN", ALL_DOORS)
    started: list[WorkerProcess] = []

    def start_worker(queue: str, line: str, concurrency: int) -> WorkerProcess:
        options = ("--queue", queue, "--concurrency", str(concurrency), "--lease-seconds", "5")
        command = ("--exec", "sh", "-c", line)
        started.append(WorkerProcess(f"{queue}-1", api, tmp_path, *options, *command))
        return started[-1]

    yield start_worker
    for worker in started:
        worker.child.stop(15)


@pytest.fixture
async def tab(api: Api, open_tab: OpenTab) -> Tab:
    """The overview, signed in, refreshed as often as can be."""
    tab = await open_tab(api.url, None)
    tab.expected = {401}
    await tab.go()
    await tab.sign_in(ALL_DOORS)
    tab.expected = set()
    await tab.page.get_by_label("Refresh", exact=True).last.select_option("Refresh every 2 s")
    return tab


@pytest.fixture
def take_picture(tab: Tab, pictures: Path | None) -> TakePicture:
    async def take_picture(name: str) -> None:
        if pictures is not None:
            await tab.page.mouse.move(0, 0)
            await tab.page.screenshot(path=pictures / f"walk-{name}.png")

    return take_picture


@pytest.mark.slow
async def test_from_what_is_wrong_to_its_cause_and_back(
    api: Api,
    tab: Tab,
    open_tab: OpenTab,
    start_worker: StartWorker,
    take_picture: TakePicture,
) -> None:
    start_worker("images", "sleep 0.2", 3)
    exporting = start_worker("exports", "sleep 600", 1)
    await the_overview_leads_to_the_queue_and_why(tab, take_picture)
    broken = start_worker("reports", REPORT, 5)
    await it_drains(tab)
    assert counted(api, queue="reports", status="failed") == BROKEN
    await the_last_minutes_are_drawn(tab)
    await take_picture("overview")
    await the_error_is_found(tab)
    await take_picture("failed-task")
    broken.child.stop(15)
    start_worker("reports", MENDED_REPORT, 5)
    await all_that_failed_run_again(api, tab, take_picture)
    await a_queue_is_paused_and_that_is_undone(api, tab)
    await a_worker_lets_go_of_what_is_cancelled(api, tab, exporting, take_picture)
    await a_changed_copy_is_submitted(api, tab)
    await tab.go("#/system")
    await take_picture("system")
    await who_may_only_look_sees_the_list_and_no_lever(api, tab, open_tab)


async def the_overview_leads_to_the_queue_and_why(tab: Tab, take_picture: TakePicture) -> None:
    finding = tab.main.locator(".finding", has_text="reports has no worker")
    await expect(finding).to_contain_text("1,248 waiting, the oldest for 2")  # 25 min or more
    await take_picture("unserved")
    await finding.get_by_role("link").click()
    await expect(tab.main.locator(".note")).to_contain_text("the last one did so 2")
    why = tab.main.locator("section", has_text="Head of the line").locator(".finding")
    await expect(why).to_contain_text("no worker", ignore_case=True)
    await take_picture("queue")


async def it_drains(tab: Tab) -> None:
    waiting = tab.main.locator("tr[data-row=to_do] td").last
    seen = [LATE]
    while seen[-1] > LATE // 2:
        text = (await waiting.inner_text()).replace(",", "")
        if int(text) != seen[-1]:
            seen.append(int(text))
        await asyncio.sleep(0.2)
    assert len(seen) > 5, seen
    assert seen == sorted(seen, reverse=True)
    await expect(tab.main.locator("tr[data-row='reports-1']")).to_contain_text("Running")
    await expect(waiting).to_have_text("0", timeout=DRAINED_MS)
    await expect(tab.main.locator("tr[data-row=in_progress] td").last).to_have_text("0")
    await expect(tab.main.locator("tr[data-row=failed] td").last).to_have_text(str(BROKEN))
    await expect(tab.main.locator(".note")).to_have_count(0)


async def the_last_minutes_are_drawn(tab: Tab) -> None:
    """Two of them at least with something done."""
    await tab.go("#/")
    done = (
        tab.main.get_by_role("figure", name="Throughput")
        .locator(".unseen tr", has=tab.page.get_by_text("Done", exact=True))
        .locator("td:not(:text-is('0'))")
    )
    await expect(done.nth(1)).to_be_attached(timeout=180_000)


async def the_error_is_found(tab: Tab) -> None:
    finding = tab.main.locator(".finding", has_text=re.compile("reports: .* of attempts failed"))
    await finding.get_by_role("link").click()
    await tab.settled()
    await tab.go("#/tasks?queue=reports&status=failed")
    await expect(tab.main.get_by_text("312 found")).to_be_visible()
    await rows(tab).first.locator("a.clip").click()
    await assert_status(tab, "Failed")
    await expect(tab.main.locator("[data-attempt='1']")).to_contain_text(ERROR)
    await expect(tab.main.locator("[data-attempt='1']")).to_contain_text("reports-1")


async def all_that_failed_run_again(api: Api, tab: Tab, take_picture: TakePicture) -> None:
    await tab.page.go_back()
    await tab.settled()
    await choose_all(tab)
    await tab.main.get_by_role("button", name="Select all 312 that match").click()
    await press(tab.main, "Retry")
    assert await blast(tab) == ["312 Failed → To do"]
    await take_picture("blast-radius")

    is_second, goes_on = asyncio.Event(), asyncio.Event()
    pages = 0

    async def pass_on(route: Route) -> None:
        nonlocal pages
        pages += 1
        if pages == 2:
            is_second.set()
            await goes_on.wait()
        await route.continue_(url=re.sub(r"\blimit=\d+", f"limit={PAGE}", route.request.url))

    await tab.page.route(re.compile(r"/admin/tasks/retry\?"), pass_on)
    await press(dialog(tab), "Retry 312")
    await is_second.wait()
    job = tab.main.locator(".job")
    await expect(job).to_contain_text("100 of 312")
    await press(job, "Stop")
    goes_on.set()
    await expect(job).to_contain_text("200 of 312")
    await expect(job).to_contain_text("Stopped")
    assert counted(api, queue="reports", status="failed") == BROKEN - 2 * PAGE
    await press(job, "Go on")
    await toast(tab, "312 will run again").wait_for()
    assert pages == 4
    await tab.page.unroute_all()
    assert counted(api, queue="reports", status="failed") == 0
    await tab.go("#/queues/reports")
    for status in ("to_do", "in_progress", "failed"):
        cell = tab.main.locator(f"tr[data-row={status}] td").last
        await expect(cell).to_have_text("0", timeout=DRAINED_MS)


async def a_queue_is_paused_and_that_is_undone(api: Api, tab: Tab) -> None:
    def is_paused() -> bool:
        return bool(
            api.http.get("/stats", params={"queue": "images"}).json()["queues"][0]["paused"]
        )

    await tab.go("#/queues/images")
    await button(tab, "Pause").click()
    await button(tab, "Resume").wait_for()
    assert is_paused()
    await button(tab, "Undo").last.click()
    await button(tab, "Pause").wait_for()
    assert not is_paused()
    await press(toast(tab, "images hands out tasks again"), "Close")


async def a_worker_lets_go_of_what_is_cancelled(
    api: Api, tab: Tab, worker: WorkerProcess, take_picture: TakePicture
) -> None:
    (task,) = submit(api, "exports", 1, "Nightly export")
    until(lambda: len(worker.children()) == 1, "running")
    await tab.go("#/workers")
    await expect(tab.main.locator("tr[data-row='exports-1']")).to_contain_text("Running")
    await take_picture("workers")
    await tab.go("#/workers/exports-1")
    await expect(tab.main.get_by_role("table")).to_contain_text("Nightly export")
    await tab.main.get_by_role("link", name="Nightly export").click()
    await button(tab, "Cancel task").click()
    await button(tab, "Now").click()
    await assert_status(tab, "Cancelled")
    await press(toast(tab, "is cancelled"), "Close")
    await tab.go("#/workers/exports-1")
    await expect(tab.main).to_contain_text("It holds no tasks.")
    until(lambda: not worker.children(), "its command ended")
    assert api.http.get(f"/tasks/{task['id']}").json()["status"] == "cancelled"


async def a_changed_copy_is_submitted(api: Api, tab: Tab) -> None:
    await tab.go("#/tasks?queue=exports")
    await rows(tab).first.locator("a.clip").click()
    await tab.main.get_by_role("link", name="Submit a changed copy").click()
    await tab.main.get_by_label("Title").fill("Nightly export, by hand")
    await tab.main.get_by_label("Queue").fill("exports-by-hand")
    await button(tab, "Submit").click()
    await tab.main.get_by_role("link", name="is submitted").click()
    await assert_status(tab, "To do")
    assert counted(api, queue="exports-by-hand") == 1


async def who_may_only_look_sees_the_list_and_no_lever(
    api: Api, tab: Tab, open_tab: OpenTab
) -> None:
    await tab.go("#/tasks?queue=reports&status=done&order=asc")
    await rows(tab).first.wait_for()
    _, _, view = tab.page.url.partition("/ui/")
    other = await open_tab(api.url, None)
    other.expected = {401}
    await other.go(view)
    await other.sign_in(VIEWER)
    other.expected = set()
    assert await rows(other).count() == await rows(tab).count() == 50
    ids = "rows => rows.map(row => row.dataset.row)"
    assert await rows(other).evaluate_all(ids) == await rows(tab).evaluate_all(ids)
    assert await rows(tab).get_by_role("checkbox").count() == 50
    assert await other.main.get_by_role("table").get_by_role("checkbox").count() == 0
    await rows(other).first.locator("a.clip").click()
    await assert_status(other, "Done")
    for name in ("Pause", "Retry", "Cancel task", "Edit", "Delete"):
        assert await button(other, name).count() == 0
    for path in ("/tasks", "/admin/queues/reports/pause"):
        refused = api.http.post(path, json={}, headers={"Authorization": f"Bearer {VIEWER}"})
        assert refused.status_code == 403, refused.text
