"""Cron expressions: what may be written, and which times on the wall clock it names. Pure.

Of time zones nothing is known here. A time on the wall is a number: the seconds from the start of
1970 to it, were every day 24 hours long.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from cronsim import CronSim, CronSimError

from app.domain.errors import InvalidRecurrenceError

EXPRESSION_LIMIT: Final = 255
DAY_SECONDS: Final = 86_400

_NICKNAMES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_ANY_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
# The 14 kinds of year there are, by length and first weekday, all lie in these.
_ALL_YEARS: Final = (date(2000, 1, 1).toordinal(), date(2028, 1, 1).toordinal())


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
_STEP: Final = re.compile(r"/(\d+)$")


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression that was understood; `parse_cron` makes it.

    `names_times` says that neither minute nor hour begins with `*`: it means certain times of day,
    not a rhythm. All methods take and give times on the wall, `begin` included, `end` not.
    """

    expression: str
    names_times: bool
    _days: CronSim = field(repr=False, compare=False)
    _hours: tuple[int, ...]
    _minutes: tuple[int, ...]
    _seconds: tuple[int, ...]

    def within(self, begin: int, end: int) -> Iterator[int]:
        """Those named from begin to end, first to last."""
        for day in self._matching_days(begin, end):
            times = range(self._rank(begin - day), self._rank(end - day))
            yield from (day + self._time_of_day(rank) for rank in times)

    def within_backwards(self, begin: int, end: int) -> Iterator[int]:
        """Those named from begin to end, last to first."""
        for day in self._matching_days(begin, end, backwards=True):
            times = range(self._rank(begin - day), self._rank(end - day))
            yield from (day + self._time_of_day(rank) for rank in reversed(times))

    def count(self, begin: int, end: int) -> int:
        """How many are named from begin to end, without a look at each."""
        return sum(
            self._rank(end - day) - self._rank(begin - day)
            for day in self._matching_days(begin, end)
        )

    def _matching_days(self, begin: int, end: int, *, backwards: bool = False) -> Iterator[int]:
        days = range(_EPOCH_DAY + begin // DAY_SECONDS, _EPOCH_DAY - -end // DAY_SECONDS)
        for ordinal in reversed(days) if backwards else days:
            day = date.fromordinal(ordinal)
            if day.month in self._days.months and self._days.match_day(day):
                yield (ordinal - _EPOCH_DAY) * DAY_SECONDS

    def _rank(self, second: int) -> int:
        """How many times of a day come before this second of it."""
        hour, rest = divmod(min(max(second, 0), DAY_SECONDS), 3600)
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
        raise never_comes(expression) from None
    cron = Cron(
        expression,
        not any(field.startswith("*") for field in fields[1:3]),
        parsed,
        *(tuple(sorted(values)) for values in (parsed.hours, parsed.minutes, parsed.seconds)),
    )
    begin, end = ((ordinal - _EPOCH_DAY) * DAY_SECONDS for ordinal in _ALL_YEARS)
    if next(cron.within(begin, end), None) is None:
        raise never_comes(expression)
    return cron


def never_comes(expression: str) -> InvalidRecurrenceError:
    """What an expression is refused with that names no time in reach."""
    return InvalidRecurrenceError("cron", f"{expression} never comes within 10 years")


def _fields(expression: str) -> list[str]:
    """Six, the second first, each possible by itself."""
    if len(expression) > EXPRESSION_LIMIT:
        raise _refused(f"must be at most {EXPRESSION_LIMIT} characters")
    if not re.fullmatch(r"[ -~\t]*", expression):
        raise _refused("must be written in ASCII letters, digits and signs, on one line")
    written = expression.split()
    if len(written) == 1 and written[0].startswith("@"):
        known = _NICKNAMES.get(written[0].lower())
        if known is None:
            raise _refused(f"{written[0]} is not possible; there are {', '.join(_NICKNAMES)}")
        written = known.split()
    if len(written) not in {5, len(_FIELDS)}:
        raise _refused(
            f"has {len(written)} field{'s' * (len(written) != 1)}; it must have 5 (minute, hour, "
            "day of month, month, day of week), or 6 with the second first"
        )
    fields = ["0", *written] if len(written) < len(_FIELDS) else written
    for place, text in enumerate(fields):
        for term in text.split(","):
            _check(term, place)
    return fields


def _check(term: str, place: int) -> None:
    name, size, what = _FIELDS[place]
    step = _STEP.search(term)
    if step is None or int(step[1]) <= size:
        # By itself, so that it is known which one is wrong.
        with suppress(CronSimError):
            CronSim(" ".join(["*"] * place + [term or "-"] + ["*"] * (5 - place)), _ANY_TIME)
            return
    if step:
        what += f", steps 1 to {size}"
    raise _refused(f"{name}: {term or 'nothing'} is not possible; {what}, {_FORMS}")


def _refused(sentence: str) -> InvalidRecurrenceError:
    return InvalidRecurrenceError("cron", sentence)
