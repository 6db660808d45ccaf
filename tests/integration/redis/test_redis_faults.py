"""Whatever befalls Redis: nothing that is read is stale, no worker that lives is taken as lost,
nobody waits for long, and nothing is restarted after."""

import asyncio
import time
from contextlib import AbstractContextManager, suppress
from typing import Any

import httpx
import pytest
import redis
from prometheus_client import REGISTRY
from sqlalchemy import Engine

from app.local.valkey import ValkeyServer
from app.redis.invalidation import PendingInvalidation
from app.redis.link import LONGEST_PAUSE_SECONDS, RedisLink
from app.service.resources import Resources
from app.service.sweeping import take_back_lost_leases
from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import claim_one, get, submit
from tests.support.elapse import elapse, elapse_in_redis, serve_all_along
from tests.support.redis_book import known_leases, remember_for
from tests.support.redis_faults import FAULTS, connected, refusing, stopped
from tests.support.steered_redis import MovingHands, go_by
from tests.support.worker_calls import heartbeat
from tests.support.working_day import a_working_day

# Generous: who is only slow must not look as if it could not reach Redis.
TIMEOUT = 1.0
TITLE = "as it was"


@pytest.fixture
def own(settings: Settings, own_redis: ValkeyServer) -> Settings:
    return settings.model_copy(
        update={"redis_url": own_redis.url, "redis_timeout_seconds": TIMEOUT}
    )


@pytest.fixture(params=FAULTS, ids=lambda fault: fault.__name__)
def fault(request: pytest.FixtureRequest, own_redis: ValkeyServer) -> AbstractContextManager[None]:
    """What befalls Redis within the block."""
    found: AbstractContextManager[None] = request.param(own_redis)
    return found


@pytest.fixture
def api_settings(own: Settings) -> Settings:
    return own


class Elapsing:
    """Time passes in MySQL, and in Redis while it can be told."""

    def __init__(self, engine: Engine, server: ValkeyServer) -> None:
        self._engine = engine
        self._connection = connected(server)

    def __call__(self, seconds: float) -> None:
        elapse(self._engine, seconds)
        with suppress(redis.RedisError):
            elapse_in_redis(self._connection, seconds)


async def titles(api: httpx.AsyncClient, *ids: int) -> list[str]:
    """As they are read one by one, and in a list."""
    listed = (await api.get("/tasks?order=asc")).json()
    return [(await get(api, i))["title"] for i in ids] + [task["title"] for task in listed]


async def retitle(api: httpx.AsyncClient, task_id: int, title: str) -> None:
    (await api.patch(f"/tasks/{task_id}", json={"title": title})).raise_for_status()


def hits() -> float:
    """How often something was found in the cache."""
    return sum(
        REGISTRY.get_sample_value("rowlock_cache_reads_total", {"kind": kind, "found": "yes"}) or 0
        for kind in ("task", "list")
    )


async def until_cached(api: httpx.AsyncClient, *ids: int) -> None:
    """Read until all of it comes from the cache."""
    async with asyncio.timeout(60):
        while True:
            before = hits()
            await titles(api, *ids)
            if hits() - before == len(ids) + 1:
                return
            await asyncio.sleep(0.02)


async def test_no_read_is_stale_meanwhile_nor_after(
    own: Settings, api: httpx.AsyncClient, fault: AbstractContextManager[None]
) -> None:
    """For who reads all along, nor for who comes only when it is over; written by one process,
    read by others."""
    async with serving(own) as busy, serving(own) as idle:
        first, second = [(await submit(api, title=TITLE))["id"] for _ in range(2)]
        for reader in (busy, idle):
            await until_cached(reader, first, second)
        with fault:
            await retitle(api, first, "meanwhile")
            assert await titles(busy, first, second) == ["meanwhile", TITLE] * 2
            # By now Redis is known to be away, and not asked.
            await retitle(api, second, "meanwhile")
        for reader in (idle, busy):
            assert await titles(reader, first, second) == ["meanwhile"] * 4
        for count in range(8):
            await retitle(api, second, f"after {count}")
            for reader in (idle, busy):
                assert await titles(reader, first, second) == ["meanwhile", f"after {count}"] * 2


async def test_a_redis_that_hung_forgets_before_it_answers_anybody(
    api: httpx.AsyncClient, own_redis: ValkeyServer
) -> None:
    task_id = (await submit(api, title=TITLE))["id"]
    await until_cached(api, task_id)
    with connected(own_redis) as connection:
        assert connection.exists("rowlock:cache")
        with stopped(own_redis):
            for title in ("found out", "known"):
                await retitle(api, task_id, title)
        assert not connection.exists("rowlock:cache")


