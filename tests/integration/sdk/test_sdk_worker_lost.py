"""Attempts that are taken away from a worker: cancelled, deleted, past their deadline."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from sqlalchemy import Engine

from app.service.resources import Resources
from app.service.sweeping import time_out
from rowlock import AsyncClient, RunningAttempt, Task
from rowlock.http.answer import Answer
from rowlock.worker import execution
from tests.support.elapse import elapse
from tests.support.sdk import HEARTBEAT, Answering, Through, a_worker, working

pytest_plugins = ["tests.support.sdk_clients"]


class Watched:
    """A handler that waits for a long time, as a coroutine and in a thread, and what it saw."""

    def __init__(self) -> None:
        self.has_begun = asyncio.Event()
        self.is_over = asyncio.Event()
        self.lost: str | None = None
        self.let_go = threading.Event()

    async def coroutine(self, task: Task, attempt: RunningAttempt) -> None:
        self.has_begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.lost = attempt.lost
            self.is_over.set()

    def plain(self, task: Task, attempt: RunningAttempt) -> str:
        self.let_go.wait(20)
        return "too late"


async def lost_by(
    sdk: AsyncClient, through: Through, take_away: Callable[[Task], Awaitable[object]]
) -> str | None:
    """What the handler of an attempt sees that is taken away thus, within two heartbeats; and
    that its slot is used for the next task."""
    watched = Watched()
    worker = a_worker(through, lease_seconds=5)
    worker.handler("long")(watched.coroutine)
    worker.handler("next")(lambda task, attempt: "fine")
    task, other = await sdk.submit("long"), await sdk.submit("next")
    async with working(worker):
        await watched.has_begun.wait()
        before = through.count(HEARTBEAT)
        await take_away(task)
        async with asyncio.timeout(20):
            await watched.is_over.wait()
        assert through.count(HEARTBEAT) - before <= 2
        assert (await sdk.wait(other.id, 20)).result == "fine"
    return watched.lost


async def test_a_handler_whose_task_is_cancelled_is_cancelled(
    sdk: AsyncClient, through: Through
) -> None:
    assert await lost_by(sdk, through, lambda task: sdk.admin.cancel(task.id)) == "cancelled"


async def test_a_handler_whose_task_is_deleted_is_cancelled(
    sdk: AsyncClient, through: Through
) -> None:
    assert await lost_by(sdk, through, lambda task: sdk.delete(task.id)) == "deleted"


async def test_a_handler_whose_task_timed_out_on_the_servers_clock_is_cancelled(
    sdk: AsyncClient, through: Through, resources: Resources, engine: Engine
) -> None:
    async def time_passes(_task: Task) -> None:
        elapse(engine, 3600)
        assert await time_out(resources) == 1

    assert await lost_by(sdk, through, time_passes) == "timed_out"


async def test_a_thread_learns_by_itself_that_its_lease_is_gone(
    sdk: AsyncClient, through: Through
) -> None:
    worker = a_worker(through, lease_seconds=5)
    has_begun, saw = threading.Event(), asyncio.Queue[str]()
    loop = asyncio.get_running_loop()

    @worker.handler
    def plain(task: Task, attempt: RunningAttempt) -> None:
        has_begun.set()
        while attempt.lost is None:
            attempt.progress("still here")
        loop.call_soon_threadsafe(saw.put_nowait, attempt.lost)

    task = await sdk.submit("a task")
    async with working(worker):
        await through.answered(HEARTBEAT)
        await sdk.admin.cancel(task.id)
        async with asyncio.timeout(20):
            assert await saw.get() == "cancelled"


async def test_at_its_deadline_an_attempt_is_cut_and_its_slot_used_for_the_next(
    sdk: AsyncClient, through: Through, resources: Resources, engine: Engine
) -> None:
    watched = Watched()
    worker = a_worker(through, concurrency=2)
    worker.handler("coroutine")(watched.coroutine)
    worker.handler("plain")(watched.plain)
    worker.handler("next")(lambda task, attempt: "fine")
    long = [
        await sdk.submit(title, timeout_seconds=1, retry_limit=0)
        for title in ("coroutine", "plain")
    ]
    others = [await sdk.submit("next"), await sdk.submit("next")]
    async with working(worker):
        for other in others:
            assert (await sdk.wait(other.id, 20)).result == "fine"
        assert watched.lost == "timed_out"
        # The thread still runs; now it returns, and nobody hears it.
        watched.let_go.set()
        elapse(engine, 1)
        await time_out(resources)
        for task in long:
            ended = await sdk.wait(task.id, 20)
            assert (ended.status, ended.result) == ("failed", None)
            assert [a.outcome for a in await sdk.attempts(task.id)] == ["timed_out"]
    assert not any(b"too late" in body for body in through.bodies)


async def test_a_handler_that_ignores_everything_does_not_stop_the_worker(
    sdk: AsyncClient, through: Through, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "ABANDON_SECONDS", 0.1)
    worker = a_worker(through)
    let_go, returned = asyncio.Event(), asyncio.Event()

    @worker.handler("stubborn")
    async def stubborn(task: Task, attempt: RunningAttempt) -> str:
        while not let_go.is_set():
            with suppress(asyncio.CancelledError):
                await let_go.wait()
        returned.set()
        return "too late"

    worker.handler("next")(lambda task, attempt: "fine")
    task = await sdk.submit("stubborn", timeout_seconds=1)
    other = await sdk.submit("next")
    async with working(worker):
        assert (await sdk.wait(other.id, 20)).result == "fine"
        let_go.set()
        await returned.wait()
    assert (await sdk.get(task.id)).result is None


async def test_the_task_of_a_thread_that_does_not_return_in_time_is_given_back(
    sdk: AsyncClient, through: Through
) -> None:
    worker = a_worker(through, grace_seconds=0)
    watched = Watched()
    has_begun = threading.Event()

    @worker.handler
    def plain(task: Task, attempt: RunningAttempt) -> str:
        has_begun.set()
        return watched.plain(task, attempt)

    task = await sdk.submit("a task")
    async with working(worker):
        await asyncio.to_thread(has_begun.wait, 20)
    released = await sdk.get(task.id)
    watched.let_go.set()
    assert (released.status, released.current_retry_count) == ("to_do", 0)


async def test_a_heartbeat_without_an_answer_is_sent_again(
    sdk: AsyncClient, through: Through
) -> None:
    """An API that hangs has heard of both attempts."""

    async def hangs(answer: Answering) -> Answer:
        await asyncio.Event().wait()
        return await answer()

    through.spoil(HEARTBEAT, hangs)
    worker = a_worker(through, lease_seconds=5, concurrency=2)
    is_over = asyncio.Event()

    @worker.handler("long")
    async def long(task: Task, attempt: RunningAttempt) -> None:
        await is_over.wait()

    for _ in range(2):
        await sdk.submit("long")
    async with working(worker):
        # The round after the one that hung.
        await through.answered(HEARTBEAT, 2)
        is_over.set()
