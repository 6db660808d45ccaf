"""Schedulers against each other, and against whoever changes a schedule."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.domain.schedule import text_of
from app.domain.unique import Conflict, Unique
from app.mysql.connection import Connection
from app.queue.schedules import firing, rows
from app.queue.schedules.firing import Fired
from app.queue.tags import TagIds
from app.service.firing import fire_due
from app.service.resources import Resources
from app.settings import Settings
from tests.concurrency.ordering import deadlocks, held_open, until_blocked
from tests.support.elapse import mysql_now
from tests.support.factories import ScheduleFactory
from tests.support.rows import a_new_task


def a_due_schedule(engine: Engine, name: str = "a", **fields: Any) -> None:
    """With one occurrence, a second ago."""
    at = mysql_now(engine).replace(microsecond=0) - timedelta(seconds=1)
    made = {"name": name, "interval_seconds": 3600, "starts_at": at}
    ScheduleFactory(**made | {"considered_at": at - timedelta(1)} | fields)


def fired(engine: Engine) -> list[tuple[str, int]]:
    """(schedule, task) of all that was submitted; a task without a run has no schedule here."""
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "SELECT schedule, tasks.id FROM tasks LEFT JOIN schedule_runs ON task_id = tasks.id"
            )
        )
        return [(row[0], row[1]) for row in found]


async def fire(connection: Connection) -> Fired:
    return await firing.fire_once(connection, tag_ids=TagIds())


async def test_what_one_scheduler_fires_no_other_does_and_none_waits(
    session: Session, engine: Engine, resources: Resources, other: Resources
) -> None:
    a_due_schedule(engine)
    async with held_open(other.database, fire) as first:
        a_due_schedule(engine, "b")
        assert first.made == 1
        assert await fire_due(resources) == 1, "the other one, at once"
    assert await fire_due(resources) == 0
    assert [name for name, _ in fired(engine)] == ["a", "b"]


async def test_a_scheduler_makes_the_tags_of_what_it_fires_and_not_of_what_others_hold(
    session: Session, engine: Engine, resources: Resources, other: Resources
) -> None:
    """There are more due than one batch, and the first batch is another scheduler's."""
    for n in range(firing.SCHEDULES):
        a_due_schedule(engine, f"s{n}")
    tagged = text_of(a_new_task(tag_names=("nobody has made it",)))
    async with held_open(other.database, fire) as first:
        a_due_schedule(engine, "tagged", task=tagged)
        assert first.made == firing.SCHEDULES
        assert await fire_due(resources) == 1


async def test_a_scheduler_that_dies_before_its_commit_has_done_nothing(
    session: Session, engine: Engine, resources: Resources, other: Resources
) -> None:
    a_due_schedule(engine)

    class KilledError(Exception):
        pass

    async def fire_and_die(connection: Connection) -> None:
        await fire(connection)
        raise KilledError

    with pytest.raises(KilledError):
        await other.database.transact(fire_and_die)
    assert fired(engine) == []
    assert await fire_due(resources) == 1


async def test_a_put_while_it_fires_waits_and_counts_from_then(
    session: Session, engine: Engine, other: Resources, api: httpx.AsyncClient
) -> None:
    a_due_schedule(engine)
    body = {"cron": "* * * * * *", "overlap": "allow", "task": {"title": "new"}}
    async with held_open(other.database, fire):
        put = asyncio.create_task(api.put("/schedules/a", json=body))
        await until_blocked(engine)
        assert not put.done()
    assert (await put).json()["revision"] == 2
    assert len(fired(engine)) == 1


async def test_a_scheduler_passes_by_what_is_being_changed(
    session: Session, engine: Engine, resources: Resources, other: Resources
) -> None:
    a_due_schedule(engine)
    async with held_open(other.database, lambda c: rows.lock(c, "a")):
        assert await fire_due(resources) == 0
    assert await fire_due(resources) == 1


async def test_of_two_that_make_one_name_at_once_one_makes_it(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    bodies = [{"cron": f"{n} * * * *", "task": {"title": "t"}} for n in range(8)]
    answers = await asyncio.gather(*[api.put("/schedules/a", json=body) for body in bodies])
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert sorted(answer.json()["revision"] for answer in answers) == [*range(1, 9)]


async def test_many_schedulers_fire_each_occurrence_once(
    session: Session, engine: Engine, settings: Settings
) -> None:
    for n in range(30):
        a_due_schedule(engine, f"s{n}")
    schedulers = [Resources(settings) for _ in range(4)]
    try:
        counts = await asyncio.gather(*[fire_due(each) for each in schedulers for _ in range(3)])
    finally:
        for each in schedulers:
            await each.close()
    assert sum(counts) == 30
    assert sorted(name for name, _ in fired(engine)) == sorted(f"s{n}" for n in range(30))


async def test_a_submit_that_waits_for_the_key_of_an_occurrence_is_answered_with_its_task(
    session: Session, engine: Engine, other: Resources, api: httpx.AsyncClient
) -> None:
    a_due_schedule(engine, task=text_of(a_new_task(unique=Unique("k"))))
    body = {"title": "x", "unique": {"key": "k"}}
    async with held_open(other.database, fire) as first:
        call = asyncio.create_task(api.post("/tasks", json=body))
        await until_blocked(engine)
    answer = await call
    assert (answer.status_code, answer.json()["id"]) == (200, first.answers[0].first_id)


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("conflict", [*Conflict])
async def test_occurrences_and_submits_that_meet_on_a_key_stand_in_nobodys_way(
    engine: Engine,
    resources: Resources,
    other: Resources,
    api: httpx.AsyncClient,
    conflict: Conflict,
) -> None:
    task = text_of(a_new_task(unique=Unique("k", conflict=conflict)))
    for name in ("a", "b"):
        a_due_schedule(engine, name, task=task)
    body = {"title": "x", "unique": {"key": "k", "conflict": conflict}}
    before = deadlocks(engine)
    with engine.connect() as gate:
        gate.exec_driver_sql("SELECT id FROM unique_key_locks FOR UPDATE")
        fires = asyncio.create_task(fire_due(resources))
        call = asyncio.create_task(api.post("/tasks", json=body))
        await until_blocked(engine, sessions=2)
        fires_too = asyncio.create_task(fire_due(other))
        gate.rollback()
    made = await fires + await fires_too + ((await call).status_code == 201)

    assert made == 1
    with engine.connect() as connection:
        runs = connection.exec_driver_sql("SELECT schedule FROM schedule_runs").scalars().all()
        held = connection.exec_driver_sql("SELECT COUNT(*) FROM unique_keys").scalar_one()
    assert (sorted(runs), held) == (["a", "b"], 1)
    assert deadlocks(engine) == before
