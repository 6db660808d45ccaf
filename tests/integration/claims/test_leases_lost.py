"""Lost leases: a worker that promised to be heard of, and was not."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
import redis
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.queue import statements
from app.service.resources import Resources
from app.service.sweeping import take_back_lost_leases, time_out
from app.settings import Settings
from tests.concurrency.ordering import held_open
from tests.support.calls import Document, claim_one, get, problem, submit
from tests.support.elapse import serve_all_along
from tests.support.factories import TaskFactory, now
from tests.support.redis_book import remember_for
from tests.support.worker_calls import attempts, end, heartbeat

Later = Callable[[float], None]


@pytest.fixture(autouse=True)
def long_remembering(redis_connection: redis.Redis, engine: Engine) -> None:
    """Redis has been there for an hour, and an API for longer."""
    remember_for(redis_connection, 3600)
    serve_all_along(engine)


async def a_promise(api: httpx.AsyncClient, lease_seconds: int = 30, **fields: object) -> Document:
    """A lease whose worker has promised heartbeats."""
    await submit(api, **fields)
    return await claim_one(api, lease_seconds=lease_seconds)


async def test_a_worker_that_is_heard_of_keeps_its_task(
    api: httpx.AsyncClient, resources: Resources, later: Later
) -> None:
    lease = await a_promise(api)
    for _ in range(5):
        later(25)
        await heartbeat(api, lease)
        assert await take_back_lost_leases(resources) == 0

    assert (await get(api, lease["task"]["id"]))["status"] == "in_progress"


async def test_a_worker_that_falls_silent_loses_its_task_after_the_lease(
    api: httpx.AsyncClient, resources: Resources, later: Later
) -> None:
    lease = await a_promise(api)
    task_id = lease["task"]["id"]
    later(25)
    await heartbeat(api, lease)
    later(25)
    assert await take_back_lost_leases(resources) == 0
    later(6)
    assert await take_back_lost_leases(resources) == 1

    task = await get(api, task_id)
    assert (task["status"], task["current_retry_count"]) == ("retrying", 1)
    assert task["error"] == "no heartbeat from the worker for 30 s"
    assert [a["outcome"] for a in await attempts(api, task_id)] == ["lost"]
    for finish in ("complete", "fail", "release"):
        assert "lost" in problem(await end(api, lease["lease_id"], finish), 409).detail
    problem(await api.post(f"/leases/{lease['lease_id']}/heartbeat"), 409)


async def test_a_worker_that_never_was_heard_of_loses_its_task_too(
    api: httpx.AsyncClient, resources: Resources, later: Later
) -> None:
    lease = await a_promise(api)
    later(29)
    assert await take_back_lost_leases(resources) == 0
    later(2)
    assert await take_back_lost_leases(resources) == 1

    assert (await get(api, lease["task"]["id"]))["status"] == "retrying"


async def test_a_lost_attempt_is_a_failed_one(
    api: httpx.AsyncClient, resources: Resources, later: Later
) -> None:
    lease = await a_promise(api, retry_limit=0)
    later(31)
    await take_back_lost_leases(resources)

    assert (await get(api, lease["task"]["id"]))["status"] == "failed"


async def test_a_worker_that_promised_nothing_has_until_the_deadline(
    api: httpx.AsyncClient, resources: Resources, later: Later
) -> None:
    await submit(api, timeout_seconds=300)
    lease = await claim_one(api)
    later(299)

    assert await take_back_lost_leases(resources) == 0
    assert (await get(api, lease["task"]["id"]))["status"] == "in_progress"


async def test_heartbeats_do_not_move_the_deadline(
    api: httpx.AsyncClient, resources: Resources, later: Later
) -> None:
    lease = await a_promise(api, timeout_seconds=60)
    for _ in range(2):
        later(29)
        await heartbeat(api, lease)
    assert await time_out(resources) == 0
    later(3)

    assert await time_out(resources) == 1
    assert [a["outcome"] for a in await attempts(api, lease["task"]["id"])] == ["timed_out"]


async def test_an_emptied_redis_proves_nothing_for_the_length_of_a_lease(
    api: httpx.AsyncClient, resources: Resources, later: Later, redis_connection: redis.Redis
) -> None:
    lease = await a_promise(api, timeout_seconds=300)
    redis_connection.flushall()
    later(31)
    assert await take_back_lost_leases(resources) == 0
    later(29)
    assert await take_back_lost_leases(resources) == 0
    later(2)

    assert await take_back_lost_leases(resources) == 1
    assert (await get(api, lease["task"]["id"]))["status"] == "retrying"


async def test_a_worker_that_lives_keeps_its_task_though_redis_was_emptied(
    api: httpx.AsyncClient, resources: Resources, later: Later, redis_connection: redis.Redis
) -> None:
    lease = await a_promise(api, timeout_seconds=300)
    redis_connection.flushall()
    for _ in range(6):
        later(20)
        await heartbeat(api, lease)
        assert await take_back_lost_leases(resources) == 0

    assert (await get(api, lease["task"]["id"]))["status"] == "in_progress"


async def test_all_are_taken_back_however_small_the_batches(
    settings: Settings, session: Session
) -> None:
    resources = Resources(settings.model_copy(update={"sweep_batch_size": 2}))
    TaskFactory.create_batch(5, heartbeating=True, started_at=now(), sweep_at=now())

    assert await take_back_lost_leases(resources) == 5
    await resources.close()


async def test_leases_that_are_only_due_do_not_keep_the_overdue_from_timing_out(
    settings: Settings, session: Session, redis_connection: redis.Redis
) -> None:
    resources = Resources(settings.model_copy(update={"sweep_batch_size": 2}))
    redis_connection.flushall()
    TaskFactory.create_batch(5, heartbeating=True, started_at=now(), sweep_at=now())
    TaskFactory(in_progress=True, deadline_at=now(), timeout_seconds=1)

    await take_back_lost_leases(resources)
    assert await time_out(resources) == 1
    await resources.close()


async def test_a_sweep_does_not_wait_for_leases_that_another_transaction_holds(
    settings: Settings, session: Session, engine: Engine
) -> None:
    resources = Resources(settings.model_copy(update={"sweep_batch_size": 2}))
    tasks = TaskFactory.create_batch(3, heartbeating=True, started_at=now(), sweep_at=now())
    ids = [task.id for task in tasks]
    async with held_open(resources.database, lambda c: statements.lock_tasks(c, ids)):
        async with asyncio.timeout(60):
            assert await take_back_lost_leases(resources) == 0

    assert await take_back_lost_leases(resources) == 3
    await resources.close()
