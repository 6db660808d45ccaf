"""Rows that may be claimed, and that somebody who hangs keeps from everybody."""

import time
from typing import Final

from sqlalchemy import Engine, text

POLL_SECONDS: Final = 0.2
GIVE_UP_SECONDS: Final = 40.0


class KeptRows:
    """How long claimable tasks stay locked. What takes longer than `bound_seconds` is in
    `too_long`."""

    def __init__(self, engine: Engine, bound_seconds: float) -> None:
        self._engine = engine
        self.bound_seconds = bound_seconds
        self.looked_at = 0
        self.too_long: list[str] = []

    def until_free(self) -> float | None:
        """Wait until nobody keeps any of those that are locked now; the seconds it took. None if
        none are."""
        began = time.monotonic()
        time.sleep(POLL_SECONDS)
        # Whoever works on claims in order has them for a moment only.
        kept = self._locked() & self._locked()
        if not kept:
            return None
        while kept and time.monotonic() - began < GIVE_UP_SECONDS:
            time.sleep(POLL_SECONDS)
            kept &= self._locked()
        seconds = time.monotonic() - began
        self.looked_at += 1
        if seconds > self.bound_seconds:
            self.too_long.append(f"{seconds:.1f} s; in the end still kept: {sorted(kept)}")
        return seconds

    def _locked(self) -> set[int]:
        with self._engine.connect() as connection:
            claimable = connection.execute(
                text("SELECT id FROM tasks WHERE claim_rank IS NOT NULL LIMIT 1000")
            ).scalars()
            wanted = {int(task_id) for task_id in claimable}
            if not wanted:
                return set()
            free = connection.execute(
                text(
                    f"SELECT id FROM tasks WHERE id IN ({', '.join(map(str, wanted))}) "
                    "FOR UPDATE SKIP LOCKED"
                )
            ).scalars()
            return wanted - {int(task_id) for task_id in free}
