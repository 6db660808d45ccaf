"""A worker process for tests: `python -m tests.acceptance.sdk_worker NAME GRACE_SECONDS`.

It prints a line for each handler that has run to its end.
"""

import asyncio
import logging
import os
import sys
import time
from pathlib import Path

from rowlock import RunningAttempt, Task, Worker

WORK_SECONDS = 0.03
FOR_EVER_SECONDS = 600.0

logging.basicConfig(level="WARNING", stream=sys.stdout)
logging.getLogger("rowlock").setLevel("INFO")

worker = Worker(concurrency=8, name=sys.argv[1], lease_seconds=5, grace_seconds=float(sys.argv[2]))


def ran(task: Task) -> None:
    # Not by print, whose lines from several threads run into each other.
    os.write(sys.stdout.fileno(), f"ran {task.id}\n".encode())


@worker.handler("coroutine")
async def coroutine(task: Task, _attempt: RunningAttempt) -> None:
    await asyncio.sleep(WORK_SECONDS)
    ran(task)


@worker.handler("thread")
def thread(task: Task, _attempt: RunningAttempt) -> None:
    time.sleep(WORK_SECONDS)
    ran(task)


@worker.handler("long")
async def long(_task: Task, _attempt: RunningAttempt) -> None:
    await asyncio.sleep(FOR_EVER_SECONDS)


@worker.handler("stuck")
def stuck(_task: Task, _attempt: RunningAttempt) -> None:
    time.sleep(FOR_EVER_SECONDS)


@worker.handler("until")
def until(task: Task, _attempt: RunningAttempt) -> None:
    """Until a file is there."""
    while not Path(task.payload).exists():
        time.sleep(WORK_SECONDS)
    ran(task)


if __name__ == "__main__":
    worker.run()
