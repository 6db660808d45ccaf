"""Attempts that run into their deadline."""

from collections.abc import Callable
from datetime import timedelta

import httpx
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.queue.sweeps import deadlines
from app.service.resources import Resources
from app.service.sweeping import promote, take_back_lost_leases, time_out
from app.settings import Settings
from tests.concurrency.ordering import held_open
from tests.support.calls import claim, claim_one, complete, get, submit
from tests.support.factories import TaskFactory, now
from tests.support.worker_calls import a_lease, attempts, heartbeat

Later = Callable[[float], None]


async def test_an_attempt_ends_at_its_deadline_and_not_before(
    api: httpx.AsyncClient, resources: Resources, later: Later
) -> None:
    lease = await a_lease(api, timeout_seconds=60)
    later(58)
    assert await time_out(resources) == 0
    assert (await get(api, lease["task"]["id"]))["status"] == "in_progress"
    later(3)
    assert await time_out(resources) == 1

    task = await get(api, lease["task"]["id"])
    assert (task["status"], task["current_retry_count"]) == ("retrying", 1)
    assert task["error"] == "timed out after 60 s"
    assert await time_out(resources) == 0, "an attempt times out once"


async def test_a_task_that_times_out_each_time_is_retried_and_then_failed(
    api: httpx.AsyncClient, resources: Resources, later: Later
) -> None:
    task = await submit(api, timeout_seconds=1, retry_limit=1, retry_delay_seconds=0)
    seen = []
    for _ in range(2):
        await claim_one(api)
        later(1)
        await time_out(resources)
        task = await get(api, task["id"])
        seen.append((task["status"], task["current_retry_count"]))

    assert seen == [("retrying", 1), ("failed", 1)]
    assert [a["outcome"] for a in await attempts(api, task["id"])] == ["timed_out"] * 2
    assert await claim(api) == []


async def test_the_retry_of_a_timed_out_task_waits_for_its_delay(
    api: httpx.AsyncClient, resources: Resources, later: Later
) -> None:
    lease = await a_lease(
        api, timeout_seconds=10, retry_delay_seconds=60, retry_backoff="fixed", retry_limit=1
    )
    later(11)
    await time_out(resources)
    later(58)
    assert (await promote(resources), await claim(api)) == (0, [])
    later(3)
    assert await promote(resources) == 1

    again = await claim_one(api)
    assert (again["task"]["id"], again["attempt"]) == (lease["task"]["id"], 2)
    assert (await complete(api, again))["status"] == "done"


async def test_heartbeats_do_not_keep_an_attempt_from_timing_out(
    api: httpx.AsyncClient, resources: Resources, later: Later
) -> None:
    lease = await a_lease(api, timeout_seconds=60)
    later(59)
    await heartbeat(api, lease, "nearly done")
    later(2)

    assert await take_back_lost_leases(resources) == 0
    assert await time_out(resources) == 1


async def test_an_attempt_that_ended_in_time_does_not_time_out(
    api: httpx.AsyncClient, resources: Resources, later: Later
) -> None:
    done = await complete(api, await a_lease(api, timeout_seconds=10))
    later(1000)

    assert await time_out(resources) == 0
    assert (await get(api, done["id"]))["status"] == "done"


async def test_all_are_timed_out_however_small_the_batches(
    settings: Settings, session: Session, engine: Engine
) -> None:
    resources = Resources(settings.model_copy(update={"sweep_batch_size": 2}))
    TaskFactory.create_batch(4, overdue=True)

    assert await time_out(resources) == 4
    await resources.close()
    with engine.connect() as connection:
        found = connection.execute(text("SELECT DISTINCT status FROM tasks")).scalars()
        assert list(found) == ["retrying"]


async def test_a_batch_takes_the_most_overdue_first(resources: Resources, session: Session) -> None:
    ids = [
        TaskFactory(
            in_progress=True,
            timeout_seconds=60,
            started_at=now() - timedelta(seconds=60 + late),
        ).id
        for late in (10, 30, 20)
    ]
    moves = await resources.database.transact(lambda c: deadlines.time_out_once(c, limit=2))

    assert [old.id for old, _ in moves] == [ids[1], ids[2]]


async def test_a_sweep_does_nothing_until_its_batch_is_committed(
    resources: Resources, session: Session, engine: Engine
) -> None:
    TaskFactory(overdue=True)
    async with held_open(
        resources.database, lambda c: deadlines.time_out_once(c, limit=9)
    ) as moves:
        assert len(moves) == 1
        with engine.connect() as connection:
            found = connection.execute(text("SELECT status FROM tasks")).scalar_one()
        assert found == "in_progress"


async def test_a_backoff_of_a_later_version_stops_no_sweep(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, later: Later
) -> None:
    lease = await a_lease(api, timeout_seconds=60)
    other = await a_lease(api, timeout_seconds=60)
    with engine.begin() as connection:
        later_one = {"id": lease["task"]["id"]}
        connection.execute(
            text("UPDATE tasks SET retry_backoff = 'quadratic' WHERE id = :id"), later_one
        )
    later(61)
    assert await time_out(resources) == 2
    found = [await get(api, one["task"]["id"]) for one in (lease, other)]
    assert [task["status"] for task in found] == ["retrying", "retrying"]
    assert found[0]["retry_backoff"] == "quadratic"
