"""The cache between processes, one step at a time: a fill that is too late, a process that
could not tell."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis

from app.cache import Cache
from app.redis import RedisLink
from app.settings import Settings
from app.untold import AGAIN_SECONDS
from tests.elapse import elapse_in_redis
from tests.steered_redis import SteeredLink

TTL = 3.0
OLD, NEW = b'{"v":"old"}', b'{"v":"new"}'


@pytest.fixture
async def link(settings: Settings) -> AsyncIterator[SteeredLink]:
    link = SteeredLink(settings)
    yield link
    await link.close()


@pytest.fixture
async def mine(link: SteeredLink) -> AsyncIterator[Cache]:
    """This process's cache, whose way to Redis can be cut."""
    cache = Cache(link, ttl_seconds=TTL)
    yield cache
    await cache.close()


@pytest.fixture
async def other(settings: Settings) -> AsyncIterator[Cache]:
    """Another process's cache in the same Redis, in use already."""
    link = RedisLink(settings)
    cache = Cache(link, ttl_seconds=TTL)
    await cache.tasks([1])
    yield cache
    await link.close()


async def keep(cache: Cache, document: bytes) -> None:
    """Read task 1 past the cache and store it."""
    found, slot = await cache.tasks([1])
    assert (found, slot is None) == ({}, False)
    assert slot is not None
    await cache.fill_tasks(slot, {1: document})


async def cached(cache: Cache) -> bytes | None:
    return (await cache.tasks([1]))[0].get(1)


async def test_what_one_process_stored_another_finds(mine: Cache, other: Cache) -> None:
    await keep(other, OLD)

    assert await cached(mine) == OLD


async def test_a_write_anywhere_is_the_end_of_what_is_cached(mine: Cache, other: Cache) -> None:
    await keep(other, OLD)
    await mine.wrote([1])

    assert (await cached(mine), await cached(other)) == (None, None)


async def test_a_reader_from_before_the_commit_cannot_store_after_it(
    mine: Cache, other: Cache
) -> None:
    _, slot = await other.tasks([1])  # … and reads the old row
    await mine.wrote([1])
    assert slot is not None
    await other.fill_tasks(slot, {1: OLD})

    assert (await cached(mine), await cached(other)) == (None, None)


async def test_a_reader_too_slow_for_the_tombstone_stores_nothing(
    mine: Cache, other: Cache, redis_connection: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, slot = await other.tasks([1])
    assert slot is not None
    await mine.wrote([1])
    elapse_in_redis(redis_connection, TTL)
    await other.fill_tasks(slot._replace(read_at=slot.read_at - TTL), {1: OLD})

    assert await cached(mine) is None


async def test_a_list_from_before_the_commit_is_not_shown_after_it(
    mine: Cache, other: Cache
) -> None:
    _, slot = await other.result_of("all")
    assert slot is not None
    await mine.wrote([1])
    await other.fill_result(slot, "all", OLD)
    assert (await mine.result_of("all"))[0] is None

    _, slot = await other.result_of("all")
    assert slot is not None
    await other.fill_result(slot, "all", NEW)
    assert (await mine.result_of("all"))[0] == NEW


async def test_an_emptied_redis_brings_nothing_old_back(
    mine: Cache, other: Cache, redis_connection: redis.Redis
) -> None:
    _, slot = await other.tasks([1])
    _, list_slot = await other.result_of("all")
    await mine.wrote([1])
    redis_connection.flushall()  # the tombstone and the version are gone
    await mine.tasks([1])
    assert slot is not None
    assert list_slot is not None
    await other.fill_tasks(slot, {1: OLD})
    await other.fill_result(list_slot, "all", OLD)

    assert await cached(mine) is None
    assert (await mine.result_of("all"))[0] is None


async def test_a_process_that_could_not_tell_does_not_read_what_it_could_not_void(
    mine: Cache, other: Cache, link: SteeredLink
) -> None:
    await keep(other, OLD)
    link.is_cut = True
    await mine.wrote([1])
    assert await mine.tasks([1]) == ({}, None)
    link.is_cut = False

    assert await cached(mine) is None
    assert await cached(other) is None, "the new epoch voids it for everybody"


async def test_the_next_write_that_comes_through_makes_good_for_those_that_did_not(
    mine: Cache, other: Cache, link: SteeredLink
) -> None:
    await keep(other, OLD)
    link.is_cut = True
    await mine.wrote([1])
    link.is_cut = False
    await mine.wrote([2])

    assert await cached(other) is None


async def test_once_made_good_the_cache_is_used_again(
    mine: Cache, other: Cache, link: SteeredLink
) -> None:
    link.is_cut = True
    await mine.wrote([1])
    link.is_cut = False
    await keep(mine, NEW)

    assert (await cached(mine), await cached(other)) == (NEW, NEW)


async def test_a_write_not_told_while_another_is_made_good_is_not_forgotten(
    mine: Cache, other: Cache, link: SteeredLink
) -> None:
    link.is_cut = True
    await mine.wrote([1])
    link.is_cut = False
    done, may_go_on = link.hold_the_next_answer()
    making_good = asyncio.create_task(mine.tasks([1]))
    await done.wait()  # Redis has the new epoch; its answer is still on the way
    await keep(other, OLD)
    link.is_cut = True
    await mine.wrote([1])
    link.is_cut = False
    may_go_on.set()
    await making_good

    assert await cached(mine) is None


async def test_once_all_that_was_cached_has_run_out_there_is_nothing_to_be_made_good(
    link: SteeredLink,
) -> None:
    mine = Cache(link, ttl_seconds=0.1)
    await mine.tasks([1])
    link.is_cut = True
    await mine.wrote([1])
    async with asyncio.timeout(60):
        insisted = 0
        while link.insisted > insisted:
            insisted = link.insisted
            await asyncio.sleep(3 * AGAIN_SECONDS)
    link.is_cut = False

    assert (await mine.tasks([1]))[1] is not None, "it is used again"
    await mine.close()


async def test_no_value_is_kept_longer_than_its_time(
    mine: Cache, redis_connection: redis.Redis
) -> None:
    await mine.tasks([1])
    await keep(mine, NEW)
    await mine.wrote([2])
    _, slot = await mine.result_of("all")
    assert slot is not None
    await mine.fill_result(slot, "all", NEW)

    left = {key: redis_connection.pttl(key) for key in redis_connection.scan_iter("*")}
    forever = {key for key, ms in left.items() if ms == -1}
    assert forever == {b"rowlock:epoch", b"rowlock:lists"}
    assert left.keys() - forever == {b"rowlock:task:1", b"rowlock:task:2", b"rowlock:list:all"}
    assert all(0 < left[key] <= TTL * 1000 for key in left.keys() - forever)
