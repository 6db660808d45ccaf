"""What is open while a worker runs, and what is around each of its attempts."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Any

import pytest

from rowlock import (
    AsyncClient,
    LifespanError,
    Permanent,
    Retry,
    RunningAttempt,
    Task,
)
from tests.support.sdk import CLAIM, Through, a_worker, refused, working

pytest_plugins = ["tests.support.sdk_clients"]

SEEN: ContextVar[str] = ContextVar("SEEN", default="nothing")


class Pool:
    def __init__(self) -> None:
        self.is_open = True


class Cache(Pool): ...


async def test_lifespans_are_open_while_handlers_run_and_hand_on_what_they_yield(
    sdk: AsyncClient, through: Through
) -> None:
    worker = a_worker(through, concurrency=2)
    told: list[str] = []
    pools: list[Pool] = []

    @worker.lifespan
    async def pool() -> AsyncIterator[Pool]:
        told.append("pool opens")
        pools.append(Pool())
        yield pools[-1]
        pools[-1].is_open = False
        told.append("pool closes")

    @worker.lifespan
    async def log() -> AsyncGenerator[None, None]:
        told.append("log opens")
        yield
        told.append("log closes")

    @worker.lifespan
    @asynccontextmanager
    async def cache() -> AsyncIterator[Cache]:
        yield Cache()

    @worker.handler("coroutine")
    async def coroutine(task: Task, attempt: RunningAttempt, mine: Pool, *, its: Cache) -> object:
        return [mine is pools[-1], mine.is_open, type(its).__name__]

    @worker.handler("plain")
    def plain(numbers: list[int], mine: "Pool") -> object:
        return [mine is pools[-1], mine.is_open, sum(numbers)]

    # Each run has its own.
    for _ in range(2):
        tasks = [await sdk.submit("coroutine"), await sdk.submit("plain", payload=[1, 2])]
        await worker.run_async(drain=True)
        results = [(await sdk.get(task.id)).result for task in tasks]
        assert results == [[True, True, "Cache"], [True, True, 3]]
        assert told == ["pool opens", "log opens", "log closes", "pool closes"]
        told.clear()
    assert [pool.is_open for pool in pools] == [False, False]


@pytest.mark.parametrize("kind", ["coroutine", "plain"])
async def test_arounds_surround_every_attempt_in_order(
    sdk: AsyncClient, through: Through, kind: str
) -> None:
    worker = a_worker(through)
    told: list[object] = []

    class Outer(AbstractAsyncContextManager[None]):
        def __init__(self, task: Task, attempt: RunningAttempt) -> None:
            self.name = f"{task.title} {attempt.number}"

        async def __aenter__(self) -> None:
            SEEN.set(self.name)
            told.append(f"{self.name} begins")

        async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
            told.append(f"{self.name} ends: {error!r}")

    worker.around(Outer)

    @worker.around
    async def inner(task: Task, attempt: RunningAttempt) -> AsyncIterator[None]:
        told.append(f"inner after {SEEN.get()}")
        try:
            yield
        finally:
            told.append("inner ends")

    def handle(attempt: RunningAttempt) -> str:
        told.append(f"handler in {SEEN.get()}")
        if attempt.number == 1:
            raise KeyError("colour")
        return SEEN.get()

    @worker.handler("coroutine")
    async def coroutine(task: Task, attempt: RunningAttempt) -> str:
        return handle(attempt)

    @worker.handler("plain")
    def plain(task: Task, attempt: RunningAttempt) -> str:
        return handle(attempt)

    task = await sdk.submit(kind, retry_delay_seconds=0)
    await worker.run_async(drain=True)
    assert (await sdk.get(task.id)).result == f"{kind} 2"
    for number, error in ((1, KeyError("colour")), (2, None)):
        name = f"{kind} {number}"
        assert told[:5] == [
            f"{name} begins",
            f"inner after {name}",
            f"handler in {name}",
            "inner ends",
            f"{name} ends: {error!r}",
        ]
        del told[:5]


async def test_what_an_around_raises_is_told_as_if_the_handler_had(
    sdk: AsyncClient, through: Through
) -> None:
    worker = a_worker(through)

    @worker.around
    async def raising(task: Task, attempt: RunningAttempt) -> AsyncIterator[None]:
        if task.title == "before":
            raise Permanent("not today")
        try:
            yield
        except KeyError as error:
            raise Retry("the colour is missing", after_seconds=1800) from error
        if task.title == "after":
            raise OSError("the disk is full")

    @worker.handler
    async def handler(task: Task, attempt: RunningAttempt) -> str:
        if task.title == "within":
            raise KeyError("colour")
        return "done"

    titles = ("before", "within", "after", "fine")
    tasks = [await sdk.submit(title, retry_delay_seconds=3600) for title in titles]
    await worker.run_async(drain=True)
    before, within, after, fine = [await sdk.get(task.id) for task in tasks]
    assert (before.status, before.error) == ("failed", "not today")
    assert (within.status, within.error) == ("retrying", "the colour is missing")
    assert after.status == "retrying"
    assert (after.error or "").endswith("OSError: the disk is full")
    assert (fine.status, fine.result) == ("done", "done")


async def test_an_around_cannot_make_a_failure_a_success(
    sdk: AsyncClient, through: Through
) -> None:
    worker = a_worker(through)

    @worker.around
    async def silent(task: Task, attempt: RunningAttempt) -> AsyncIterator[None]:
        with suppress(Exception):
            yield

    @worker.handler
    def handler(task: Task, attempt: RunningAttempt) -> None:
        raise KeyError("colour")

    task = await sdk.submit("a task", retry_limit=0)
    await worker.run_async(drain=True)
    failed = await sdk.get(task.id)
    assert failed.status == "failed"
    assert (failed.error or "").endswith("KeyError: 'colour'")


async def test_a_lifespan_that_fails_ends_the_worker_before_it_claims(
    sdk: AsyncClient, through: Through
) -> None:
    worker = a_worker(through)
    told: list[str] = []

    @worker.lifespan
    async def first() -> AsyncIterator[None]:
        yield
        told.append("first closes")

    @worker.lifespan
    async def database() -> AsyncIterator[None]:
        raise ConnectionRefusedError("no database at 127.0.0.1:3306")
        yield

    worker.handler(lambda task, attempt: None)
    task = await sdk.submit("a task")
    with pytest.raises(LifespanError) as error:
        await worker.run_async(drain=True)
    assert str(error.value) == (
        "The lifespan database failed to begin: "
        "ConnectionRefusedError: no database at 127.0.0.1:3306"
    )
    assert isinstance(error.value.__cause__, ConnectionRefusedError)
    assert told == ["first closes"]
    assert through.count(CLAIM) == 0
    assert (await sdk.get(task.id)).attempt == 0


async def test_a_lifespan_that_fails_at_the_end_is_told_and_the_others_closed(
    sdk: AsyncClient, through: Through
) -> None:
    worker = a_worker(through)
    told: list[str] = []

    @worker.lifespan
    async def first() -> AsyncIterator[None]:
        yield
        told.append("first closes")

    @worker.lifespan
    async def flush() -> AsyncIterator[None]:
        yield
        raise OSError("the disk is full")

    worker.handler(lambda task, attempt: "done")
    task = await sdk.submit("a task")
    with pytest.raises(LifespanError, match="flush failed to end: OSError: the disk is full"):
        await worker.run_async(drain=True)
    assert told == ["first closes"]
    assert (await sdk.get(task.id)).result == "done"


async def test_lifespans_close_whatever_ends_the_worker(sdk: AsyncClient, through: Through) -> None:
    worker = a_worker(through)
    told: list[str] = []

    @worker.lifespan
    async def silent() -> AsyncIterator[None]:
        try:
            yield
        except BaseException:  # takes what it sees for itself
            told.append("sees it")
        told.append("closes")

    worker.handler(lambda task, attempt: None)
    through.spoil(CLAIM, refused(404))
    with pytest.raises(Exception, match="said the proxy"):
        await worker.run_async()
    running = asyncio.create_task(worker.run_async())
    await through.answered(CLAIM, times=2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert told == ["closes", "closes"]


@pytest.mark.parametrize("phase", ["begin", "end"])
async def test_a_worker_whose_lifespan_hangs_can_be_stopped(through: Through, phase: str) -> None:
    worker = a_worker(through)
    hangs = asyncio.Event()
    told: list[str] = []

    @worker.lifespan
    async def first() -> AsyncIterator[None]:
        yield
        told.append("first closes")

    @worker.lifespan
    async def hanging() -> AsyncIterator[None]:
        for each in ("begin", "end"):
            if each == phase:
                hangs.set()
                await asyncio.Event().wait()
            if each == "begin":
                yield

    worker.handler(lambda task, attempt: None)
    async with working(worker), asyncio.timeout(20):
        if phase == "end":
            await through.answered(CLAIM)
            worker.stop()
        await hangs.wait()
        worker.stop()
    assert told == ["first closes"]
