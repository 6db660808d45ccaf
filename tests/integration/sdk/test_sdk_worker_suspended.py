"""A worker on a machine that is suspended: time has passed for the server, and not for the event
loop."""

import asyncio
import ctypes
import logging
import time

import pytest

from rowlock import AsyncClient, RunningAttempt, Task
from rowlock.worker import clock
from tests.support.sdk import (
    FINISH,
    HEARTBEAT,
    HeldWork,
    Through,
    a_worker,
    request_lost,
    working,
)

pytest_plugins = ["tests.support.sdk_clients"]


class Machine:
    """One that can be suspended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._slept = 0.0
        running = clock.now
        monkeypatch.setattr(clock, "now", lambda: running() + self._slept)

    def suspend(self, seconds: float) -> None:
        self._slept += seconds


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "rowlock.worker")


async def logged(caplog: pytest.LogCaptureFixture, text: str) -> None:
    async with asyncio.timeout(20):
        while text not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_the_clock_goes_on_in_a_suspend_where_the_system_has_such_a_one() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= clock.now() <= time.clock_gettime(time.CLOCK_BOOTTIME)


async def test_awake_again_it_is_heard_of_at_once_and_no_handler_is_blamed(
    sdk: AsyncClient, through: Through, machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    work, worker = HeldWork(), a_worker(through, lease_seconds=3600)
    worker.handler(work)
    task = await sdk.submit("a task", timeout_seconds=100_000)
    async with working(worker):
        await work.have_begun(1)
        await asyncio.sleep(0)
        assert through.count(HEARTBEAT) == 0, "the next is due in twenty minutes"
        machine.suspend(7200)
        await through.answered(HEARTBEAT)
        work.let_go(1)
        assert (await sdk.wait(task.id, 20)).status == "done"
    assert "this machine was suspended for 7200 s" in caplog.text
    assert "without `await`" not in caplog.text


async def test_awake_again_it_cuts_what_is_past_its_deadline(
    sdk: AsyncClient, through: Through, machine: Machine
) -> None:
    work, worker = HeldWork(), a_worker(through, lease_seconds=3600)
    worker.handler(work)
    await sdk.submit("a task", timeout_seconds=5000)
    async with working(worker):
        await work.have_begun(1)
        machine.suspend(7200)
        async with asyncio.timeout(20):
            while not work.lost:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert work.lost == ["timed_out"]


async def test_awake_again_it_drops_what_came_too_late(
    sdk: AsyncClient, through: Through, machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    work, worker = HeldWork(), a_worker(through)
    worker.handler(work)
    await sdk.submit("a task", timeout_seconds=5000)
    async with working(worker):
        await work.have_begun(1)
        through.break_down(request_lost)
        work.let_go(1)
        await through.answered(FINISH)
        machine.suspend(7200)
        await logged(caplog, "could not be reported in time")
        through.break_down(None)


async def test_a_handler_that_blocks_is_still_named(
    sdk: AsyncClient, through: Through, caplog: pytest.LogCaptureFixture
) -> None:
    worker = a_worker(through, lease_seconds=5)

    @worker.handler
    async def blocks(task: Task, attempt: RunningAttempt) -> None:
        time.sleep(5 / 3 + 1.5)  # noqa: ASYNC251
        await logged(caplog, "event loop was blocked")

    task = await sdk.submit("a task")
    async with working(worker):
        assert (await sdk.wait(task.id, 30)).status == "done"
    assert "a handler that is `async` blocks without `await`, or this process" in caplog.text
    assert "suspended" not in caplog.text


async def test_a_handler_in_a_thread_that_holds_the_interpreters_lock_is_named(
    sdk: AsyncClient, through: Through, caplog: pytest.LogCaptureFixture
) -> None:
    worker = a_worker(through, lease_seconds=5, concurrency=2)
    # Unlike `time.sleep`, and as a library in C may, it does not let others run meanwhile.
    sleep = ctypes.PyDLL(None).usleep

    @worker.handler("holds")
    def holds(task: Task, attempt: RunningAttempt) -> None:
        sleep(3_200_000)

    @worker.handler("waits")
    async def waits(task: Task, attempt: RunningAttempt) -> None:
        await logged(caplog, "event loop was blocked")

    ids = [(await sdk.submit(title)).id for title in ("waits", "holds")]
    async with working(worker):
        for task_id in ids:
            assert (await sdk.wait(task_id, 30)).status == "done"
    assert f"the interpreter's lock ({__name__}." in caplog.text
    assert ".holds), or this process was stopped" in caplog.text
