"""Whatever a handler does, its attempt is told and its slot is free."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from rowlock import AsyncClient, RunningAttempt, Task
from tests.support.odd_errors import ODD
from tests.support.sdk import (
    CLAIM,
    FINISH,
    HEARTBEAT,
    Held,
    HeldWork,
    Through,
    a_worker,
    working,
)

pytest_plugins = ["tests.support.sdk_clients"]

KINDS = ("coroutine", "plain")


async def told(
    sdk: AsyncClient, through: Through, kind: str, does: Callable[[RunningAttempt], object]
) -> Task:
    """What the server hears of an attempt whose handler does this, long before its deadline; and
    that its one slot is used for the next task."""
    worker = a_worker(through)

    @worker.handler("coroutine")
    async def coroutine(task: Task, attempt: RunningAttempt) -> object:
        return does(attempt)

    worker.handler("plain")(lambda task, attempt: does(attempt))
    worker.handler("next")(lambda task, attempt: "fine")
    task = await sdk.submit(kind, retry_limit=0, timeout_seconds=3600)
    other = await sdk.submit("next")
    async with asyncio.timeout(60):
        await worker.run_async(drain=True)
    assert (await sdk.get(other.id)).result == "fine"
    return await sdk.get(task.id)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ODD)
async def test_whatever_it_raises(sdk: AsyncClient, through: Through, kind: str, name: str) -> None:
    error = ODD[name]()

    def does(_attempt: RunningAttempt) -> None:
        raise error

    ended = await told(sdk, through, kind, does)
    assert ended.status == "failed"
    assert ended.error


class Raises:
    def __iter__(self) -> Any:
        raise LookupError("mine")

    __repr__ = __str__ = __len__ = __iter__


def endless() -> Any:
    circle: list[Any] = []
    circle.append(circle)
    return circle


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("result", [Raises, endless, lambda: {Raises(): 1}, lambda: "\udcff"])
async def test_whatever_it_returns(
    sdk: AsyncClient, through: Through, kind: str, result: Callable[[], Any]
) -> None:
    ended = await told(sdk, through, kind, lambda attempt: result())
    assert ended.status == "failed"
    assert ended.error is not None
    assert "The result cannot be stored" in ended.error


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [Raises, endless, lambda: "\udcff"])
async def test_whatever_it_says_of_its_progress(
    sdk: AsyncClient, through: Through, kind: str, value: Callable[[], Any]
) -> None:
    ended = await told(sdk, through, kind, lambda attempt: attempt.progress(value()))
    assert ended.status == "failed"
    assert ended.error is not None
    assert "Error" in ended.error


@pytest.mark.parametrize("kind", KINDS)
async def test_what_an_attempt_is_it_cannot_change(
    sdk: AsyncClient, through: Through, kind: str
) -> None:
    def does(attempt: RunningAttempt) -> None:
        for name, value in {"lost": "released", "lease_id": "1.0", "progress_json": b"{"}.items():
            with pytest.raises(AttributeError):
                setattr(attempt, name, value)

    assert (await told(sdk, through, kind, does)).status == "done"


class Unwritable(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        raise LookupError(record.getMessage())


@pytest.mark.parametrize("kind", KINDS)
async def test_a_log_that_cannot_be_written(sdk: AsyncClient, through: Through, kind: str) -> None:
    logger, unwritable = logging.getLogger("rowlock.worker"), Unwritable()

    def does(_attempt: RunningAttempt) -> None:
        logger.addFilter(unwritable)
        raise KeyError("colour")

    try:
        ended = await told(sdk, through, kind, does)
    finally:
        logger.removeFilter(unwritable)
    assert (ended.error or "").endswith("KeyError: 'colour'")


async def test_no_thread_can_be_had(
    sdk: AsyncClient, through: Through, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        monkeypatch.undo()
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    ended = await told(sdk, through, "plain", lambda attempt: None)
    assert (ended.error or "").endswith("can't start new thread")


def test_a_handler_that_yields_is_refused_where_it_is_made(through: Through) -> None:
    worker = a_worker(through)

    def plain(task: Task, attempt: RunningAttempt) -> Any:
        yield 1

    async def coroutine(task: Task, attempt: RunningAttempt) -> Any:
        yield 1

    for handler in (plain, coroutine):
        with pytest.raises(ValueError, match="must return its result"):
            worker.handler("a")(handler)


async def test_what_a_result_does_as_it_is_encoded_it_does_in_its_thread(
    sdk: AsyncClient, through: Through
) -> None:
    encoded_by = []

    def parts() -> Any:
        encoded_by.append(threading.current_thread())
        yield 1

    ended = await told(sdk, through, "plain", lambda attempt: parts())
    assert ended.result == [1]
    assert encoded_by != [threading.current_thread()]


async def test_an_exception_that_is_thrown_into_an_idle_thread_costs_nothing(
    sdk: AsyncClient, through: Through
) -> None:
    """As libraries for time-outs do it, a moment too late."""
    import ctypes

    thrown, threads = asyncio.Event(), []
    worker = a_worker(through)

    @worker.handler("plain")
    def plain(task: Task, attempt: RunningAttempt) -> None:
        threads.append(threading.current_thread())

    @worker.handler("throw")
    async def throw(task: Task, attempt: RunningAttempt) -> None:
        ident = ctypes.c_ulong(threads[0].ident or 0)
        assert ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(TimeoutError))
        thrown.set()

    ids = [(await sdk.submit(title)).id for title in ("plain", "throw", "plain", "plain")]
    async with asyncio.timeout(60):
        await worker.run_async(drain=True)
    assert thrown.is_set()
    assert {(await sdk.get(task_id)).status for task_id in ids} == {"done"}


@pytest.mark.parametrize("call", [FINISH, CLAIM, HEARTBEAT])
async def test_who_cancels_the_workers_own_tasks_loses_nothing(
    sdk: AsyncClient, through: Through, call: str
) -> None:
    """What it was telling it tells again; what it asked for it asks for again; it still beats."""
    worker, work, held = a_worker(through, concurrency=2, lease_seconds=5), HeldWork(), Held()
    worker.handler("work")(work)
    worker.handler("quick")(lambda task, attempt: "fine")
    first = await sdk.submit("work")
    async with working(worker):
        await work.have_begun(1)
        through.spoil(call, held)
        task = await sdk.submit("quick")
        async with asyncio.timeout(20):
            await held.is_there.wait()
        for other in asyncio.all_tasks():
            name = getattr(other.get_coro(), "__qualname__", "")
            if name.startswith(("ClaimLoop.", "Heartbeater.")):
                other.cancel()
        held.let_go.set()
        beats = through.count(HEARTBEAT)
        await through.answered(HEARTBEAT, times=beats + 1)
        if call != CLAIM:
            assert (await sdk.wait(task.id, 20)).result == "fine"
        third = await sdk.submit("quick")
        assert (await sdk.wait(third.id, 20)).result == "fine"
        work.let_go(1)
        assert (await sdk.wait(first.id, 20)).status == "done"


async def test_whoever_cancels_all_tasks_ends_the_worker_in_order(
    sdk: AsyncClient, through: Through
) -> None:
    work, worker = HeldWork(), a_worker(through, concurrency=3)
    worker.handler("work")(work)

    @worker.handler("cancels")
    async def cancels(task: Task, attempt: RunningAttempt) -> None:
        for other in asyncio.all_tasks() - bystanders:
            other.cancel()

    ids = [(await sdk.submit("work")).id for _ in range(2)]
    bystanders = asyncio.all_tasks()
    running = asyncio.create_task(worker.run_async())
    await work.have_begun(2)
    ids.append((await sdk.submit("cancels")).id)
    async with asyncio.timeout(60):
        await asyncio.wait([running])
    assert running.cancelled()
    for task_id in ids:
        assert (await sdk.get(task_id)).status != "in_progress"
