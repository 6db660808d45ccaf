"""The header `Retry-After`."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

# Longer than any wish that is granted; a number of any length is none that can be counted with.
_LONGEST: Final = 9


def seconds_of(text: str, *, now: float) -> float | None:
    """What it asks for: seconds, or a date, which is in GMT. None for what is neither."""
    wish = text.strip()
    if wish.isdecimal():
        return float(wish[:_LONGEST])
    try:
        moment = parsedate_to_datetime(wish)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, moment.timestamp() - now)
    except (ValueError, OverflowError):
        return None
