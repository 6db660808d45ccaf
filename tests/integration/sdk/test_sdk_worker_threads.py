"""Handlers in threads that do not end: a worker goes on without them, up to a number of these."""

import asyncio
import threading

import pytest

from rowlock import AsyncClient, RunningAttempt, StuckHandlersError, Task
from rowlock.worker import threads
from tests.support.sdk import HeldWork, Through, a_worker, working

pytest_plugins = ["tests.support.sdk_clients"]


async def test_when_too_many_hang_it_takes_no_more_and_ends_with_an_error(
    sdk: AsyncClient,
    through: Through,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(threads, "SPARE_THREADS", 1)
    worker, work, let_go = a_worker(through, concurrency=2), HeldWork(), threading.Event()
    worker.handler("work")(work)

    @worker.handler("stuck")
    def stuck(task: Task, attempt: RunningAttempt) -> None:
        let_go.wait(60)

    good = await sdk.submit("work", priority="high")
    hanging = [await sdk.submit("stuck", timeout_seconds=1) for _ in range(3)]
    running = asyncio.create_task(worker.run_async())
    await work.have_begun(1)
    async with asyncio.timeout(30):
        while "no more tasks are claimed" not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    left = await sdk.submit("work")
    work.let_go(1)
    async with asyncio.timeout(30):
        with pytest.raises(StuckHandlersError, match=r"3 threads .*stuck \(3\)"):
            await running
    let_go.set()
    assert (await sdk.get(good.id)).status == "done", "what could end did"
    assert (await sdk.get(left.id)).status == "to_do"
    assert {(await sdk.get(task.id)).attempt for task in hanging} == {1}


async def test_threads_that_come_back_count_no_more(
    sdk: AsyncClient, through: Through, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "SPARE_THREADS", 1)
    worker = a_worker(through)
    let_go: list[threading.Event] = []

    @worker.handler("slow")
    def slow(task: Task, attempt: RunningAttempt) -> None:
        let_go.append(threading.Event())
        let_go[-1].wait(60)

    @worker.handler("next")
    def following(task: Task, attempt: RunningAttempt) -> None:
        let_go[-1].set()

    async with working(worker):
        for _ in range(3):
            await sdk.submit("slow", timeout_seconds=1)
            other = await sdk.submit("next")
            assert (await sdk.wait(other.id, 20)).status == "done"
