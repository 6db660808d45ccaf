"""The event loop of a worker process: its end does not depend on what handlers left behind."""

import asyncio
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from rowlock import runner

STOPPED_BY_SIGNAL = """
import asyncio, os, signal
from rowlock import runner

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
