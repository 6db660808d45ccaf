"""Leases while Redis is absent, away, or not what it was: no worker is called lost wrongly."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import redis
from redis.asyncio.client import Pipeline
from sqlalchemy import Engine

from app.leases import Leases
from app.local.valkey import ValkeyServer
from app.redis import RedisLink
from app.service.platform import Platform
from app.service.sweeping import take_back_lost_leases, time_out
from app.settings import Settings
from app.task import Lease, PromisedLease
from tests.calls import claim_one, complete, get, submit
from tests.conftest import serving
from tests.elapse import remember_for, serve_all_along
from tests.worker_calls import heartbeat

Later = Callable[[float], None]


@pytest.fixture
async def redisless_api(redisless: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(redisless) as client:
        yield client


@pytest.fixture
async def redisless_platform(redisless: Settings) -> AsyncIterator[Platform]:
    platform = Platform(redisless)
    yield platform
    await platform.close()


async def test_without_redis_only_the_deadline_counts(
    redisless_api: httpx.AsyncClient, redisless_platform: Platform, later: Later
) -> None:
    await submit(redisless_api, timeout_seconds=300)
    lease = await claim_one(redisless_api, lease_seconds=5)
    for _ in range(3):
        later(90)
        assert await take_back_lost_leases(redisless_platform) == 0
        assert await time_out(redisless_platform) == 0
    assert (await get(redisless_api, lease["task"]["id"]))["status"] == "in_progress"
    later(31)

    assert await time_out(redisless_platform) == 1
    assert (await get(redisless_api, lease["task"]["id"]))["status"] == "retrying"


async def test_without_redis_a_worker_that_lives_completes_its_task(
    redisless_api: httpx.AsyncClient, redisless_platform: Platform, later: Later
) -> None:
    await submit(redisless_api)
    lease = await claim_one(redisless_api, lease_seconds=5)
    for _ in range(3):
        later(6)
        await heartbeat(redisless_api, lease, "half")
        await take_back_lost_leases(redisless_platform)

    assert (await complete(redisless_api, lease))["status"] == "done"


@pytest.fixture
def long_remembering(redis_connection: redis.Redis, engine: Engine) -> None:
    """Redis and an API have been there for long."""
    remember_for(redis_connection, 3600)
    serve_all_along(engine)


async def test_a_heartbeat_that_redis_could_not_take_counts_all_the_same(
    long_remembering: None,
    api: httpx.AsyncClient,
    redis_away: Settings,
    platform: Platform,
    later: Later,
) -> None:
    """The process that took the heartbeat had lost its way to Redis; the sweep had not."""
    await submit(api)
    lease = await claim_one(api, lease_seconds=30)
    async with serving(redis_away) as cut_off:
        later(20)
        await heartbeat(cut_off, lease)
    later(20)
    assert await take_back_lost_leases(platform) == 0
    later(11)

    assert await take_back_lost_leases(platform) == 1


async def test_a_redis_that_comes_back_with_what_it_had_saved_proves_nothing(
    settings: Settings, own_redis: ValkeyServer, later: Later
) -> None:
    """What it saved is older than the heartbeats it took since."""
    with redis.Redis.from_url(own_redis.url) as connection:
        remember_for(connection, 3600)
        connection.save()
    own = settings.model_copy(update={"redis_url": own_redis.url})
    platform = Platform(own)
    async with serving(own) as client:
        await submit(client)
        lease = await claim_one(client, lease_seconds=30)
        later(20)
        await heartbeat(client, lease)
        own_redis.kill()
        own_redis.start()
        later(20)

        assert await take_back_lost_leases(platform) == 0
        assert (await get(client, lease["task"]["id"]))["status"] == "in_progress"
    await platform.close()


class Interrupted(RedisLink):
    """A link whose pipelines Redis takes command by command, and forgets everything after one."""

    forgets_after = 0

    async def run(self, fill: Callable[[Pipeline], object]) -> list[Any]:
        connection: Any = self._redis
        pipeline = connection.pipeline(transaction=False)
        fill(pipeline)
        answers = []
        for count, (command, options) in enumerate(pipeline.command_stack):
            if count == self.forgets_after:
                await connection.flushall()
            answers.append(await connection.execute_command(*command, **options))
        return answers


@pytest.mark.parametrize("forgets_after", range(6))
async def test_a_redis_that_is_emptied_while_it_is_asked_proves_nothing(
    settings: Settings, redis_connection: redis.Redis, forgets_after: int
) -> None:
    promised = [PromisedLease(Lease(number, "0" * 32), 30) for number in range(2)]
    link = Interrupted(settings)
    leases = Leases(link)
    remember_for(redis_connection, 3600)
    for promise in promised:
        redis_connection.set(f"rowlock:lease:{promise.lease}", "", px=20_000)
    link.forgets_after = forgets_after
    remaining = await leases.remaining_seconds(promised)
    await link.close()

    assert all(seconds is not None for seconds in remaining.values())
