"""A heartbeat while the sweep decides whether its worker is lost: what was promised is kept."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
import redis
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.domain.task import Lease
from app.queue.attempts import heartbeats
from app.queue.sweeps import deadlines
from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.concurrency.ordering import held_open, until_blocked
from tests.concurrency.steps import row
from tests.support.calls import claim
from tests.support.elapse import serve_all_along
from tests.support.factories import TaskFactory, lease_of, now
from tests.support.redis_book import remember_for


@pytest.fixture
def silent(session: Session, settings: Settings, engine: Engine) -> Any:
    """A task whose worker was last heard of 10 s ago and had promised 5; Redis was there."""
    assert settings.redis_url is not None
    with redis.Redis.from_url(settings.redis_url) as connection:
        remember_for(connection, 60)
    serve_all_along(engine)
    return TaskFactory(heartbeating=True, started_at=now() - timedelta(seconds=10))


async def seen_as_lost(resources: Resources) -> dict[Lease, float | None]:
    """The sweep's first half: MySQL says who is due, Redis who was heard of."""
    due = await resources.database.read(lambda c: deadlines.due_leases(c, limit=100))
    remaining = await resources.lease_book.remaining_seconds(due)
    assert list(remaining.values()) == [None], "the sweep has to hold it for lost"
    return remaining


async def test_a_worker_that_is_silent_loses_its_lease(
    silent: Any, engine: Engine, resources: Resources, api: httpx.AsyncClient
) -> None:
    lease = lease_of(silent)
    assert await sweeping.take_back_lost_leases(resources) == 1

    answer = await api.post(f"/leases/{lease}/heartbeat")
    assert answer.status_code == 409
    assert answer.json()["outcome"] == "lost"
    assert row(engine, silent.id)["status"] == "retrying"


async def test_a_heartbeat_answered_while_the_sweep_decides_keeps_the_lease(
    silent: Any, engine: Engine, other: Resources, api: httpx.AsyncClient
) -> None:
    remaining = await seen_as_lost(other)
    assert (await api.post(f"/leases/{lease_of(silent)}/heartbeat")).status_code == 200

    moves = await other.database.transact(
        lambda c: deadlines.settle_leases(c, remaining_seconds=remaining)
    )

    assert moves == []
    assert row(engine, silent.id)["status"] == "in_progress"
    assert await sweeping.take_back_lost_leases(other) == 0
    assert (await api.post(f"/leases/{lease_of(silent)}/complete")).status_code == 200


async def test_a_heartbeat_under_way_in_mysql_keeps_the_lease(
    silent: Any, engine: Engine, other: Resources, resources: Resources, api: httpx.AsyncClient
) -> None:
    remaining = await seen_as_lost(resources)
    lease = Lease(silent.id, silent.lease_token)

    async with held_open(
        other.database, lambda c: heartbeats.put_off(c, {lease: 5.0}, skip_locked=False)
    ):
        moves = await resources.database.transact(
            lambda c: deadlines.settle_leases(c, remaining_seconds=remaining)
        )
        assert moves == []

    assert await sweeping.take_back_lost_leases(resources) == 0
    assert row(engine, silent.id)["status"] == "in_progress"


async def test_a_heartbeat_that_comes_while_the_lease_is_being_taken_back_is_told_so(
    silent: Any, engine: Engine, other: Resources, api: httpx.AsyncClient
) -> None:
    remaining = await seen_as_lost(other)

    async with held_open(
        other.database, lambda c: deadlines.settle_leases(c, remaining_seconds=remaining)
    ):
        beat = asyncio.create_task(api.post(f"/leases/{lease_of(silent)}/heartbeat"))
        await until_blocked(engine)
    answer = await beat

    assert answer.status_code == 409
    assert answer.json()["outcome"] == "lost"
    assert answer.json()["task_status"] == "retrying"


async def test_a_worker_that_finishes_while_the_sweep_decides_is_done(
    silent: Any, engine: Engine, other: Resources, api: httpx.AsyncClient
) -> None:
    remaining = await seen_as_lost(other)
    assert (await api.post(f"/leases/{lease_of(silent)}/complete")).status_code == 200

    moves = await other.database.transact(
        lambda c: deadlines.settle_leases(c, remaining_seconds=remaining)
    )

    assert moves == []
    assert row(engine, silent.id)["status"] == "done"


async def test_a_sweep_that_was_slow_to_decide_leaves_the_next_attempt_alone(
    silent: Any, engine: Engine, other: Resources, resources: Resources, api: httpx.AsyncClient
) -> None:
    lease = lease_of(silent)
    remaining = await seen_as_lost(other)
    answer = await api.post(f"/leases/{lease}/fail", json={"retry_after_seconds": 0})
    assert answer.status_code == 200
    (second,) = await claim(api, lease_seconds=5)
    with engine.begin() as connection:
        # Due as well by now, but nobody has asked Redis about this one yet.
        connection.execute(text("UPDATE tasks SET sweep_at = sweep_at - INTERVAL 1 MINUTE"))

    moves = await other.database.transact(
        lambda c: deadlines.settle_leases(c, remaining_seconds=remaining)
    )

    assert moves == []
    assert (await api.post(f"/leases/{second['lease_id']}/complete")).status_code == 200
