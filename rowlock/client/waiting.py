"""Waiting for a task to end."""

import time
from collections.abc import Callable
from typing import Final

from rowlock.client import calls
from rowlock.errors import WaitTimeoutError
from rowlock.http.flows import Flow, Pause, ask
from rowlock.http.retry import RetryBudget
from rowlock.models import Task

WAIT_SECONDS: Final = 30.0
SHORTEST_WAIT_SECONDS: Final = 1.0


def wait(
    task_id: int,
    timeout_seconds: float | None,
    budget: RetryBudget,
    clock: Callable[[], float] = time.monotonic,
) -> Flow[Task]:
    """The task once it has ended. Raises `WaitTimeoutError`."""
    until = None if timeout_seconds is None else clock() + timeout_seconds
    while True:
        remaining = WAIT_SECONDS if until is None else min(until - clock(), WAIT_SECONDS)
        is_long = remaining >= SHORTEST_WAIT_SECONDS
        task = yield from ask(calls.get(task_id, remaining if is_long else None), budget)
        if task.has_ended:
            return task
        if remaining <= 0:
            raise WaitTimeoutError(task)
        if not is_long:
            yield Pause(remaining)
