"""Time zones: which there are, and when their clocks are put forward and back. Pure.

An instant is a number here: the whole seconds of UTC since the start of 1970.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.domain.errors import InvalidRecurrenceError

_SECOND: Final = timedelta(seconds=1)
EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  (times are naive UTC)
# Of what lies outside no zone could say what the clock on the wall shows: it has years 1 to 9999.
END_OF_TIME: Final = datetime(9999, 12, 30)  # noqa: DTZ001
FIRST: Final = (datetime(1, 1, 3) - EPOCH) // _SECOND  # noqa: DTZ001
LAST: Final = (END_OF_TIME - EPOCH) // _SECOND

# Not absolute, nothing hidden, no way up; `zoneinfo` says which of them there are.
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9][A-Za-z0-9_+-]*){0,2}")
# What a machine's own files have besides: its own zone, and clocks that count leap seconds.
_NOT_ZONES: Final = re.compile(r"(localtime|posixrules|Factory)$|(posix|right)/")
_EPOCH_DAY: Final = EPOCH.toordinal()
_DAY_SECONDS: Final = 86_400
# The shortest time that a clock was known to be put forward, or back, is four days (in 1939).
_STEP_SECONDS: Final = 2 * 86_400


class Stretch(NamedTuple):
    """From begin (included) to end (not) the clock on the wall is this far ahead of UTC."""

    begin: int
    end: int
    offset: int


def parse_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name such as Europe/Berlin. Raises InvalidRecurrenceError."""
    try:
        if _NAME.fullmatch(name) and not _NOT_ZONES.match(name):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise InvalidRecurrenceError(
        "timezone", "must be the name of an IANA time zone, such as Europe/Berlin or UTC"
    )


def stretches(zone: ZoneInfo, begin: int, end: int) -> Iterator[Stretch]:
    """From begin to end, without a hole, each with an offset other than the one before."""
    begin, end = max(begin, FIRST), min(end, LAST)
    if begin >= end:
        return
    offset = _offset(zone, begin)
    years = range(_year(begin), _year(end) + 1)
    for at, changed in chain.from_iterable(_changes(zone, year) for year in years):
        if begin < at < end:
            yield Stretch(begin, at, offset)
            begin, offset = at, changed
    yield Stretch(begin, end, offset)


@lru_cache(maxsize=8192)
def _changes(zone: ZoneInfo, year: int) -> tuple[tuple[int, int], ...]:
    """When in this year of UTC the offset changes, and to what."""
    begin = max((date(year, 1, 1).toordinal() - _EPOCH_DAY) * _DAY_SECONDS, FIRST + 1)
    end = min((date(year, 12, 31).toordinal() - _EPOCH_DAY + 1) * _DAY_SECONDS, LAST)
    found: list[tuple[int, int]] = []
    at, offset = begin - 1, _offset(zone, begin - 1)
    while at < end - 1:
        step = min(at + _STEP_SECONDS, end - 1)
        if _offset(zone, step) == offset:
            at = step
            continue
        between = range(at, step + 1)
        at = between[bisect_left(between, True, key=_other_than(zone, offset))]
        offset = _offset(zone, at)
        found.append((at, offset))
    return tuple(found)


def _other_than(zone: ZoneInfo, offset: int) -> Callable[[int], bool]:
    return lambda instant: _offset(zone, instant) != offset


def _offset(zone: ZoneInfo, instant: int) -> int:
    # Not by `utcoffset`, which goes back from the wall: there an instant is not always one.
    wall = datetime.fromtimestamp(instant, zone).replace(tzinfo=None)
    return (wall - EPOCH) // _SECOND - instant


def _year(instant: int) -> int:
    return datetime.fromtimestamp(instant, UTC).year
