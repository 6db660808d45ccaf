"""Of what came of occurrences the newest stay, and not for ever."""

from datetime import timedelta

import httpx
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import Session

from app.mysql.schema import ScheduleRun
from app.service.resources import Resources
from app.service.sweeping import delete_unused
from tests.support.calls import problem
from tests.support.elapse import mysql_now
from tests.support.factories import ScheduleFactory


def runs_of(engine: Engine, name: str, *ages: timedelta) -> None:
    """Runs that were fired so long ago, each of an occurrence of its own."""
    now = mysql_now(engine).replace(microsecond=0)
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


async def test_what_is_not_kept_is_not_backfilled_again(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    """Its tasks may be there."""
    ScheduleFactory(name="a", interval_seconds=1)
    runs_of(engine, "a", *[timedelta(days=100)] * 5, *[timedelta(0)] * 5)
    with engine.connect() as connection:
        begin = connection.execute(select(func.min(ScheduleRun.occurrence_at))).scalar_one()

    async def backfill(first: int, last: int) -> httpx.Response:
        times = [begin + timedelta(seconds=n) for n in (first, last + 1)]
        body = dict(zip(("from", "to"), [f"{at.isoformat()}Z" for at in times], strict=True))
        return await api.post("/schedules/a/backfill", json=body)

    await delete_unused(resources)
    for part in ((0, 0), (4, 4), (-5, 1), (3, 9)):
        assert "not known" in problem(await backfill(*part), 422, "from").detail
    assert (await backfill(-5, -1)).json() == {"submitted": 5, "existing": 0}
    assert (await backfill(5, 9)).json()["existing"] == 5


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
