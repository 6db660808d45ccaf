"""What a caller asks for, as a conversation without I/O: which calls, which pauses, what of it.

A flow yields a `Try`, a call to be sent within so many seconds, and is resumed with the answer
or the error that came of it, or yields a `Pause` to be slept. `blocking` and `asynchronous` have
the two drivers, so each flow is written once.
"""

import random
import time
from collections.abc import Callable, Generator
from math import inf
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import ValidationError

from rowlock.errors import (
    ProblemError,
    UnavailableError,
    UnexpectedAnswerError,
    UnreachableError,
)
from rowlock.http.answer import Answer, NotAnsweredError
from rowlock.http.call import Call
from rowlock.http.problems import problem_of
from rowlock.http.retry import RetryBudget

T = TypeVar("T")


class Try(NamedTuple):
    """Send the call; after `seconds` there is no answer."""

    call: Call[Any]
    seconds: float


class Pause(NamedTuple):
    """Sleep."""

    seconds: float


Outcome = Answer | NotAnsweredError | None
Flow = Generator[Try | Pause, Outcome, T]


NOT_NOW: Final = frozenset({429, 503})
# A proxy's word that the server, which may have got the request, did not answer it.
_ANSWER_LOST: Final = frozenset({502, 504})


def ask(
    call: Call[T],
    budget: RetryBudget,
    *,
    until: float | None = None,
    jitter: Callable[[], float] = random.random,
    clock: Callable[[], float] = time.monotonic,
) -> Flow[T]:
    """The answer, after as many tries as the time and the call's nature allow. One deadline, by
    the clock, cuts every try: the budget's, or `until` if that is sooner.

    Raises `RowlockError`.
    """
    began = clock()
    deadline = min(began + budget.seconds + call.extra_seconds, inf if until is None else until)
    # Of the time that it takes on purpose, what it has had: a long poll that breaks off late
    # leaves as much time to try again as one that breaks off at once.
    had_seconds = 0.0
    failures, was_tried, may_have_happened = 0, False, False
    while True:
        started = clock()
        left = max(deadline - started, 0.0)
        outcome = yield Try(call, min(budget.timeout_seconds + call.extra_seconds, left))
        had_seconds = min(had_seconds + clock() - started, call.extra_seconds)
        settled = call.settled_if_repeated if was_tried else None
        try:
            return answer_of(call, outcome, settled=settled)
        except (UnreachableError, ProblemError) as error:
            failures += 1
            pause = budget.backoff.pause_seconds(
                failures,
                jitter=jitter(),
                retry_after_seconds=getattr(error, "retry_after_seconds", None),
            )
            last_start = min(began + budget.retry_seconds + had_seconds, deadline)
            has_time = budget.retry_seconds > 0 and clock() + pause < last_start
            is_over = not (has_time and _may_repeat(call, error))
            was_tried |= error.may_have_happened or isinstance(error, UnavailableError)
            # Of all tries: an earlier one may have arrived where the last did not.
            may_have_happened |= error.may_have_happened
            error.may_have_happened = may_have_happened
            if is_over:
                raise
        yield Pause(pause)


def answer_of(call: Call[T], outcome: Outcome, *, settled: int | None = None) -> T:
    """What came of sending a call: its answer, `settled` counting as one. Raises
    `RowlockError`."""
    if isinstance(outcome, NotAnsweredError):
        raise UnreachableError(
            str(outcome), may_have_happened=outcome.may_have_arrived
        ) from outcome
    assert outcome is not None
    if not outcome.is_success and outcome.status != settled:
        problem = problem_of(outcome)
        problem.may_have_happened = (
            isinstance(problem, UnavailableError) and problem.status not in NOT_NOW
        )
        raise problem
    try:
        return call.read(outcome)
    except ValidationError as error:
        raise UnexpectedAnswerError(
            f"{call.method} {outcome.url} was answered with {outcome.status}, "
            "but not by a Rowlock server; check the URL"
        ) from error


def _may_repeat(call: Call[Any], error: UnreachableError | ProblemError) -> bool:
    if isinstance(error, UnreachableError):
        return call.is_repeatable or not error.may_have_happened
    return error.status in NOT_NOW or (call.is_repeatable and error.status in _ANSWER_LOST)
