"""Waiting for a task to end."""

import time
from collections.abc import Callable
from typing import Final

from rowlock.client import calls
from rowlock.errors import UnavailableError, UnreachableError, WaitTimeoutError
from rowlock.http.flows import NOT_NOW, Flow, Pause, ask
from rowlock.http.retry import RetryBudget
from rowlock.models import Task

WAIT_SECONDS: Final = 30.0
SHORTEST_WAIT_SECONDS: Final = 1.0
# What an answer may take on its way once the time is over.
ANSWER_SECONDS: Final = 1.0


def wait(
    task_id: int,
    timeout_seconds: float | None,
    budget: RetryBudget,
    clock: Callable[[], float] = time.monotonic,
) -> Flow[Task]:
    """The task once it has ended. Raises `WaitTimeoutError` when the time is over, whatever the
    server does meanwhile."""
    until = None if timeout_seconds is None else clock() + timeout_seconds
    last_answer = None if until is None else until + ANSWER_SECONDS
    task = None
    while True:
        remaining = WAIT_SECONDS if until is None else min(until - clock(), WAIT_SECONDS)
        is_long = remaining >= SHORTEST_WAIT_SECONDS
        call = calls.get(task_id, remaining if is_long else None)
        try:
            task = yield from ask(call, budget, until=last_answer, clock=clock)
        except (UnreachableError, UnavailableError) as error:
            is_away = isinstance(error, UnreachableError) or error.status in NOT_NOW
            if until is None or not is_away or clock() + budget.seconds < until:
                raise
            # The wait's own end left no time for another try.
            yield Pause(max(until - clock(), 0.0))
            raise WaitTimeoutError(task_id, task) from error
        if task.has_ended:
            return task
        if remaining <= 0:
            raise WaitTimeoutError(task_id, task)
        if not is_long:
            yield Pause(remaining)
