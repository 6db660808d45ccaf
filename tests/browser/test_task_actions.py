"""`#/tasks/7`: what can be done with a task."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from app.domain.states import Event, Status, allows
from tests.acceptance.conftest import deployment
from tests.acceptance.deployment import Api, Deployment, ServeWith, until
from tests.acceptance.working import WorkerProcess
from tests.browser.conftest import OpenTab
from tests.browser.stock import claim
from tests.browser.tasks import DIGITS, assert_status, button, in_status, one, task_of

__all__ = ["deployment"]

BUTTONS = {
    "Pause": Event.PAUSE,
    "Resume": Event.RESUME,
    "Retry": Event.RETRY,
    "Cancel task": Event.CANCEL,
}
ALWAYS = ["Edit", "Delete"]


async def test_only_what_the_state_allows_is_offered(site: Api, open_tab: OpenTab) -> None:
    for status in Status:
        task = in_status(site, status, f"buttons-{status}")
        tab = await open_tab(site.url, f"#/tasks/{task}")
        names = await tab.main.locator(".actions button").all_inner_texts()
        allowed = [name for name, event in BUTTONS.items() if allows(status, event)]
        assert names == [*allowed, *ALWAYS], status
        here = tab.main.locator(".diagram .here")
        assert await here.get_attribute("data-state") == status


async def test_pause_and_resume_can_be_undone(site: Api, open_tab: OpenTab) -> None:
    task = one(site, queue="undo")
    tab = await open_tab(site.url, f"#/tasks/{task}")
    await button(tab, "Pause").click()
    await assert_status(tab, "Paused")
    await button(tab, "Undo").click()
    await assert_status(tab, "To do")
    await button(tab, "Pause").click()
    await button(tab, "Resume").click()
    await assert_status(tab, "To do")
    await button(tab, "Undo").last.click()
    await assert_status(tab, "Paused")
    assert task_of(site, task)["status"] == "paused"


async def test_cancel_and_delete_wait_until_it_is_too_late(site: Api, open_tab: OpenTab) -> None:
    task = one(site, queue="later")
    tab = await open_tab(site.url, None)
    await tab.page.clock.install()
    await tab.go(f"#/tasks/{task}")
    await button(tab, "Cancel task").click()
    assert await button(tab, "Cancel task").is_disabled()
    assert await button(tab, "Delete").is_disabled()
    await button(tab, "Undo").click()
    assert await button(tab, "Cancel task").is_enabled()
    await tab.passes(10)
    assert task_of(site, task)["status"] == "to_do"

    await button(tab, "Cancel task").click()
    await tab.passes(7)
    assert task_of(site, task)["status"] == "to_do"
    await tab.passes(2)
    await assert_status(tab, "Cancelled")
    await button(tab, "Retry").click()
    await assert_status(tab, "To do")

    tab.expected = {404}
    await button(tab, "Delete").click()
    await button(tab, "Now").click()
    await expect(tab.main).to_contain_text(f"There is no task {task}.")
    assert site.http.get(f"/tasks/{task}").status_code == 404


async def test_who_leaves_the_page_means_it(site: Api, open_tab: OpenTab) -> None:
    task = one(site, queue="leaving")
    tab = await open_tab(site.url, f"#/tasks/{task}")
    await button(tab, "Cancel task").click()
    await tab.page.goto("about:blank")
    until(lambda: task_of(site, task)["status"] == "cancelled", "cancelled", 5)
    await tab.go()


async def test_what_has_moved_on_says_where_it_is(site: Api, open_tab: OpenTab) -> None:
    task = one(site, queue="moving")
    tab = await open_tab(site.url, f"#/tasks/{task}")
    await tab.page.get_by_label("Refresh", exact=True).last.select_option("Refresh off")
    tab.expected = {409}
    claim(site, "moving", 1)
    await button(tab, "Pause").click()
    await expect(tab.page.locator(".toast")).to_contain_text("it is now “In progress”")
    await assert_status(tab, "In progress")
    assert await button(tab, "Pause").count() == 0


async def test_a_worker_lets_go_of_what_is_cancelled(
    deployment: Deployment, open_tab: OpenTab, tmp_path: Path
) -> None:
    api = deployment.serve()
    task = one(api, queue="slow")
    command = (
        "--exec",
        "sh",
        "-c",
        'echo "::progress 40" >&2; [ "$ROWLOCK_TASK_ID" = 2 ] || sleep 600',
    )
    worker = WorkerProcess(
        "host-7", api, tmp_path, "--queue", "slow", "--lease-seconds", "5", *command
    )
    try:
        until(lambda: task_of(api, task)["progress"] is not None, f"running\n{worker.words}")
        tab = await open_tab(api.url, f"#/tasks/{task}")
        await expect(tab.main.locator("[data-value=progress]")).to_contain_text('"percent": 40')
        await expect(tab.main.locator(".why")).to_contain_text("host-7 has had it for")
        await button(tab, "Cancel task").click()
        await button(tab, "Now").click()
        await assert_status(tab, "Cancelled")
        await expect(tab.main.locator("[data-attempt='1']")).to_contain_text(
            "It was taken from host-7"
        )
        # It has its hands free for the next one, long before the first would have ended.
        second = one(api, queue="slow")
        await tab.go(f"#/tasks/{second}")
        await tab.page.get_by_label("Refresh", exact=True).last.select_option("Refresh every 2 s")
        await expect(tab.main.locator(".task .chip").first).to_have_text("Done", timeout=30_000)
    finally:
        worker.child.stop(15)


TOKENS = {"CLIENT": "submits", "WORKER": "works", "ADMIN": "manages", "VIEWER": "looks"}


@pytest.mark.parametrize(
    ("door", "offered"),
    [
        ("VIEWER", []),
        ("ADMIN", ["Pause", "Cancel task"]),
        ("CLIENT", ["Edit", "Delete"]),
    ],
)
async def test_only_what_the_token_opens_is_offered(
    guarded: Api, open_tab: OpenTab, door: str, offered: list[str]
) -> None:
    guarded.http.headers["Authorization"] = f"Bearer {TOKENS['CLIENT']}"
    task = one(guarded)
    tab = await open_tab(guarded.url, None)
    tab.expected = {401}
    await tab.go(f"#/tasks/{task}")
    await tab.sign_in(TOKENS[door])
    await assert_status(tab, "To do")
    assert await tab.main.locator(".actions button").all_inner_texts() == offered
    copies = await tab.main.get_by_role("link", name="Submit a changed copy").count()
    assert copies == (1 if door == "CLIENT" else 0)
    if door != "CLIENT":
        await tab.go(f"#/submit?from={task}")
        await expect(tab.main).to_contain_text("This needs a token for the client door.")


@pytest.fixture(scope="module")
def guarded(serve_with: ServeWith) -> Api:
    return serve_with({f"{door}_TOKENS": token for door, token in TOKENS.items()})


async def test_it_can_be_changed_and_what_is_wrong_stands_beside_it(
    site: Api, open_tab: OpenTab
) -> None:
    text = f'{{"b":{DIGITS},"a":[1.5,{{}}]}}'
    answer = site.http.post(
        "/tasks",
        content=f'{{"title": "Old", "queue": "edit", "tags": ["a", "b"], "payload": {text},'
        ' "due_date": "2031-01-02T03:04:05.678901Z"}',
        headers={"Content-Type": "application/json"},
    )
    task = answer.json()["id"]
    tab = await open_tab(site.url, f"#/tasks/{task}")
    await button(tab, "Edit").click()
    await tab.assert_accessible()
    form = tab.main.get_by_role("form", name="Edit")
    await form.get_by_label("Retries at most").fill("101")
    await form.get_by_label("Title").fill(" ")
    await button(tab, "Save").click()
    await expect(form.locator("#about-retry_limit")).to_contain_text("from 0 to 100")
    await expect(form.locator("#about-title")).to_have_text("Needed.")
    await expect(form.get_by_label("Title")).to_be_focused()

    await form.get_by_label("Title").fill("New")
    await form.get_by_label("Retries at most").fill("7")
    await form.get_by_role("button", name="Remove a").click()
    payload = form.get_by_label("Payload (JSON)")
    tab.expected = {422}
    await payload.fill("[1e400]")  # valid to a browser
    await button(tab, "Save").click()
    await expect(form.locator("#about-payload")).to_contain_text("too large to store")
    await payload.fill(f"[{DIGITS}]")
    await button(tab, "Save").click()
    await expect(tab.main.locator(".task h2")).to_have_text("New")
    changed = task_of(site, task)
    assert (changed["title"], changed["retry_limit"], changed["tags"]) == ("New", 7, ["b"])
    assert changed["payload"] == [int(DIGITS)]
    assert changed["due_date"] == "2031-01-02T03:04:05.678901Z"  # to the microsecond

    # A worker takes it while it is edited: what it was given is history.
    await button(tab, "Edit").click()
    claim(site, "edit", 1)
    tab.expected = {409}
    await form.get_by_label("Title").fill("Newer")
    await form.get_by_label("Retries at most").fill("9")
    await button(tab, "Save").click()
    await expect(tab.page.locator(".toast.bad")).to_contain_text("it is now “In progress”")
    await expect(form.get_by_label("Retries at most")).to_have_count(0)
    await button(tab, "Save").click()
    await expect(tab.main.locator(".task h2")).to_have_text("Newer")
    assert task_of(site, task)["retry_limit"] == 7
