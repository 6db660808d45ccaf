"""Tasks to look at one by one."""

from typing import Any, Final

from playwright.async_api import Locator, expect

from app.domain.states import Status
from tests.acceptance.deployment import Api
from tests.browser.stock import claim, post
from tests.browser.tab import Tab

# More than a JavaScript number holds.
DIGITS: Final = "12345678901234567890"


def one(api: Api, **fields: object) -> int:
    task = post(api, "/tasks", {"title": "Send invoice", **fields})
    return int(task["id"])


def task_of(api: Api, task: int) -> dict[str, Any]:
    found: dict[str, Any] = api.http.get(f"/tasks/{task}").json()
    return found


def finish(api: Api, queue: str, how: str, **body: object) -> None:
    """One more attempt, which ends."""
    (lease,) = claim(api, queue, 1)
    post(api, f"/leases/{lease['lease_id']}/{how}", body)


def in_status(api: Api, status: Status, queue: str) -> int:
    """A task in a queue of its own."""
    task = one(api, queue=queue, retry_limit=int(status is Status.RETRYING))
    match status:
        case Status.IN_PROGRESS:
            claim(api, queue, 1)
        case Status.DONE:
            finish(api, queue, "complete", result=1)
        case Status.FAILED | Status.RETRYING:
            finish(api, queue, "fail", error="no")
        case Status.PAUSED:
            post(api, f"/admin/tasks/{task}/pause", None)
        case Status.CANCELLED:
            post(api, f"/admin/tasks/{task}/cancel", None)
        case Status.TO_DO:
            pass
    assert task_of(api, task)["status"] == status
    return task


def button(tab: Tab, name: str) -> Locator:
    return tab.page.get_by_role("button", name=name, exact=True)


async def assert_status(tab: Tab, status: str) -> None:
    await expect(tab.main.locator(".task .chip").first).to_have_text(status)
