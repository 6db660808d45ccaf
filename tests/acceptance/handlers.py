"""Handlers for `rowlock worker --handlers tests.acceptance.handlers:worker`: each notes, in the
file that $RAN names, the tasks that it has run to its end."""

import asyncio
import os
import time
from pathlib import Path

from rowlock import Done, RunningAttempt, Task, Worker

WORK_SECONDS = 0.02
FOR_EVER_SECONDS = 600.0

worker = Worker()


def ran(task: Task) -> None:
    notes = os.open(os.environ["RAN"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(notes, f"{task.id}\n".encode())
    os.close(notes)


@worker.handler("coroutine")
async def coroutine(task: Task, _attempt: RunningAttempt) -> None:
    await asyncio.sleep(WORK_SECONDS)
    ran(task)


@worker.handler("thread")
def thread(task: Task, _attempt: RunningAttempt) -> None:
    time.sleep(WORK_SECONDS)
    ran(task)


@worker.handler("chain")
def chain(_task: Task, _attempt: RunningAttempt) -> list[int]:
    """Each by its function: from a thread, and from an event loop that then ends."""
    return [thread.submit(None).id, asyncio.run(coroutine.submit_async(None)).id]


@worker.handler("long")
async def long(_task: Task, _attempt: RunningAttempt) -> None:
    await asyncio.sleep(FOR_EVER_SECONDS)


@worker.handler("stuck")
def stuck(_task: Task, _attempt: RunningAttempt) -> None:
    time.sleep(FOR_EVER_SECONDS)


@worker.handler("to thread")
async def to_thread(_task: Task, attempt: RunningAttempt) -> None:
    def wait() -> None:
        attempt.progress("begun")
        time.sleep(FOR_EVER_SECONDS)

    await asyncio.to_thread(wait)


@worker.handler("until")
def until(task: Task, _attempt: RunningAttempt) -> None:
    """Until a file is there."""
    while not Path(task.payload).exists():
        time.sleep(WORK_SECONDS)
    ran(task)


@worker.handler("step", retry_delay_seconds=0)
def step(task: Task) -> Done:
    """A step of a chain, given as [which, how far, to where]."""
    chain, number, last = task.payload
    time.sleep(WORK_SECONDS)
    ran(task)
    if number == last:
        return Done()
    return Done(then=[{"title": "step", "payload": [chain, number + 1, last]}])
