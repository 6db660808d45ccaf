"""Submits that wait for their turn, and what becomes of those that go together."""

from collections import deque
from typing import Final, Generic, TypeVar

from rowlock.client import calls
from rowlock.errors import ProblemError, RowlockError, UnreachableError, is_refusal
from rowlock.http.call import Call
from rowlock.models import Task

FLIGHT_LIMIT: Final = 2
BATCH_LIMIT: Final = 100
BATCH_LIMIT_BYTES: Final = 512 * 1024


class Waiting:
    """A submit: the task as JSON, and until when it waits."""

    def __init__(self, body: bytes, due: float) -> None:
        self.body = body
        self.due = due


W = TypeVar("W", bound=Waiting)


class Line(Generic[W]):
    """Who waits, and how many calls are under way."""

    def __init__(self) -> None:
        self._waiting: deque[W] = deque()
        self._flights = 0

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
        """Who goes in the next call: nobody if two are under way, or nobody waits. With room for
        two calls they are divided among them."""
        batch: list[W] = []
        size = 0
        if self._flights < FLIGHT_LIMIT and self._waiting:
            share = -(-len(self._waiting) // (FLIGHT_LIMIT - self._flights))
            while self._waiting and len(batch) < min(share, BATCH_LIMIT):
                size += len(self._waiting[0].body)
                if batch and size > BATCH_LIMIT_BYTES:
                    break
                batch.append(self._waiting.popleft())
            self._flights += 1
        return batch

    def land(self) -> None:
        """A call is over."""
        self._flights -= 1


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
