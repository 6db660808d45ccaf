"""How far down a queue the claim has to look.

Every claim leaves a delete-marked entry at the head of the claim's index. InnoDB purges them
within moments, unless somebody holds a snapshot open (a backup, a forgotten transaction): then
each claim would read over all that were claimed since. So a process remembers, for each queue
and rank, from which `turn_at` on there is anything to claim, and begins there; and which
ranks may have run dry, to look at them without locks first. A locking read that comes to the end
of its rank goes on over the next one's dead entries; a plain one does not.

The memory lasts a second, or for as long as makes looks from the beginning a small share of the
time. What appears below it (a transaction that committed late, a retry made by another process)
is therefore found within that time, in its right order.
"""

import time
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from app.domain.states import RANK

REMEMBERED_SECONDS: Final = 1.0
# So many times as long as the look took from the beginning; and no longer than that.
REMEMBERED_LOOKS: Final = 20
LONGEST_SECONDS: Final = 5.0
# Callers name queues as they like.
MOST_QUEUES: Final = 4096
# Tasks carry the time at which their transaction began; most commit well within this.
LATE_COMMITS: Final = timedelta(milliseconds=250)
# Where MySQL's DATETIME begins.
BEGINNING: Final = datetime(1000, 1, 1)  # noqa: DTZ001


class Mark(NamedTuple):
    """Where a rank's claimable tasks begin, and whether there may be none."""

    begins_at: datetime = BEGINNING
    may_be_dry: bool = True


RankMarks = tuple[Mark, ...]
"""A queue's, by rank."""

UNKNOWN: Final[RankMarks] = (Mark(),) * len(RANK)


class Look(NamedTuple):
    """A look at a queue: from where on, and when (monotonic seconds)."""

    marks: RankMarks
    asked_at: float
    # When the look began that went from the beginning, and how long it took.
    since: float
    took: float = 0.0

    @classmethod
    def from_the_beginning(cls) -> "Look":
        now = time.monotonic()
        return cls(UNKNOWN, now, now)

    @property
    def is_from_the_beginning(self) -> bool:
        return self.marks is UNKNOWN

    @property
    def begin(self) -> list[datetime]:
        """Where each rank begins."""
        return [mark.begins_at for mark in self.marks]


class ClaimMarks:
    """One process's memory of where its queues' claimable tasks begin."""

    def __init__(self) -> None:
        # The one looked at last is the last.
        self._known: dict[str, Look] = {}
        self._forgotten_at = 0.0

    def look(self, queue: str) -> Look:
        """A look that begins now."""
        now = time.monotonic()
        known = self._known.get(queue)
        if known is None or now - known.since > _lasts_seconds(known):
            return Look.from_the_beginning()
        return known._replace(asked_at=now)

    def saw(self, queue: str, look: Look, marks: RankMarks) -> None:
        """Remember what a look has found. Of two the one that began later counts."""
        known = self._known.pop(queue, None)
        last_at = self._forgotten_at if known is None else known.asked_at
        if last_at < look.asked_at:
            took = time.monotonic() - look.asked_at if look.is_from_the_beginning else look.took
            known = look._replace(marks=marks, took=took)
        if known is not None:
            self._keep(queue, known)

    def forget(self, queue: str) -> None:
        """Something older than remembered has become claimable: a look that began before now may
        have been too early to see it."""
        self._known.pop(queue, None)
        self._keep(queue, Look.from_the_beginning())

    def forget_all(self) -> None:
        """The same of every queue."""
        self._known.clear()
        self._forgotten_at = time.monotonic()

    def _keep(self, queue: str, look: Look) -> None:
        self._known[queue] = look
        if len(self._known) > MOST_QUEUES:
            oldest = self._known.pop(next(iter(self._known)))
            self._forgotten_at = max(self._forgotten_at, oldest.asked_at)


def _lasts_seconds(look: Look) -> float:
    return max(REMEMBERED_SECONDS, min(REMEMBERED_LOOKS * look.took, LONGEST_SECONDS))
