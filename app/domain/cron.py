"""Cron expressions: what may be written, and which times on the wall clock it names. Pure.

Of time zones nothing is known here. A time on the wall is a number: the seconds from the start of
1970 to it, were every day 24 hours long.
"""

import re
from bisect import bisect_left
from calendar import isleap
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from cronsim import CronSim, CronSimError

from app.domain.errors import InvalidRecurrenceError

EXPRESSION_LIMIT: Final = 255

_DAY_SECONDS: Final = 86_400
_NICKNAMES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class _Field(NamedTuple):
    name: str
    size: int
    what: str


_FIELDS: Final = (
    _Field("second", 60, "seconds are 0 to 59"),
    _Field("minute", 60, "minutes are 0 to 59"),
    _Field("hour", 24, "hours are 0 to 23"),
    _Field(
        "day of month",
        31,
        "days of the month are 1 to 31, L (the last) or LW (the last from Monday to Friday)",
    ),
    _Field("month", 12, "months are 1 to 12 or JAN to DEC"),
    _Field(
        "day of week",
        7,
        "days of the week are 0 to 7 (0 and 7 are Sunday) or SUN to SAT, "
        "5L (the last Friday) or 1#2 (the second Monday)",
    ),
)
_FORMS: Final = "alone, as a range (1-5), as a step (*/5), or several with commas"
_ANY_TIME: Final = datetime(2000, 1, 1)  # noqa: DTZ001  (nothing is asked of it)
_EPOCH: Final = date(1970, 1, 1).toordinal()
# A year is one of 14 kinds, by its length and first weekday; 28 years have all of them.
_KINDS: Final = {(isleap(y), date(y, 1, 1).weekday()): y for y in range(2000, 2028)}


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression that was understood; `parse_cron` makes it.

    `names_times` says that neither minute nor hour begins with `*`: it means certain times of day,
    not a rhythm. All methods take and give times on the wall, `begin` included, `end` not.
    """

    expression: str
    names_times: bool
    _days: str
    _hours: tuple[int, ...]
    _minutes: tuple[int, ...]
    _seconds: tuple[int, ...]

    def within(self, begin: int, end: int) -> Iterator[int]:
        """Those named from begin to end, first to last."""
        for day in self._days_within(begin, end):
            ranks = range(self._rank(begin - day), self._rank(end - day))
            yield from (day + self._time_of_day(rank) for rank in ranks)

    def within_backwards(self, begin: int, end: int) -> Iterator[int]:
        """Those named from begin to end, last to first."""
        for day in self._days_within(begin, end, backwards=True):
            ranks = range(self._rank(begin - day), self._rank(end - day))
            yield from (day + self._time_of_day(rank) for rank in reversed(ranks))

    def count(self, begin: int, end: int) -> int:
        """How many are named from begin to end, without a look at each, or even at each day."""
        if begin >= end:
            return 0
        first, last = begin - begin % _DAY_SECONDS, end - 1 - (end - 1) % _DAY_SECONDS
        each_day = self._rank(_DAY_SECONDS)
        count = each_day * sum(len(days) for _, days in self._years_within(begin, end))
        if self._has_day(first):
            count -= self._rank(begin - first)
        if self._has_day(last):
            count -= each_day - self._rank(end - last)
        return count

    def _has_day(self, day: int) -> bool:
        return next(self._days_within(day, day + 1), None) is not None

    def _days_within(self, begin: int, end: int, *, backwards: bool = False) -> Iterator[int]:
        for new_year, days in self._years_within(begin, end, backwards=backwards):
            for day in reversed(days) if backwards else days:
                yield (new_year + day) * _DAY_SECONDS

    def _years_within(
        self, begin: int, end: int, *, backwards: bool = False
    ) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Of each year its first day, counted from 1970, and those named, counted from that."""
        if begin >= end:
            return
        first, last = begin // _DAY_SECONDS, (end - 1) // _DAY_SECONDS
        years = range(
            date.fromordinal(first + _EPOCH).year, date.fromordinal(last + _EPOCH).year + 1
        )
        for year in reversed(years) if backwards else years:
            new_year = date(year, 1, 1)
            days = _days_of_year(self._days, _KINDS[isleap(year), new_year.weekday()])
            since = new_year.toordinal() - _EPOCH
            yield (
                since,
                days[bisect_left(days, first - since) : bisect_left(days, last + 1 - since)],
            )

    def _rank(self, second: int) -> int:
        """How many of the times of day come before this second of it."""
        hour, rest = divmod(min(max(second, 0), _DAY_SECONDS), 3600)
        minute, second = divmod(rest, 60)
        rank = bisect_left(self._hours, hour) * len(self._minutes)
        if hour not in self._hours:
            return rank * len(self._seconds)
        rank += bisect_left(self._minutes, minute)
        if minute not in self._minutes:
            return rank * len(self._seconds)
        return rank * len(self._seconds) + bisect_left(self._seconds, second)

    def _time_of_day(self, rank: int) -> int:
        rank, second = divmod(rank, len(self._seconds))
        hour, minute = divmod(rank, len(self._minutes))
        return self._hours[hour] * 3600 + self._minutes[minute] * 60 + self._seconds[second]


