"""The figures stay right while others write, fold and recount."""

import asyncio
from collections.abc import Mapping
from functools import partial

import httpx
import pytest
from sqlalchemy import Engine, text

from app.domain.errors import RecountUnderWayError
from app.mysql.connection import Connection
from app.queue.figures import counters
from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.concurrency import steps
from tests.concurrency.ordering import deadlocks, held_open
from tests.support.calls import submit


async def waiting(api: httpx.AsyncClient) -> tuple[int, int]:
    """What is told of waiting and running tasks."""
    (queue,) = (await api.get("/stats")).json()["queues"]
    return queue["waiting"], queue["in_progress"]


async def test_what_is_not_committed_is_not_counted_by_a_reader_a_fold_or_a_recount(
    api: httpx.AsyncClient, other: Resources, resources: Resources, settings: Settings
) -> None:
    for _ in range(5):
        await submit(api)

    async with held_open(other.database, steps.claim(2)):
        assert await waiting(api) == (5, 0)
        await sweeping.fold_counters(resources)
        assert await sweeping.recount(settings) == {}
        assert await waiting(api) == (5, 0)

    assert await waiting(api) == (3, 2)
    assert await sweeping.recount(settings) == {}


async def test_two_folds_fold_each_delta_once(
    api: httpx.AsyncClient, other: Resources, resources: Resources
) -> None:
    for _ in range(5):
        await submit(api)

    async with held_open(other.database, partial(counters.fold_once, limit=3)) as folded:
        # It waits for the counter that the first has changed, and then goes on from there.
        second = asyncio.create_task(sweeping.fold_counters(resources))
        assert await waiting(api) == (5, 0)
    await second

    assert folded == 3
    assert await waiting(api) == (5, 0)
    await sweeping.fold_counters(resources)
    assert await waiting(api) == (5, 0)


def left(engine: Engine) -> int:
    """How many deltas are committed and not folded."""
    with engine.connect() as connection:
        found = connection.execute(text("SELECT COUNT(*) FROM counter_deltas"))
        return int(found.scalar_one())


async def test_a_fold_does_not_wait_for_a_transaction_that_is_open(
    api: httpx.AsyncClient, other: Resources, resources: Resources, engine: Engine
) -> None:
    for _ in range(5):
        await submit(api)

    async def add(connection: Connection) -> None:
        await counters.add(connection, {"queue/others/to_do/中": 1})

    async with held_open(other.database, add):
        assert await resources.database.transact(partial(counters.fold_once, limit=100)) == 5
        assert left(engine) == 0
    assert left(engine) == 1


async def test_two_folds_of_different_queues_do_not_wait_for_each_other(
    api: httpx.AsyncClient, other: Resources, resources: Resources, engine: Engine
) -> None:
    for queue in ("a", "b"):
        for _ in range(3):
            await submit(api, queue=queue)
    before = deadlocks(engine)

    async with held_open(other.database, partial(counters.fold_once, limit=3)) as folded:
        assert await resources.database.transact(partial(counters.fold_once, limit=3)) == 3
    assert (folded, left(engine), deadlocks(engine)) == (3, 0, before)


async def test_many_folds_at_once_fold_each_delta_once_and_never_deadlock(
    api: httpx.AsyncClient,
    other: Resources,
    resources: Resources,
    engine: Engine,
    settings: Settings,
) -> None:
    for n in range(40):
        await submit(api, queue=f"q{n % 4}", tags=[f"tag {n % 5}", "all"])
    before = deadlocks(engine)

    folded = await asyncio.gather(
        *(
            process.database.transact(partial(counters.fold_once, limit=5))
            for _ in range(8)
            for process in (other, resources)
        )
    )
    while left(engine):
        await sweeping.fold_counters(resources)

    assert sum(folded) <= 40
    assert deadlocks(engine) == before
    assert await sweeping.recount(settings) == {}


async def test_two_recounts_at_once_count_once(
    api: httpx.AsyncClient,
    resources: Resources,
    engine: Engine,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await submit(api, tags=["a"])
    await sweeping.fold_counters(resources)
    with engine.begin() as connection:
        connection.execute(text("UPDATE counters SET value = value + 5 WHERE name = 'tag/a'"))
    has_counted, may_go_on = asyncio.Event(), asyncio.Event()

    add = counters.add

    async def halt(connection: Connection, deltas: Mapping[str, int]) -> None:
        has_counted.set()
        await may_go_on.wait()
        await add(connection, deltas)

    monkeypatch.setattr(counters, "add", halt)
    first = asyncio.create_task(resources.database.read(counters.recount))
    await has_counted.wait()
    with pytest.raises(RecountUnderWayError):
        await sweeping.recount(settings)
    may_go_on.set()

    assert await first == {"tag/a": -5}
    assert await sweeping.recount(settings) == {}
    assert (await api.get("/tags")).json() == [{"name": "a", "tasks": 1}]
