"""Leases while Redis is absent, away, or not what it was: no worker is called lost wrongly."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest
import redis
from sqlalchemy import Engine

from app.domain.task import Lease, PromisedLease
from app.local.valkey import ValkeyServer
from app.redis.calls import Call
from app.redis.lease_book import LeaseBook
from app.service.resources import Resources
from app.service.sweeping import take_back_lost_leases, time_out
from app.settings import Settings
from tests.conftest import serving, sharing
from tests.support.calls import claim_one, complete, get, submit
from tests.support.elapse import elapse_in_redis, serve_all_along
from tests.support.redis_book import kept_since_ms, now_ms, remember_for
from tests.support.steered_redis import SteeredLink, link_to
from tests.support.worker_calls import heartbeat

Later = Callable[[float], None]


@pytest.fixture
async def redisless_api(redisless: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(redisless) as client:
        yield client


@pytest.fixture
async def redisless_resources(redisless: Settings) -> AsyncIterator[Resources]:
    async with sharing(redisless) as resources:
        yield resources


async def test_without_redis_only_the_deadline_counts(
    redisless_api: httpx.AsyncClient, redisless_resources: Resources, later: Later
) -> None:
    await submit(redisless_api, timeout_seconds=300)
    lease = await claim_one(redisless_api, lease_seconds=5)
    for _ in range(3):
        later(90)
        assert await take_back_lost_leases(redisless_resources) == 0
        assert await time_out(redisless_resources) == 0
    assert (await get(redisless_api, lease["task"]["id"]))["status"] == "in_progress"
    later(31)

    assert await time_out(redisless_resources) == 1
    assert (await get(redisless_api, lease["task"]["id"]))["status"] == "retrying"


async def test_without_redis_a_worker_that_lives_completes_its_task(
    redisless_api: httpx.AsyncClient, redisless_resources: Resources, later: Later
) -> None:
    await submit(redisless_api)
    lease = await claim_one(redisless_api, lease_seconds=5)
    for _ in range(3):
        later(6)
        await heartbeat(redisless_api, lease, "half")
        await take_back_lost_leases(redisless_resources)

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
    resources: Resources,
    later: Later,
) -> None:
    """The process that took the heartbeat had lost its way to Redis; the sweep had not."""
    await submit(api)
    lease = await claim_one(api, lease_seconds=30)
    async with serving(redis_away) as cut_off:
        later(20)
        await heartbeat(cut_off, lease)
    later(20)
    assert await take_back_lost_leases(resources) == 0
    later(11)

    assert await take_back_lost_leases(resources) == 1


async def test_a_redis_that_comes_back_with_what_it_had_saved_proves_nothing(
    settings: Settings, own_redis: ValkeyServer, later: Later
) -> None:
    """What it saved is older than the heartbeats it took since."""
    with redis.Redis.from_url(own_redis.url) as connection:
        remember_for(connection, 3600)
        connection.save()
    own = settings.model_copy(update={"redis_url": own_redis.url})
    resources = Resources(own)
    async with serving(own) as client:
        await submit(client)
        lease = await claim_one(client, lease_seconds=30)
        later(20)
        await heartbeat(client, lease)
        own_redis.kill()
        own_redis.start()
        later(20)

        assert await take_back_lost_leases(resources) == 0
        assert (await get(client, lease["task"]["id"]))["status"] == "in_progress"
    await resources.close()


class Interrupted(SteeredLink):
    """A link after so many of whose calls Redis forgets everything, or starts anew."""

    forgets_after = 0

    def __init__(
        self, settings: Settings, forget: Callable[["Interrupted"], Awaitable[None]]
    ) -> None:
        super().__init__(settings)
        self._forget = forget

    async def run(self, *calls: Call) -> list[Any]:
        answers = []
        for call in calls:
            if self.forgets_after == 0:
                await self._forget(self)
            self.forgets_after -= 1
            answers += await super().run(call)
        return answers


@pytest.mark.parametrize("forgets_after", range(3))
@pytest.mark.parametrize("how", ["emptied", "restarted"])
async def test_a_redis_that_forgets_while_it_is_asked_proves_nothing(
    settings: Settings, own_redis: ValkeyServer, forgets_after: int, how: str
) -> None:
    promised = [PromisedLease(Lease(number, "0" * 32), 30) for number in range(2)]
    with redis.Redis.from_url(own_redis.url) as connection:
        remember_for(connection, 3600)
        connection.save()  # without the leases

        async def forget(link: Interrupted) -> None:
            if how == "emptied":
                connection.flushall()
                return
            own_redis.kill()
            await link.until_lost()
            own_redis.start()

        link = Interrupted(settings.model_copy(update={"redis_url": own_redis.url}), forget)
        leases = LeaseBook(link)
        await leases.remember()
        expires = now_ms(connection) + 20_000
        connection.zadd("rowlock:leases", {str(promise.lease): expires for promise in promised})
        link.forgets_after = forgets_after
        remaining = await leases.remaining_seconds(promised)
        await link.close()

    assert all(seconds is not None for seconds in remaining.values())


@pytest.mark.parametrize("seconds", [-3600, 3600])
async def test_a_redis_whose_clock_is_set_proves_nothing(
    settings: Settings, redis_connection: redis.Redis, seconds: int
) -> None:
    """Set on, it takes all leases for expired at once; set back, for good for long."""
    promise = PromisedLease(Lease(1, "0" * 32), 30)
    link = link_to(settings)
    leases = LeaseBook(link)
    remember_for(redis_connection, 7200)
    assert await leases.remaining_seconds([promise]) == {promise.lease: None}
    # What was written until now is as if by another clock.
    link.clock_set_by_seconds = seconds

    (remaining,) = (await leases.remaining_seconds([promise])).values()
    assert remaining == pytest.approx(30, abs=1)
    (remaining,) = (await leases.remaining_seconds([promise])).values()
    assert remaining is not None, "from now on it is kept again"
    await link.close()


async def test_a_book_that_begins_later_is_begun_anew(
    settings: Settings, redis_connection: redis.Redis
) -> None:
    """Redis' clock was set back while no scheduler ran."""
    link = link_to(settings)
    leases = LeaseBook(link)
    remember_for(redis_connection, -3600)
    await leases.remember()
    await link.close()

    assert kept_since_ms(redis_connection) <= now_ms(redis_connection)


@pytest.mark.parametrize("policy", ["volatile-random", "allkeys-random"])
async def test_a_full_redis_that_forgets_at_random_proves_nothing(
    settings: Settings, own_redis: ValkeyServer, later: Later, policy: str
) -> None:
    own = settings.model_copy(update={"redis_url": own_redis.url})
    resources = Resources(own)
    with redis.Redis.from_url(own_redis.url) as connection:
        remember_for(connection, 3600)
        async with serving(own) as client:
            await submit(client)
            lease = await claim_one(client, lease_seconds=30)
            later(20)
            elapse_in_redis(connection, 20)
            await heartbeat(client, lease)
            used = connection.info("memory")["used_memory"]
            connection.config_set("maxmemory-policy", policy)
            connection.config_set("maxmemory", used + 1024 * 1024)
            with suppress(redis.exceptions.OutOfMemoryError):
                for number in range(20_000):  # several times as much as there is room for
                    connection.set(f"other:{number}", b"x" * 1000)
            connection.config_set("maxmemory", 0)
            later(20)
            elapse_in_redis(connection, 20)

            assert await take_back_lost_leases(resources) == 0
            assert (await get(client, lease["task"]["id"]))["status"] == "in_progress"
    await resources.close()
