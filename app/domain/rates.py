"""Rates: so many attempts begin in a time. Pure.

The generic cell rate algorithm (ITU-T I.371): a group keeps one time, up to which its attempts are
paid for at an even pace; it may be ahead of now by `burst` attempts.
"""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

MOST_SECONDS: Final = 86_400
_SECOND: Final = 1_000_000


class Rate(NamedTuple):
    """In the long run so many attempts begin in so many seconds, and `burst` of them at once; in
    any such time at most `limit` and `burst` together."""

    limit: int
    per_seconds: int
    burst: int

    @property
    def interval(self) -> timedelta:
        """Between two attempts at an even pace."""
        return timedelta(microseconds=-(-self.per_seconds * _SECOND // self.limit))

    def tokens(self, paid_until: datetime | None, now: datetime) -> int:
        """How many attempts may begin now."""
        if paid_until is None or paid_until <= now:
            return self.burst
        return max((self.burst * self.interval - (paid_until - now)) // self.interval, 0)

    def charged(self, paid_until: datetime | None, attempts: int, now: datetime) -> datetime:
        """Until when is paid once so many attempts more have begun."""
        begin = now if paid_until is None else max(paid_until, now)
        return self.clamped(begin + attempts * self.interval, now)

    def clamped(self, paid_until: datetime, now: datetime) -> datetime:
        """Never further ahead than a whole burst: a clock that went back, or a rate that was lower
        before, withholds no more."""
        return min(paid_until, now + self.burst * self.interval)

    def next_at(self, paid_until: datetime, tokens: int) -> datetime:
        """When there is one more than so many."""
        return paid_until - (self.burst - tokens - 1) * self.interval

    def document(self) -> dict[str, int]:
        """By the contract's names."""
        return self._asdict()


def least_burst(limit: int, per_seconds: int) -> int:
    """What comes in a second: the sweep gives tokens once a second."""
    return max(-(-limit // per_seconds), 1)


def rate_of(found: Any) -> Rate | None:
    """A rate, as settings keep it. Raises ValueError for what is none."""
    if found is None:
        return None
    if not isinstance(found, dict) or found.keys() != {*Rate._fields}:
        raise ValueError("a rate has limit, per_seconds and burst")
    if not all(isinstance(n, int) and n > 0 for n in found.values()):
        raise ValueError("a rate is of numbers above 0")
    return Rate(**found)
