"""The worker's clock. It goes on while the machine is suspended, as the server's does."""

import time
from typing import Final

# Where there is neither (Windows), time may stand still in a suspend. Linux's CLOCK_MONOTONIC
# does; macOS, which knows no CLOCK_BOOTTIME, has one that does not.
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def now() -> float:
    """Seconds since some moment."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)
