"""What Redis knows of leases: for as long as they last, and not after their end."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import redis

from app.service import sweeping
from app.service.resources import Resources
from tests.support.calls import Document, claim_one, complete, fail, submit
from tests.support.redis_book import known_leases
from tests.support.worker_calls import act, heartbeat, release

Later = Callable[[float], None]
End = Callable[[httpx.AsyncClient, Document], Awaitable[Any]]


def progress_keys(connection: redis.Redis) -> dict[bytes, int]:
    """Where there is progress, with the milliseconds it is still to be there."""
    return {key: connection.pttl(key) for key in connection.scan_iter("rowlock:progress:*")}


async def a_promise(api: httpx.AsyncClient, **fields: Any) -> Document:
    await submit(api, **fields)
    return await claim_one(api, lease_seconds=30)


async def test_a_lease_is_known_as_long_as_its_worker_promised_to_be_heard_of(
    api: httpx.AsyncClient, redis_connection: redis.Redis, later: Later
) -> None:
    lease = await a_promise(api)
    assert known_leases(redis_connection).keys() == {lease["lease_id"]}
    assert 25_000 < known_leases(redis_connection)[lease["lease_id"]] <= 30_000
    later(20)
    await heartbeat(api, lease)

    assert 25_000 < known_leases(redis_connection)[lease["lease_id"]] <= 30_000


async def test_a_lease_is_known_no_longer_than_its_deadline(
    api: httpx.AsyncClient, redis_connection: redis.Redis
) -> None:
    lease = await a_promise(api, timeout_seconds=10)
    await heartbeat(api, lease)

    assert 0 < known_leases(redis_connection)[lease["lease_id"]] <= 10_000


async def test_a_lease_without_a_promise_is_known_only_for_its_progress(
    api: httpx.AsyncClient, redis_connection: redis.Redis
) -> None:
    await submit(api, timeout_seconds=60)
    lease = await claim_one(api)
    assert progress_keys(redis_connection) == {}
    await heartbeat(api, lease, "half")

    assert known_leases(redis_connection) == {}
    (left_ms,) = progress_keys(redis_connection).values()
    assert 0 < left_ms <= 60_000


async def _delete(api: httpx.AsyncClient, lease: Document) -> None:
    await api.delete(f"/tasks/{lease['task']['id']}")


async def _cancel(api: httpx.AsyncClient, lease: Document) -> None:
    await act(api, lease["task"]["id"], "cancel")


@pytest.mark.parametrize("end", [complete, fail, release, _cancel, _delete])
async def test_a_lease_is_forgotten_with_its_end(
    api: httpx.AsyncClient, redis_connection: redis.Redis, end: End
) -> None:
    lease = await a_promise(api)
    await heartbeat(api, lease, "half")
    await end(api, lease)

    assert known_leases(redis_connection) == {}
    assert progress_keys(redis_connection) == {}


async def test_a_lease_is_forgotten_when_its_attempt_times_out(
    api: httpx.AsyncClient, resources: Resources, redis_connection: redis.Redis, later: Later
) -> None:
    lease = await a_promise(api, timeout_seconds=60)
    later(29)
    await heartbeat(api, lease)
    later(29)
    await heartbeat(api, lease)
    assert known_leases(redis_connection)
    redis_connection.zadd("rowlock:leases", {lease["lease_id"]: 1e15})
    later(3)
    await sweeping.time_out(resources)

    assert known_leases(redis_connection) == {}
