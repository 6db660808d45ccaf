"""The cache between processes, one step at a time: a fill that is too late, a process that
could not tell."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis

from app.redis.cache import Cache, Slot
from app.redis.invalidation import AGAIN_SECONDS
from app.settings import Settings
from tests.support.elapse import elapse_in_redis
from tests.support.steered_redis import SteeredLink, link_to

TTL = 3.0
OLD, NEW = b'{"v":"old"}', b'{"v":"new"}'


@pytest.fixture
async def link(settings: Settings) -> AsyncIterator[SteeredLink]:
    link = SteeredLink(settings)
    yield link
    await link.close()


@pytest.fixture
async def mine(link: SteeredLink) -> AsyncIterator[Cache]:
    """This process's cache, in use already, whose way to Redis can be cut."""
    cache = Cache(link, ttl_seconds=TTL)
    await cache.tasks([1])
    yield cache
    await cache.close()


@pytest.fixture
async def other(settings: Settings) -> AsyncIterator[Cache]:
    """Another process's cache in the same Redis, in use already."""
    link = link_to(settings)
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


async def test_a_fill_that_arrives_when_the_tombstone_is_gone_stores_nothing(
    link: SteeredLink, redis_connection: redis.Redis
) -> None:
    """It was on its way for longer than that lasts."""
    mine = Cache(link, ttl_seconds=0.2)
    _, slot = await mine.tasks([1])
    assert slot is not None
    may_go_on = link.hold_the_next_call()
    filling = asyncio.create_task(mine.fill_tasks(slot, {1: OLD}))
    await asyncio.sleep(0)
    await mine.wrote([1])
    while redis_connection.exists("rowlock:task:1"):
        pass
    may_go_on.set()
    await filling

    assert await cached(mine) is None


async def test_a_fill_that_comes_when_the_tombstone_may_be_gone_stores_nothing(
    mine: Cache, other: Cache, redis_connection: redis.Redis
) -> None:
    """However it was held up: in the reader, or in the network."""
    _, slot = await other.tasks([1])
    _, list_slot = await other.result_of("all")
    assert slot is not None
    assert list_slot is not None
    for seconds in (0.5 * TTL + 0.1, TTL, 1.2 * TTL):
        await mine.wrote([1])
        elapse_in_redis(redis_connection, TTL)  # the tombstone is gone
        await other.fill_tasks(_earlier(slot, seconds), {1: OLD})
        await other.fill_result(_earlier(list_slot, seconds), "all", OLD)

        assert await cached(mine) is None
        assert (await mine.result_of("all"))[0] is None


@pytest.mark.parametrize("seconds", [-2, 2])
async def test_a_fill_from_before_redis_clock_was_set_stores_nothing(
    mine: Cache, link: SteeredLink, seconds: int
) -> None:
    """By another clock nobody knows whether the tombstone has been there all the time."""
    _, slot = await mine.tasks([1])
    assert slot is not None
    link.clock_set_by_seconds = seconds
    await mine.fill_tasks(slot, {1: OLD})

    assert await cached(mine) is None


async def test_what_is_stored_is_gone_a_lifetime_after_the_read_began(
    other: Cache, redis_connection: redis.Redis
) -> None:
    _, slot = await other.tasks([1])
    _, list_slot = await other.result_of("all")
    assert slot is not None
    assert list_slot is not None
    await other.fill_tasks(_earlier(slot, 1), {1: NEW})
    await other.fill_result(_earlier(list_slot, 1), "all", NEW)

    assert await cached(other) == NEW
    for key in ("rowlock:task:1", "rowlock:list:all"):
        assert 0 < redis_connection.pttl(key) <= (TTL - 1) * 1000


def _earlier(slot: Slot, seconds: float) -> Slot:
    """As if the read had begun so much earlier."""
    return slot._replace(read_at_ms=slot.read_at_ms - round(seconds * 1000))


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


