"""Processes that have heard of the same workers, and the sweep that forgets them, tell MySQL at
the same time: they wait for each other in one order."""

import asyncio
from functools import partial

import pytest
from sqlalchemy import Engine

from app.queue import workers
from app.queue.sweeps import unused
from app.queue.workers import Poll
from app.runtime.steady_clock import steady_seconds
from app.service.resources import Resources
from app.service.workers import WorkerService
from tests.concurrency.ordering import deadlocks, held_open, until_blocked
from tests.support.elapse import elapse

NAMES = [f"worker {n}" for n in range(1000)]


def heard(
    resources: Resources, queue: str, names: list[str], *, seconds_ago: float = 0
) -> WorkerService:
    """A process that has heard of all of them, in its own order."""
    found = WorkerService(resources)
    at = steady_seconds() - seconds_ago
    for name in names:
        found._polls.hear(Poll(name, f'["{queue}"]', "test/1", "127.0.0.1", at))
    found.begin()
    return found


def known(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT worker, queues FROM workers").all()
    return dict(map(tuple, rows))


@pytest.mark.parametrize("are_known", [False, True], ids=["new", "known"])
async def test_two_processes_tell_of_the_same_workers(
    resources: Resources, other: Resources, engine: Engine, are_known: bool
) -> None:
    if are_known:
        await heard(resources, "before", NAMES, seconds_ago=99).end()
    before = deadlocks(engine)
    for _ in range(10):
        one = heard(resources, "one", NAMES, seconds_ago=9)
        two = heard(other, "two", NAMES[::-1])
        await asyncio.gather(one.end(), two.end())
    assert deadlocks(engine) == before
    assert known(engine) == dict.fromkeys(NAMES, '["two"]')


async def test_one_waits_for_the_other_and_then_tells_its_own(
    resources: Resources, other: Resources, engine: Engine
) -> None:
    now = steady_seconds()
    polls = [Poll(name, '["one"]', None, None, now - 9) for name in sorted(NAMES[:100])]
    later = [poll._replace(queues='["two"]', at=now) for poll in polls]
    before = deadlocks(engine)
    async with held_open(other.database, partial(workers.tell, polls=polls)):
        telling = asyncio.create_task(resources.database.read(partial(workers.tell, polls=later)))
        await until_blocked(engine)
    await telling
    assert deadlocks(engine) == before
    assert set(known(engine).values()) == {'["two"]'}


async def test_who_is_told_of_while_it_is_forgotten_stays_or_comes_back(
    resources: Resources, other: Resources, engine: Engine
) -> None:
    before = deadlocks(engine)
    forget = partial(unused.forget_workers, limit=len(NAMES))
    for _ in range(5):
        await heard(resources, "old", NAMES).end()
        elapse(engine, 86_401)
        telling = heard(other, "new", NAMES[::2])
        await asyncio.gather(resources.database.transact(forget), telling.end())
        found = known(engine)
        assert found == dict.fromkeys(NAMES[::2], '["new"]')
    assert deadlocks(engine) == before
