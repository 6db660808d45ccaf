"""The benchmarks of the page make the calls that the page makes."""

import pytest

from bench.page_calls import pages
from tests.acceptance.deployment import Api
from tests.browser.conftest import OpenTab

SCHEDULE = {"interval_seconds": 3600, "task": {"title": "report"}}


@pytest.mark.parametrize(
    ("page", "views"),
    [
        ("overview", ["#/"]),
        ("schedules", ["#/schedules", "#/schedules/hourly"]),
        ("system", ["#/system"]),
    ],
)
async def test_what_a_page_asks_for_is_what_is_measured(
    site: Api, open_tab: OpenTab, page: str, views: list[str]
) -> None:
    assert site.http.put("/schedules/hourly", json=SCHEDULE).is_success
    wanted = {f"GET {look.path}" for name in ("all", page) for look in pages({}, "")[name]}
    asked: set[str] = set()
    for view in views:
        tab = await open_tab(site.url, view)
        await tab.page.wait_for_load_state("networkidle")
        asked |= set(tab.calls)
    assert asked == wanted