@lru_cache(maxsize=1024)
def parse_cron(expression: str) -> Cron:
    """Understand five fields (minute, hour, day of month, month, day of week), six (the second
    first), or a nickname such as @daily.

    Raises InvalidRecurrenceError, with a sentence that names the field and what it may be; also
    where no year has such a day.
    """
    fields = _fields(expression)
    try:
        parsed = CronSim(" ".join(fields), _ANY_TIME)
    except CronSimError:
        # It knows of some that no month has such a day.
        raise never_comes(expression) from None
    days = " ".join(fields[3:])
    if not any(_days_of_year(days, year) for year in _KINDS.values()):
        raise never_comes(expression)
    return Cron(
        expression,
        not any(field.startswith("*") for field in fields[1:3]),
        days,
        *(tuple(sorted(values)) for values in (parsed.hours, parsed.minutes, parsed.seconds)),
    )


def never_comes(expression: str) -> InvalidRecurrenceError:
    """What an expression is refused with that names no time in reach."""
    return _refused(f"{expression} never comes within 10 years")


@lru_cache(maxsize=1024)
def _days_of_year(fields: str, year: int) -> tuple[int, ...]:
    """The days that fit the three fields, counted from the first of the year."""
    parsed = CronSim(f"0 0 {fields}", _ANY_TIME)
    days = ((n, date(year, 1, 1) + timedelta(n)) for n in range(365 + isleap(year)))
    return tuple(n for n, day in days if day.month in parsed.months and parsed.match_day(day))


def _fields(expression: str) -> list[str]:
    """Six, the second first, each possible by itself."""
    if len(expression) > EXPRESSION_LIMIT:
        raise _refused(f"must be at most {EXPRESSION_LIMIT} characters")
    if not re.fullmatch(r"[ -~\t]*", expression):
        raise _refused("must be written in ASCII letters, digits and signs, on one line")
    written = expression.split()
    if expression.lstrip().startswith("@"):
        nickname = expression.strip().lower()
        if nickname not in _NICKNAMES:
            raise _refused(f"{nickname} is not possible; there are {', '.join(_NICKNAMES)}")
        written = _NICKNAMES[nickname].split()
    if len(written) not in {5, len(_FIELDS)}:
        raise _refused(
            f"has {len(written)} field{'s' * (len(written) != 1)}; it must have 5 (minute, hour, "
            "day of month, month, day of week), or 6 with the second first"
        )
    fields = ["0", *written] if len(written) < len(_FIELDS) else written
    return [
        ",".join(_checked(term, place) for term in text.split(","))
        for place, text in enumerate(fields)
    ]


def _checked(term: str, place: int) -> str:
    """Each by itself, so that it can be said which one is wrong."""
    name, size, what = _FIELDS[place]
    base, slash, step = term.partition("/")
    # cronsim takes */90 for */60, and L/2 for L.
    if not (slash and (base.upper().startswith("L") or (step.isdigit() and int(step) > size))):
        with suppress(CronSimError):
            _only(term, place)
            # And 5-5/15 for 5/15, which is 5 and what follows.
            return base if "-" in base and _is_one(base, place) else term
    if slash:
        what += f", steps 1 to {size}"
    raise _refused(f"{name}: {term or 'nothing'} is not possible; {what}, {_FORMS}")


def _only(term: str, place: int) -> CronSim:
    return CronSim(" ".join(["*"] * place + [term or "-"] + ["*"] * (5 - place)), _ANY_TIME)


def _is_one(term: str, place: int) -> bool:
    parsed = _only(term, place)
    values = (
        parsed.seconds,
        parsed.minutes,
        parsed.hours,
        parsed.days,
        parsed.months,
        parsed.weekdays,
    )
    return len(values[place]) == 1


def _refused(sentence: str) -> InvalidRecurrenceError:
    return InvalidRecurrenceError("cron", sentence)
