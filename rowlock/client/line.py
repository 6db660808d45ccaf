"""Submits that wait for their turn, and what becomes of those that go together."""

import time
from collections import deque
from typing import Final, Generic, TypeVar

from rowlock.client import calls
from rowlock.errors import ProblemError, RowlockError, UnreachableError, is_refusal
from rowlock.http.call import Call
from rowlock.models import Task

FLIGHT_LIMIT: Final = 2
# Beside another call: a large one costs much less than two small ones.
WORTH_A_CALL: Final = 50
PATIENCE_SECONDS: Final = 0.05
BATCH_LIMIT: Final = 100
BATCH_LIMIT_BYTES: Final = 512 * 1024


class Waiting:
    """A submit: the task as JSON, since when it waits and until when."""

    def __init__(self, body: bytes, seconds: float) -> None:
        self.body = body
        self.since = time.monotonic()
        self.due = self.since + seconds


W = TypeVar("W", bound=Waiting)


class Line(Generic[W]):
    """Who waits, and which calls are under way."""

    def __init__(self) -> None:
        self._waiting: deque[W] = deque()
        self._flights: list[list[W]] = []

    def join(self, waiting: W) -> None:
        self._waiting.append(waiting)

    def leave(self, waiting: W) -> bool:
        """Whether it waited until now, for a call that has not begun."""
        try:
            self._waiting.remove(waiting)
        except ValueError:
            return False
        return True

    def take(self) -> list[W]:
        """Who goes in the next call: nobody if two are under way, or nobody waits. Beside another
        call nobody until as many wait as that one has, or enough, or the first of them has waited
        for a moment. With room for two calls those that are enough for both are divided."""
        batch: list[W] = []
        size = 0
        if self._may_go():
            share = -(-len(self._waiting) // (FLIGHT_LIMIT - len(self._flights)))
            limit = min(max(share, WORTH_A_CALL), BATCH_LIMIT)
            while self._waiting and len(batch) < limit:
                size += len(self._waiting[0].body)
                if batch and size > BATCH_LIMIT_BYTES:
                    break
                batch.append(self._waiting.popleft())
            self._flights.append(batch)
        return batch

    def land(self, batch: list[W]) -> None:
        """A call is over."""
        self._flights.remove(batch)

    def patience_seconds(self) -> float | None:
        """In how long the first that waits may go beside the larger call that is under way; None
        where there is nobody, or no room."""
        if not self._waiting or len(self._flights) == FLIGHT_LIMIT:
            return None
        return max(self._waiting[0].since + PATIENCE_SECONDS - time.monotonic(), 0.0)

    def _may_go(self) -> bool:
        seconds = self.patience_seconds()
        enough = min(sum(map(len, self._flights)), WORTH_A_CALL)
        return seconds is not None and (len(self._waiting) >= enough or seconds == 0)


def call_of(batch: list[W]) -> Call[list[Task]]:
    """What is sent for those that go together."""
    if len(batch) == 1:
        return calls.submit_one(batch[0].body)
    # Small enough for the time that one alone has.
    return calls.submit_batch((each.body for each in batch), None, extra_seconds=0.0)


def late(*, may_have_happened: bool) -> UnreachableError:
    """That there was no answer in time."""
    return UnreachableError("POST /tasks: no answer in time", may_have_happened=may_have_happened)


def outcomes(error: RowlockError, callers: int) -> list[RowlockError | None]:
    """For each: its own error, or that it is to be sent alone, where one of several was refused."""
    if callers == 1:
        return [error]
    if isinstance(error, ProblemError) and is_refusal(error):
        if not error.may_have_happened:
            return [None] * callers
        # All may have been stored at an earlier try; a call for each would store them twice.
        error = UnreachableError(f"POST /tasks: no answer, then {error}", may_have_happened=True)
    return [_one_of(error) for _ in range(callers)]


def _one_of(error: RowlockError) -> RowlockError:
    """Each caller adds to the traceback of its own."""
    own = Exception.__new__(type(error))
    own.args, own.__cause__ = error.args, error
    own.__dict__.update(error.__dict__)
    return own
