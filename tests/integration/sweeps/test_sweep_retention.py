"""Ended tasks are deleted when they have been kept for as long as the settings say."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.domain.states import ENDED, Status
from app.queue.sweeps import retention
from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.concurrency.ordering import held_open
from tests.support.calls import claim_one, complete, get, submit
from tests.support.factories import TaskFactory, now

DAY_SECONDS = 86_400
ENDINGS = ("done", "failed", "cancelled")
Later = Callable[[float], None]


@pytest.fixture
async def forgetful(settings: Settings) -> AsyncIterator[Resources]:
    """A process that keeps ended tasks for a week."""
    resources = Resources(settings.model_copy(update={"retention_days": 7}))
    yield resources
    await resources.close()


def ids(engine: Engine) -> set[int]:
    with engine.connect() as connection:
        return set(connection.execute(text("SELECT id FROM tasks")).scalars())


async def test_by_default_everything_is_kept(
    session: Session, engine: Engine, resources: Resources
) -> None:
    task = TaskFactory.create(done=True, created_at=now() - timedelta(days=5000))

    assert await sweeping.delete_old(resources) == 0
    assert ids(engine) == {task.id}


async def test_what_ended_long_ago_goes_and_the_rest_stays(
    session: Session, engine: Engine, forgetful: Resources
) -> None:
    long_ago, lately = now() - timedelta(days=8), now() - timedelta(days=6)
    old = [TaskFactory.create(created_at=long_ago, **{ending: True}) for ending in ENDINGS]
    kept = [
        *(TaskFactory.create(created_at=lately, **{ending: True}) for ending in ENDINGS),
        # Long on its way, and ended lately.
        TaskFactory.create(created_at=long_ago, updated_at=lately, done=True),
        *(
            TaskFactory.create(created_at=long_ago, **state)
            for state in ({}, {"retrying": True}, {"paused": True}, {"in_progress": True})
        ),
    ]
    assert {task.status for task in kept} | ENDED == set(Status)

    assert await sweeping.delete_old(forgetful) == len(old)
    assert ids(engine) == {task.id for task in kept}
    assert await sweeping.delete_old(forgetful) == 0


async def test_a_task_goes_with_all_that_is_its_own_and_the_figures_stay_right(
    api: httpx.AsyncClient, engine: Engine, forgetful: Resources, later: Later
) -> None:
    headers = {"Idempotency-Key": "k"}
    body = {"title": "old", "tags": ["a", "b"], "retry_limit": 1, "retry_delay_seconds": 0}
    task = (await api.post("/tasks", json=body, headers=headers)).json()
    lease = await claim_one(api)
    await api.post(f"/leases/{lease['lease_id']}/fail", json={"error": "no"})
    await sweeping.promote(forgetful)
    await complete(api, await claim_one(api))
    later(7 * DAY_SECONDS - 60)
    assert await sweeping.delete_old(forgetful) == 0
    await submit(api, title="new", tags=["a"])
    await get(api, task["id"])  # so that it is cached
    later(120)
    assert await sweeping.delete_old(forgetful) == 1

    assert (await api.get(f"/tasks/{task['id']}")).status_code == 404
    assert [t["title"] for t in (await api.get("/tasks")).json()] == ["new"]
    assert (await api.get("/tags")).json() == [{"name": "a", "tasks": 1}]
    (queue,) = (await api.get("/stats")).json()["queues"]
    assert sum(queue["tasks"]["done"].values()) == 0
    with engine.connect() as connection:
        for table in ("task_attempts", "idempotency_keys"):
            assert connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar() == 0
    again = await api.post("/tasks", json=body, headers=headers)
    assert (again.status_code, again.json()["id"] == task["id"]) == (201, False)


async def test_a_row_that_somebody_holds_waits_for_the_next_walk(
    session: Session, engine: Engine, forgetful: Resources, resources: Resources
) -> None:
    tasks = TaskFactory.create_batch(3, done=True, created_at=now() - timedelta(days=8))
    lock = text("SELECT 1 FROM tasks WHERE id = :id FOR UPDATE")

    with engine.begin() as connection:
        connection.execute(lock, {"id": tasks[1].id})
        assert await sweeping.delete_old(forgetful) == 2

    assert await sweeping.delete_old(forgetful) == 1


async def test_a_walk_goes_on_where_its_time_was_up(
    session: Session, engine: Engine, forgetful: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "RETENTION_BATCH", 2)
    monkeypatch.setattr(sweeping, "RETENTION_SECONDS", 1e-9)
    long_ago = now() - timedelta(days=8)
    waiting = [TaskFactory.create(created_at=long_ago + timedelta(seconds=n)) for n in range(5)]
    TaskFactory.create_batch(3, done=True, created_at=long_ago + timedelta(seconds=9))

    deleted = [await sweeping.delete_old(forgetful) for _ in range(5)]

    assert sum(deleted) == 3
    assert deleted == [0, 0, 1, 2, 0], "past those that wait, and then from the beginning"
    assert ids(engine) == {task.id for task in waiting}


async def test_two_processes_delete_each_task_once(
    session: Session, engine: Engine, forgetful: Resources
) -> None:
    tasks = TaskFactory.create_batch(30, done=True, created_at=now() - timedelta(days=8))
    other = Resources(forgetful.settings)
    its_batch = partial(retention.delete_ended, ids=[task.id for task in tasks[:10]], days=7)

    async with held_open(other.database, its_batch) as first:
        rest = await sweeping.delete_old(forgetful)

    await other.close()
    assert (len(first), rest) == (10, 20)
    assert ids(engine) == set()
