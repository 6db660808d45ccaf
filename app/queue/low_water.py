"""How far down a queue the claim has to look.

Every claim leaves a delete-marked entry at the head of the claim's index. InnoDB purges them
within moments, unless somebody holds a snapshot open (a backup, a forgotten transaction): then
each claim reads over all that were claimed since. So a process remembers, for each queue and
rank, from which `created_at` on there is anything to claim, and begins there.

The memory lasts a second. What appears below it (a transaction that committed late, a retry
made by another process) is therefore found within a second, in its right order.
"""

import time
from datetime import datetime, timedelta
from typing import Final

from app.queue.calls import Scan
from app.states import RANK

REMEMBERED_SECONDS: Final = 1.0
# Tasks carry the time at which their transaction began; most commit well within this.
LATE_COMMITS: Final = timedelta(milliseconds=250)

Bounds = tuple[datetime, ...]
"""By rank, from which `created_at` on to look."""

# Where MySQL's DATETIME begins.
BEGINNING: Final[Bounds] = (datetime(1000, 1, 1),) * len(RANK)  # noqa: DTZ001


class LowWater:
    """One process's memory of where its queues' claimable tasks begin."""

    def __init__(self) -> None:
        self._bounds: dict[str, tuple[Bounds, float]] = {}

    def of(self, queue: str) -> Bounds:
        """Where to begin."""
        bounds, since = self._bounds.get(queue, (None, 0.0))
        if bounds is None or time.monotonic() - since > REMEMBERED_SECONDS:
            return BEGINNING
        return bounds

    def saw(self, scan: Scan) -> None:
        """Remember a scan that began where `of` said, once what it found is committed."""
        queue, found, limit, now = scan
        known, since = self._bounds.get(queue, (None, 0.0))
        if known is None or time.monotonic() - since > REMEMBERED_SECONDS:
            known, since = BEGINNING, time.monotonic()
        is_dry = len(found) < limit
        last = found[-1] if found else None
        dry_below = len(RANK) if is_dry or last is None else last.claim_rank
        assert dry_below is not None
        bounds = [
            max(bound, now - LATE_COMMITS) if rank < dry_below else bound
            for rank, bound in enumerate(known)
        ]
        if not is_dry and last is not None:
            bounds[dry_below] = max(known[dry_below], last.created_at)
        self._bounds[queue] = (tuple(bounds), since)

    def forget(self, queue: str) -> None:
        """Something older than remembered has become claimable."""
        self._bounds.pop(queue, None)
