"""Connections killed while a schedule's task is submitted: its run is there if it is, once."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.domain.errors import DatabaseAwayError, RowBusyError
from app.service.firing import fire_due
from app.service.resources import Resources
from tests.concurrency.killer import Killer
from tests.support.elapse import mysql_now
from tests.support.factories import ScheduleFactory

# Of each: its tasks, those of them that a run names, and its runs.
LOOK = """
SELECT COUNT(DISTINCT tasks.id), COUNT(DISTINCT IF(runs.task_id = tasks.id, tasks.id, NULL)),
       COUNT(DISTINCT runs.occurrence_at)
FROM schedules LEFT JOIN tasks ON tasks.title = schedules.name
LEFT JOIN schedule_runs runs ON runs.schedule = schedules.name WHERE schedules.name = :name
"""
BACKFILL = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T03:00:00Z"}

Write = Callable[[str], Awaitable[bool]]


@pytest.fixture(params=["fire", "run", "backfill"])
def write(
    request: pytest.FixtureRequest, api: httpx.AsyncClient, resources: Resources
) -> tuple[str, Write]:
    """Does it to the schedule of a name; whether it was heard to be done."""

    async def fire(name: str) -> bool:
        try:
            await fire_due(resources)
        except (DatabaseAwayError, RowBusyError):
            return False
        return True

    async def run(name: str) -> bool:
        headers = {"Idempotency-Key": name}
        return (await api.post(f"/schedules/{name}/run", headers=headers)).is_success

    async def backfill(name: str) -> bool:
        return (await api.post(f"/schedules/{name}/backfill", json=BACKFILL)).is_success

    return request.param, {"fire": fire, "run": run, "backfill": backfill}[request.param]


async def test_killed_before_any_statement_it_is_done_once_or_not_at_all(
    write: tuple[str, Write], session: Session, engine: Engine, killer: Killer
) -> None:
    kind, send = write
    done = {"fire": (1, 1, 1), "run": (1, 1, 1), "backfill": (3, 3, 3)}[kind]
    struck: list[str] = []
    while True:
        name = f"s{len(struck)}"
        if kind == "fire":
            at = mysql_now(engine).replace(microsecond=0) - timedelta(seconds=1)
            before = at - timedelta(seconds=1)
            ScheduleFactory(name=name, interval_seconds=3600, starts_at=at, considered_at=before)
        else:
            ScheduleFactory(name=name)
        killer.strike_before(len(struck) + 1)
        is_heard = await send(name)
        if killer.struck is None:
            break
        struck.append(killer.struck)
        if not is_heard:
            assert killer.struck == "commit", "before it, it is run again unnoticed"
            assert look(engine, name) in ((0, 0, 0), done)
            assert await send(name)
        for _ in range(100):  # until MySQL has given back the row that the killed one held
            if look(engine, name) == done:
                break
            assert await send(name)
        assert look(engine, name) == done
    assert "commit" in struck
    assert len(struck) > 4


def look(engine: Engine, name: str) -> tuple[int, int, int]:
    with engine.connect() as connection:
        tasks, named, runs = connection.execute(text(LOOK), {"name": name}).one()
    return tasks, named, runs
