"""Seconds that pass, whatever the wall clock is set to, and while the machine sleeps too."""

import time
from typing import Final

# Linux' monotonic clock stands still in a suspend; MySQL's time, seen from there, does not.
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def steady_seconds() -> float:
    """Since some moment; for differences only."""
    return time.clock_gettime(_CLOCK)
