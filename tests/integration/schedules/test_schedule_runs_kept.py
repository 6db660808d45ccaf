"""Of what came of occurrences the newest stay, and not for ever."""

from datetime import timedelta

import httpx
from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from app.mysql.schema import ScheduleRun
from app.service.resources import Resources
from app.service.sweeping import delete_unused
from tests.support.elapse import mysql_now
from tests.support.factories import ScheduleFactory


def runs_of(engine: Engine, name: str, *ages: timedelta) -> None:
    """Runs that were fired so long ago, each of an occurrence of its own."""
    now = mysql_now(engine)
    rows = [
        {
            "schedule": name,
            "occurrence_at": now - timedelta(days=9999) + timedelta(seconds=n),
            "kind": "backfill",
            "outcome": "submitted",
            "skipped": 0,
            "task_id": n,
            "fired_at": now - age,
        }
        for n, age in enumerate(ages)
    ]
    with engine.begin() as connection:
        connection.execute(insert(ScheduleRun), rows)


async def kept(api: httpx.AsyncClient, name: str) -> list[int]:
    answer = await api.get(f"/schedules/{name}/runs?limit=1000")
    return sorted(run["task_id"] for run in answer.json())


async def test_the_newest_thousand_of_each_schedule_stay_for_ninety_days(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    for name in ("busy", "old", "quiet"):
        ScheduleFactory(name=name)
    runs_of(engine, "busy", *[timedelta(hours=n) for n in range(1100)])
    runs_of(engine, "old", timedelta(days=91), timedelta(days=89), timedelta(days=1000))
    runs_of(engine, "quiet", timedelta(0))

    for _ in range(2):
        await delete_unused(resources)

    assert await kept(api, "busy") == [*range(1000)]
    assert await kept(api, "old") == [1]
    assert await kept(api, "quiet") == [0]