async def test_a_process_that_begins_voids_what_was_there_before(
    other: Cache, settings: Settings
) -> None:
    """It cannot know what others could not tell while it was not there."""
    await keep(other, OLD)
    link = link_to(settings)
    begins = Cache(link, ttl_seconds=TTL)

    assert await cached(begins) is None
    assert await cached(other) is None
    await keep(other, NEW)
    assert (await cached(begins), await cached(other)) == (NEW, NEW)
    await link.close()


async def test_a_process_that_lost_redis_voids_what_was_there_before(
    mine: Cache, other: Cache, redis_connection: redis.Redis
) -> None:
    await keep(other, OLD)
    redis_connection.client_kill_filter(_type="normal", skipme=True)

    assert (await cached(mine), await cached(other)) == (None, None)


async def test_a_process_that_could_not_tell_voids_before_it_reads(
    mine: Cache, other: Cache, link: SteeredLink
) -> None:
    await keep(other, OLD)
    link.is_cut = True
    await mine.wrote([1])
    assert await mine.tasks([1]) == ({}, None)
    link.is_cut = False

    assert await cached(mine) is None
    assert await cached(other) is None, "it is void for everybody"


async def test_a_process_that_could_not_tell_voids_before_it_writes_again(
    mine: Cache, other: Cache, link: SteeredLink
) -> None:
    await keep(other, OLD)
    link.is_cut = True
    await mine.wrote([1])
    link.is_cut = False
    await mine.wrote([2])

    assert await cached(other) is None


async def test_a_process_that_could_not_tell_does_so_by_itself_as_soon_as_it_can(
    mine: Cache, other: Cache, link: SteeredLink
) -> None:
    await keep(other, OLD)
    link.is_cut = True
    await mine.wrote([1])
    assert await cached(other) == OLD
    link.is_cut = False
    await asyncio.wait_for(link.has_insisted.wait(), 30)

    assert await cached(other) is None


async def test_once_void_the_cache_is_used_again(
    mine: Cache, other: Cache, link: SteeredLink
) -> None:
    link.is_cut = True
    await mine.wrote([1])
    link.is_cut = False
    await keep(mine, NEW)

    assert (await cached(mine), await cached(other)) == (NEW, NEW)


async def test_a_write_not_told_while_all_is_made_void_is_not_forgotten(
    mine: Cache, other: Cache, link: SteeredLink
) -> None:
    link.is_cut = True
    await mine.wrote([1])
    link.is_cut = False
    done, may_go_on = link.hold_the_next_answer()
    voiding = asyncio.create_task(mine.tasks([1]))
    await done.wait()  # all is void; the answer is still on the way
    await keep(other, OLD)
    link.is_cut = True
    await mine.wrote([1])
    link.is_cut = False
    may_go_on.set()
    await voiding

    assert await cached(mine) is None


async def test_once_all_that_was_cached_has_run_out_nobody_tries_to_void_it(
    link: SteeredLink,
) -> None:
    mine = Cache(link, ttl_seconds=0.1)
    link.is_cut = True
    await mine.wrote([1])
    async with asyncio.timeout(60):
        insisted = 0
        while link.insisted > insisted:
            insisted = link.insisted
            await asyncio.sleep(5 * AGAIN_SECONDS)
    link.is_cut = False

    assert (await mine.tasks([1]))[1] is not None, "it is used again"
    await mine.close()


async def test_no_value_is_kept_longer_than_its_time(
    mine: Cache, redis_connection: redis.Redis
) -> None:
    await keep(mine, NEW)
    await mine.wrote([2])
    _, slot = await mine.result_of("all")
    assert slot is not None
    await mine.fill_result(slot, "all", NEW)

    left = {key: redis_connection.pttl(key) for key in redis_connection.scan_iter("*")}
    forever = {key for key, ms in left.items() if ms == -1}
    assert forever == {b"rowlock:cache"}
    assert left.keys() - forever == {b"rowlock:task:1", b"rowlock:task:2", b"rowlock:list:all"}
    assert all(0 < left[key] <= TTL * 1000 for key in left.keys() - forever)
