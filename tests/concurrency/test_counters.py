"""The figures stay right while others write, fold and recount."""

import asyncio
from functools import partial

import httpx

from app.queue import counters
from app.service import sweeping
from app.service.platform import Platform
from app.settings import Settings
from tests.calls import submit
from tests.concurrency import steps
from tests.concurrency.ordering import held_open


async def waiting(api: httpx.AsyncClient) -> tuple[int, int]:
    """What is told of waiting and running tasks."""
    (queue,) = (await api.get("/stats")).json()["queues"]
    return queue["waiting"], queue["in_progress"]


async def test_what_is_not_committed_is_not_counted_by_a_reader_a_fold_or_a_recount(
    api: httpx.AsyncClient, other: Platform, platform: Platform, settings: Settings
) -> None:
    for _ in range(5):
        await submit(api)

    async with held_open(other.database, steps.claim(2)):
        assert await waiting(api) == (5, 0)
        await sweeping.fold_counters(platform)
        assert await sweeping.recount(settings) == {}
        assert await waiting(api) == (5, 0)

    assert await waiting(api) == (3, 2)
    assert await sweeping.recount(settings) == {}


async def test_two_folds_fold_each_delta_once(
    api: httpx.AsyncClient, other: Platform, platform: Platform
) -> None:
    for _ in range(5):
        await submit(api)

    async with held_open(other.database, partial(counters.fold_once, limit=3)) as folded:
        # It waits for the counter that the first has changed, and then goes on from there.
        second = asyncio.create_task(sweeping.fold_counters(platform))
        assert await waiting(api) == (5, 0)
    await second

    assert folded == 3
    assert await waiting(api) == (5, 0)
    await sweeping.fold_counters(platform)
    assert await waiting(api) == (5, 0)
