"""The event loop of a worker process: its end does not depend on what handlers left behind."""

import asyncio
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from rowlock.worker import runner

STOPPED_BY_SIGNAL = """
import asyncio, os, signal
from rowlock.worker import runner

stopped = []

async def main():
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(os.getpid(), number)
    while len(stopped) < 2:
        await asyncio.sleep(0)

runner.run(main(), lambda: stopped.append(1))
"""


def test_a_task_that_cannot_be_cancelled_does_not_keep_it() -> None:
    cancelled: list[str] = []

    async def stubborn() -> None:
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            cancelled.append("stubborn")

    async def docile() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append("docile")

    async def main() -> None:
        left.extend(asyncio.create_task(work()) for work in (stubborn, docile))
        await asyncio.sleep(0)

    left: list[asyncio.Task[None]] = []
    thread = threading.Thread(target=lambda: runner.run(main(), lambda: None), daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert sorted(cancelled) == ["docile", "stubborn"]


def test_what_goes_wrong_comes_out() -> None:
    async def main() -> None:
        raise LookupError("inside")

    with pytest.raises(LookupError, match="inside"):
        runner.run(main(), lambda: None)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_both_signals_stop_it(project: Path) -> None:
    subprocess.run([sys.executable, "-c", STOPPED_BY_SIGNAL], cwd=project, check=True, timeout=30)


async def raises(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_a_task_that_leaves_the_process_does_not_end_the_others(error: BaseException) -> None:
    ended = []

    async def main() -> None:
        handlers_own = asyncio.create_task(raises(error))
        await asyncio.wait([handlers_own])
        assert handlers_own.exception() is error
        ended.append("main")

    runner.run(main(), lambda: None)
    assert ended == ["main"]


def test_a_loop_that_is_stopped_goes_on() -> None:
    ended = []

    async def main() -> None:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        ended.append("main")

    runner.run(main(), lambda: None)
    assert ended == ["main"]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_what_is_left_behind_may_raise_anything_as_it_is_cancelled(error: BaseException) -> None:
    async def leftover() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await raises(error)

    async def main() -> None:
        left.append(asyncio.create_task(leftover()))
        await asyncio.sleep(0)

    left: list[asyncio.Task[None]] = []
    runner.run(main(), lambda: None)
    assert left[0].exception() is error


HANGS_UP = """
import asyncio, os, signal, sys
from rowlock.worker import runner

stopped = []

async def main():
    for _ in range(3):  # the kernel, a shell and an executable's first process may each say so
        os.kill(os.getpid(), signal.SIGHUP)
    await asyncio.sleep(0.05)
    if not stopped:
        return
    print(len(stopped))

runner.run(main(), lambda: stopped.append(1))
"""


@pytest.mark.parametrize(("before", "said"), [("", "1"), ("trap '' HUP; ", "")])
def test_a_terminal_that_goes_is_one_stop_unless_it_is_ignored(
    project: Path, before: str, said: str
) -> None:
    command = ["/bin/sh", "-c", f'{before}exec "$@"', "sh", sys.executable, "-c", HANGS_UP]
    ran = subprocess.run(
        command, cwd=project, check=True, timeout=30, capture_output=True, text=True
    )
    assert ran.stdout.strip() == said


FORKS = """
import asyncio, multiprocessing, os, signal, sys, threading, time
from rowlock.worker import runner

fork = multiprocessing.get_context("fork")
stopped = []

def handler(codes):
    child = fork.Process(target=time.sleep, args=(600,))
    child.start()
    child.terminate()
    child.join()
    codes.append(child.exitcode)

async def main():
    codes = []
    if sys.argv[1] == "thread":
        await asyncio.to_thread(handler, codes)
    else:
        handler(codes)
    await asyncio.sleep(0)
    assert codes == [-signal.SIGTERM], codes
    assert not stopped, "a signal to the child reached the parent"
    os.kill(os.getpid(), signal.SIGTERM)
    while not stopped:
        await asyncio.sleep(0)

runner.run(main(), lambda: stopped.append(1))
"""


@pytest.mark.parametrize("kind", ["thread", "coroutine"])
def test_a_signal_to_a_child_that_a_handler_forked_ends_the_child_and_is_not_the_workers(
    project: Path, kind: str
) -> None:
    command = [sys.executable, "-c", FORKS, kind]
    subprocess.run(command, cwd=project, check=True, timeout=30)
