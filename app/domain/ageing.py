"""Ageing: how far a queue's lower ranks stand behind the first, so that none waits for ever. Pure.

A task counts as if it had come so many seconds later than it did, by its rank. By these times the
tasks of a queue that ages are claimed, and the higher rank first where two are the same. As long
as nothing of a rank can count as later than what waits below it, that is the order of the ranks.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Final, NamedTuple, Self

from app.domain.states import Priority

# Those that may be given seconds, by rank; what is 高 counts as it came.
AGEING: Final = (Priority.MEDIUM, Priority.LOW)
MOST_SECONDS: Final = 31_536_000
_AT_LAST: Final = datetime.max  # noqa: DTZ901  (naive UTC, as MySQL gives it)


class Ageing(NamedTuple):
    """How far each rank stands behind the first; None: behind all others, whenever its tasks
    came."""

    behind: tuple[timedelta | None, ...]

    @classmethod
    def of(cls, seconds: Mapping[Priority, int]) -> Self:
        """By the seconds of each priority. Raises ValueError where a rank would be before the one
        above it."""
        behind: list[timedelta | None] = [timedelta()]
        for priority in AGEING:
            above, found = behind[-1], seconds.get(priority)
            if found is None:
                behind.append(None)
                continue
            if above is None or not above <= timedelta(seconds=found):
                raise ValueError(f"{priority} would be before what is above it")
            behind.append(timedelta(seconds=found))
        return cls(tuple(behind))

    @property
    def seconds(self) -> dict[Priority, int]:
        """Of each priority that has some."""
        return {
            priority: int(behind.total_seconds())
            for priority, behind in zip(AGEING, self.behind[1:], strict=True)
            if behind is not None
        }

    def effective(self, rank: int, turn_at: datetime) -> datetime:
        """When a task of that rank counts as having come."""
        behind = self.behind[rank]
        return _AT_LAST if behind is None else turn_at + behind

    def turn_alike(self, rank: int, turn_at: datetime, other: int) -> datetime | None:
        """The turn at which a task of the other rank counts as one of this does; None: there is
        none, the higher rank is always first."""
        behind, others = self.behind[rank], self.behind[other]
        return None if behind is None or others is None else turn_at + behind - others

    def is_overdue(self, begins: Sequence[datetime | None], now: datetime) -> bool:
        """Whether a task may be before one of a rank above it, by where each rank begins (None:
        it has no task). What came last came now."""
        latest: datetime | None = None
        for rank, begin in enumerate(begins):
            if begin is None:
                continue
            if latest is not None and self.effective(rank, begin) < latest:
                return True
            latest = self.effective(rank, now)
        return False

    def shares(self, turns: Sequence[Sequence[datetime]], wanted: int) -> list[int]:
        """How many of each rank are among the first `wanted`, given the first turns of each, in
        their order and as many as there are or are wanted."""
        by_rank = [
            [(self.effective(rank, turn_at), rank) for turn_at in of_rank]
            for rank, of_rank in enumerate(turns)
        ]
        shares = [0] * len(turns)
        for _, rank in islice(merge(*by_rank), wanted):
            shares[rank] += 1
        return shares