async def test_a_redis_that_takes_no_writes_is_not_read_either(
    own: Settings, api: httpx.AsyncClient, own_redis: ValkeyServer
) -> None:
    """It could not be told of them."""
    async with serving(own) as busy:
        task_id = (await submit(api, title=TITLE))["id"]
        await until_cached(busy, task_id)
        with refusing(own_redis):
            for title in ("found out", "known"):
                await retitle(api, task_id, title)
                assert await titles(busy, task_id) == [title] * 2
        assert await titles(busy, task_id) == ["known"] * 2


async def test_no_worker_that_lives_is_taken_as_lost_and_one_that_dies_is_again(
    api: httpx.AsyncClient,
    resources: Resources,
    engine: Engine,
    own_redis: ValkeyServer,
    fault: AbstractContextManager[None],
) -> None:
    later = Elapsing(engine, own_redis)
    serve_all_along(engine)
    with connected(own_redis) as connection:
        remember_for(connection, 3600)
    await submit(api, title=TITLE, timeout_seconds=86_400)
    lease = await claim_one(api, lease_seconds=30)
    later(20)
    await heartbeat(api, lease)
    with fault:
        for _ in range(2):
            later(20)
            assert await take_back_lost_leases(resources) == 0
            await heartbeat(api, lease)
        later(20)
        assert await take_back_lost_leases(resources) == 0
    for _ in range(2):
        await heartbeat(api, lease)
        later(20)
        assert await take_back_lost_leases(resources) == 0
    assert (await get(api, lease["task"]["id"]))["status"] == "in_progress"

    later = Elapsing(engine, own_redis)
    async with asyncio.timeout(60):
        # First it remembers nothing, or is not asked yet.
        while await take_back_lost_leases(resources) == 0:
            later(16)
            await asyncio.sleep(0.02)


async def test_it_is_used_again_without_a_restart(
    api: httpx.AsyncClient, own_redis: ValkeyServer, fault: AbstractContextManager[None]
) -> None:
    await submit(api, title=TITLE)
    lease = await claim_one(api, lease_seconds=30)
    with fault:
        for _ in range(3):
            await heartbeat(api, lease)
            await titles(api, lease["task"]["id"])
    await until_cached(api, (await submit(api, title=TITLE))["id"])
    with connected(own_redis) as connection:
        connection.zrem("rowlock:leases", lease["lease_id"])
        await heartbeat(api, lease, "half")
        assert lease["lease_id"] in known_leases(connection)
    assert (await get(api, lease["task"]["id"]))["progress"] == "half"


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how long Redis is waited for, each time."""
    waits: list[float] = []

    def timed(owner: type, name: str) -> None:
        wait = getattr(owner, name)

        async def timed(*args: Any, **named: Any) -> Any:
            began = time.monotonic()
            try:
                return await wait(*args, **named)
            finally:
                waits.append(time.monotonic() - began)

        monkeypatch.setattr(owner, name, timed)

    timed(RedisLink, "run")
    timed(PendingInvalidation, "add")
    return waits


async def test_no_call_waits_for_a_redis_that_hangs_more_than_once(
    api: httpx.AsyncClient,
    own_redis: ValkeyServer,
    waited: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Though each comes at a time when it is to be tried again."""
    clock = MovingHands()
    go_by(clock, monkeypatch)
    often: list[int] = []

    async def find_out_anew(_: httpx.Request) -> None:
        clock.seconds += LONGEST_PAUSE_SECONDS
        waited.clear()

    async def count(_: httpx.Response) -> None:
        often.append(sum(seconds > 0.75 * TIMEOUT for seconds in waited))

    await titles(api)
    api.event_hooks = {"request": [find_out_anew], "response": [count]}
    with stopped(own_redis):
        await a_working_day(api)
    assert set(often) == {0, 1}


async def test_calls_that_find_a_redis_that_hangs_together_wait_together(
    own: Settings, own_redis: ValkeyServer
) -> None:
    generous = own.model_copy(update={"redis_timeout_seconds": 5.0})
    async with serving(generous) as api:
        ids = [(await submit(api, title=TITLE))["id"] for _ in range(20)]
        with stopped(own_redis):
            began = time.monotonic()
            await asyncio.gather(
                *(retitle(api, i, "meanwhile") for i in ids),
                *(get(api, i) for i in ids),
                *(submit(api, title=TITLE) for _ in ids),
                *(api.get(f"/tasks?limit={count + 1}") for count in range(20)),
            )
            assert time.monotonic() - began < 2 * 5.0
