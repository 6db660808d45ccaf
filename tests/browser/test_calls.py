"""The benchmarks of the page make the calls that the page makes, and it makes no others."""

import pytest

from bench.page_calls import pages
from tests.acceptance.deployment import Api, ServeWith, until
from tests.browser.conftest import OpenTab
from tests.browser.stock import submit

SCHEDULE = {"interval_seconds": 3600, "task": {"title": "report"}}
DAY = "2026-01-01T00%3A00%3A00Z"


@pytest.fixture(scope="module")
def mail(serve_with: ServeWith) -> tuple[Api, int]:
    """A server with one queue, and the id of one of its tasks."""
    api = serve_with({})
    worker = {"worker": "idle-0", "queues": ["nothing"]}
    assert api.http.post("/leases", json=worker).is_success
    until(lambda: api.http.get("/admin/workers/idle-0").is_success, "it is known")
    return api, submit(api, "mail", 3, "Send invoice {}")[0]["id"]


def wanted(page: str, tasks: dict[str, int]) -> set[str]:
    return {f"GET {look.path}" for name in ("all", page) for look in pages(tasks, DAY)[name]}


@pytest.mark.parametrize(
    ("page", "views"),
    [
        ("overview", ["#/"]),
        ("queues", ["#/queues", "#/queues/mail", "#/queues/mail?range=fortnight"]),
        ("tasks", ["#/tasks"]),
        ("task", ["#/tasks/{task}"]),
        ("workers", ["#/workers", "#/workers/idle-0"]),
        ("schedules", ["#/schedules", "#/schedules/hourly"]),
        ("system", ["#/system"]),
    ],
)
async def test_what_a_page_asks_for_is_what_is_measured(
    mail: tuple[Api, int], open_tab: OpenTab, page: str, views: list[str]
) -> None:
    site, task_id = mail
    assert site.http.put("/schedules/hourly", json=SCHEDULE).is_success
    expected = wanted(page, {"to_do": task_id})
    if page == "tasks":
        lists = [call for call in expected if "view=summary&" in call]
        views = [*views, *(f"#/tasks?{call.partition('view=summary&')[2]}" for call in lists)]
    asked: set[str] = set()
    for view in views:
        tab = await open_tab(site.url, view.format(task=task_id))
        await tab.page.wait_for_load_state("networkidle")
        asked |= set(tab.calls)
    assert asked == expected
