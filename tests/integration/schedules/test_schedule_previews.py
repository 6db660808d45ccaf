"""What is previewed is what comes: over every change of the clocks of 2026 in twelve zones."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy.orm import Session

from app.service.firing import fire_due
from app.service.resources import Resources
from tests.support.factories import ScheduleFactory

ZONES = (
    *("Europe/Berlin", "Europe/London", "Europe/Chisinau", "America/New_York"),
    *("America/Santiago", "America/St_Johns", "America/Havana", "Africa/Cairo"),
    *("Africa/Casablanca", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Auckland"),
)
# Times that are named, and such as follow the clock, around the hours in which clocks change.
EXPRESSIONS = ("30 0 * * *", "30 2 * * *", "*/15 * * * *", "0 */2 * * *", "10 30 1,2 * * *")
HOUR = timedelta(hours=1)


def changes(zone: str) -> Iterator[datetime]:
    """The hours of 2026 in which its clocks change."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    hours = [begin + n * HOUR for n in range(365 * 24)]
    for before, after in pairwise(hours):
        if (
            before.astimezone(ZoneInfo(zone)).utcoffset()
            != after.astimezone(ZoneInfo(zone)).utcoffset()
        ):
            yield before.replace(tzinfo=None)


@pytest.mark.parametrize("zone", ZONES)
async def test_the_preview_made_before_is_the_history_made_after(
    api: httpx.AsyncClient, resources: Resources, session: Session, zone: str
) -> None:
    found = [*changes(zone)]
    assert len(found) >= 2
    spans = {}
    for number, hour in enumerate(found):
        for expression in EXPRESSIONS:
            begin, end = hour - 5 * HOUR, hour + 5 * HOUR
            schedule = ScheduleFactory(
                cron=expression,
                timezone=zone,
                starts_at=begin,
                ends_at=end,
                created_at=begin,
                considered_at=begin,
                catch_up="all",
                overlap="allow",
                name=f"{number} {expression.replace('/', ' by ')}",
            )
            spans[schedule.name] = begin
    previews = {
        name: [
            occurrence["occurrence_at"]
            for occurrence in (
                await api.get(f"/schedules/{name}/next?after={begin.isoformat()}Z&count=100")
            ).json()
        ]
        for name, begin in spans.items()
    }
    assert sum(map(len, previews.values())) > 50

    await fire_due(resources)

    for name, preview in previews.items():
        runs = (await api.get(f"/schedules/{name}/runs?limit=1000")).json()
        assert [run["occurrence_at"] for run in reversed(runs)] == preview, name
        assert {run["outcome"] for run in runs} <= {"submitted"}
