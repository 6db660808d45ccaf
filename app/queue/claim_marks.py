"""How far down a queue the claim has to look.

Every claim leaves a delete-marked entry at the head of the claim's index. InnoDB purges them
within moments, unless somebody holds a snapshot open (a backup, a forgotten transaction): then
each claim would read over all that were claimed since. So a process remembers, for each queue
and rank, from which `created_at` on there is anything to claim, and begins there; and which
ranks may have run dry, to look at them without locks first. A locking read that comes to the end
of its rank goes on over the next one's dead entries; a plain one does not.

The memory lasts a second. What appears below it (a transaction that committed late, a retry
made by another process) is therefore found within a second, in its right order.
"""

import time
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from app.states import RANK

REMEMBERED_SECONDS: Final = 1.0
# Tasks carry the time at which their transaction began; most commit well within this.
LATE_COMMITS: Final = timedelta(milliseconds=250)
# Where MySQL's DATETIME begins.
BEGINNING: Final = datetime(1000, 1, 1)  # noqa: DTZ001


class Head(NamedTuple):
    """Where a rank's claimable tasks begin, and whether there may be none."""

    begins_at: datetime = BEGINNING
    may_be_dry: bool = True


Heads = tuple[Head, ...]
"""A queue's, by rank."""

UNKNOWN: Final[Heads] = (Head(),) * len(RANK)


class LowWater:
    """One process's memory of where its queues' claimable tasks begin."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Heads, float]] = {}

    def of(self, queue: str) -> Heads:
        """Where to begin."""
        heads, since = self._known.get(queue, (UNKNOWN, 0.0))
        return heads if time.monotonic() - since <= REMEMBERED_SECONDS else UNKNOWN

    def saw(self, queue: str, began: Heads, heads: Heads, *, asked_at: float) -> None:
        """Remember what a claim has found that began where `of` said, at that time (monotonic)."""
        known, since = self._known.get(queue, (UNKNOWN, 0.0))
        if known is UNKNOWN and since >= asked_at:
            return  # forgotten meanwhile, for what this claim may have been too early to see
        if began is UNKNOWN:
            self._known[queue] = (heads, time.monotonic())
        elif began is known:
            self._known[queue] = (heads, since)

    def forget(self, queue: str) -> None:
        """Something older than remembered has become claimable."""
        self._known[queue] = (UNKNOWN, time.monotonic())
