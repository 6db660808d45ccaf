"""What a caller asks for, as a conversation without I/O: which calls, which pauses, what of it.

A flow yields a `Call` to be sent and is resumed with the response or the error that came of
it, or yields a `Pause` to be slept. `transport` has the two drivers, so each flow is written once.
"""

import random
from collections.abc import Callable, Generator
from typing import Any, Final, NamedTuple, TypeVar

import httpx
from pydantic import ValidationError

from rowlock.errors import (
    RowlockError,
    UnavailableError,
    UnexpectedAnswerError,
    UnreachableError,
    problem_of,
)
from rowlock.http.call import Call
from rowlock.http.retry import RetryBudget
from rowlock.http.target import shown

T = TypeVar("T")


class Pause(NamedTuple):
    """Sleep."""

    seconds: float


Outcome = httpx.Response | httpx.RequestError | None
Flow = Generator[Call[Any] | Pause, Outcome, T]


# The request cannot have arrived.
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NOT_NOW: Final = frozenset({429, 503})
# A proxy's word that the server, which may have got the request, did not answer it.
_ANSWER_LOST: Final = frozenset({502, 504})


def ask(call: Call[T], budget: RetryBudget, jitter: Callable[[], float] = random.random) -> Flow[T]:
    """The answer, after as many tries as the budget and the call's nature allow.

    Raises `RowlockError`.
    """
    failures, waited_seconds, may_have_happened = 0, 0.0, False
    while True:
        outcome = yield call
        settled = call.settled_if_repeated if may_have_happened else None
        try:
            return answer_of(call, outcome, settled=settled)
        except (UnreachableError, UnavailableError) as error:
            failures += 1
            pause = budget.pause_seconds(
                failures,
                waited_seconds=waited_seconds,
                jitter=jitter(),
                retry_after_seconds=getattr(error, "retry_after_seconds", None),
            )
            if pause is None or not _may_repeat(call, error):
                raise
            may_have_happened |= getattr(error, "may_have_happened", True)
        waited_seconds += pause
        yield Pause(pause)


def answer_of(call: Call[T], outcome: Outcome, *, settled: int | None = None) -> T:
    """What came of sending a call: its answer, `settled` counting as one. Raises
    `RowlockError`."""
    if isinstance(outcome, httpx.RequestError):
        raise _unreachable(outcome) from outcome
    assert outcome is not None
    if not outcome.is_success and outcome.status_code != settled:
        raise problem_of(outcome)
    try:
        return call.read(outcome)
    except ValidationError as error:
        raise UnexpectedAnswerError(
            f"{call.method} {shown(outcome.url)} was answered with {outcome.status_code}, "
            "but not by a Rowlock server; check the URL"
        ) from error


def _unreachable(error: httpx.RequestError) -> RowlockError:
    said = str(error) or type(error).__name__
    return UnreachableError(
        f"{error.request.method} {shown(error.request.url)}: {said}",
        may_have_happened=not isinstance(error, _NOT_SENT),
    )


def _may_repeat(call: Call[Any], error: UnreachableError | UnavailableError) -> bool:
    if isinstance(error, UnreachableError):
        return call.is_repeatable or not error.may_have_happened
    return error.status in _NOT_NOW or (call.is_repeatable and error.status in _ANSWER_LOST)
