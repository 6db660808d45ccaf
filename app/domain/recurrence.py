"""What a schedule says of its times, and which occurrences follow from it. Pure.

Times are naive UTC; an occurrence is the instant it stands for, whatever a clock shows.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import islice, pairwise, takewhile
from typing import Final, Self
from zoneinfo import ZoneInfo

from app.domain.cron import never_comes, parse_cron
from app.domain.errors import InvalidRecurrenceError
from app.domain.occurrences import CronRule, IntervalRule
from app.domain.zones import END_OF_TIME, parse_zone

INTERVAL_LIMIT_SECONDS: Final = 31_536_000
JITTER_LIMIT_SECONDS: Final = 86_400
# So many of the next occurrences have to be further apart than the jitter.
JITTER_LOOK: Final = 100

_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule, and from when to when it counts, both included."""

    rule: CronRule | IntervalRule
    zone: ZoneInfo
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @classmethod
    def of(
        cls,
        *,
        cron: str | None,
        interval_seconds: int | None,
        timezone: str,
        starts_at: datetime | None,
        ends_at: datetime | None,
        created_at: datetime,
    ) -> Self:
        """What these fields of a schedule mean. An interval is counted from `starts_at`, or else
        from `created_at`.

        Raises InvalidRecurrenceError, which names the field that cannot be.
        """
        zone = parse_zone(timezone)
        if (cron is None) == (interval_seconds is None):
            raise InvalidRecurrenceError("cron", "needs either cron or interval_seconds, not both")
        if starts_at is not None and ends_at is not None and ends_at < starts_at:
            raise InvalidRecurrenceError("ends_at", "must not be before starts_at")
        if cron is not None:
            return cls(CronRule(parse_cron(cron), zone), zone, starts_at, ends_at)
        assert interval_seconds is not None
        if not 1 <= interval_seconds <= INTERVAL_LIMIT_SECONDS:
            raise InvalidRecurrenceError(
                "interval_seconds", f"must be 1 to {INTERVAL_LIMIT_SECONDS:,}"
            )
        return cls(
            IntervalRule(interval_seconds, starts_at or created_at), zone, starts_at, ends_at
        )

    def next_after(self, instant: datetime) -> datetime | None:
        """The first occurrence after the instant; None if it has ended, or if none comes within
        ten years."""
        return next(iter(self.upcoming(instant, limit=1)), None)

    def upcoming(self, instant: datetime, *, limit: int) -> list[datetime]:
        """The next occurrences after the instant, in order: at most `limit`, fewer if it ends."""
        return self.between(instant, END_OF_TIME, limit=limit)

    def between(self, after: datetime, until: datetime, *, limit: int) -> list[datetime]:
        """The first occurrences after the one and up to the other, in order: at most `limit`."""
        after, until = self._bounds(after, until)
        return [*islice(takewhile(lambda at: at <= until, self.rule.after(after)), limit)]

    def newest(self, after: datetime, until: datetime) -> datetime | None:
        """The last occurrence after the one and up to the other."""
        return next(iter(self.newest_of(after, until, limit=1)), None)

    def newest_of(self, after: datetime, until: datetime, *, limit: int) -> list[datetime]:
        """The last occurrences after the one and up to the other, in order: at most `limit`."""
        return [*islice(self.rule.backwards(*self._bounds(after, until)), limit)][::-1]

    def count(self, after: datetime, until: datetime) -> int:
        """How many occurrences are after the one and up to the other: exact, and quick even where
        they are many."""
        return self.rule.count(*self._bounds(after, until))

    def local(self, occurrence: datetime) -> str:
        """What the clock on the wall shows, as 2026-03-29T03:00:00+02:00."""
        return occurrence.replace(tzinfo=UTC).astimezone(self.zone).isoformat()

    def check_comes(self, after: datetime) -> None:
        """Raises InvalidRecurrenceError if nothing comes within ten years, end or no end."""
        if isinstance(self.rule, CronRule):
            after, _ = self._bounds(after, END_OF_TIME)
            if next(self.rule.after(after), None) is None:
                raise never_comes(self.rule.cron.expression)

    def check_jitter(self, jitter_seconds: int, after: datetime) -> None:
        """Raises InvalidRecurrenceError unless an occurrence with its jitter is before the next
        one: among the next hundred, that is."""
        if jitter_seconds == 0:
            return
        distances = (b - a for a, b in pairwise(self.upcoming(after, limit=JITTER_LOOK)))
        shortest = min(distances, default=timedelta.max)
        if timedelta(seconds=jitter_seconds) >= shortest:
            seconds = shortest // timedelta(seconds=1)
            raise InvalidRecurrenceError(
                "jitter_seconds",
                f"must be less than {seconds:,}, the seconds between two of the next "
                f"{JITTER_LOOK} occurrences",
            )

    def _bounds(self, after: datetime, until: datetime) -> tuple[datetime, datetime]:
        if self.starts_at is not None:
            after = max(after, self.starts_at - _MICROSECOND)
        return after, until if self.ends_at is None else min(until, self.ends_at)


def due_at(occurrence: datetime, *, schedule: str, jitter_seconds: int) -> datetime:
    """When the task of an occurrence may be claimed: up to the jitter later, and for the same
    schedule (its name) and occurrence always the same, in every process."""
    if jitter_seconds == 0:
        return occurrence
    digest = blake2b(f"{occurrence.isoformat()} {schedule}".encode(), digest_size=8).digest()
    return occurrence + timedelta(seconds=int.from_bytes(digest) % jitter_seconds)
