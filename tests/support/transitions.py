"""When the clocks of all zones change: as the data say, not found by looking at the clocks."""

from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

FROM_YEAR, TO_YEAR = 1970, 2037


class Transition(NamedTuple):
    """At this second since 1970, in UTC, the clock of the zone goes from one offset to another."""

    zone: str
    at: int
    before: int
    after: int


@cache
def transitions() -> tuple[Transition, ...]:
    """Those of all zones from 1970 to 2037. Of zones with more than one name, by the first."""
    begin, end = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp()) for y in (FROM_YEAR, TO_YEAR + 1))
    found: dict[tuple[tuple[int, int, int], ...], str] = {}
    for name in sorted(available_timezones() - {"localtime", "Factory"}):
        zone = ZoneInfo(name)
        seconds = sorted(at for at in _listed(name) if begin <= at < end)
        changes = ((at, _offset(zone, at - 1), _offset(zone, at)) for at in seconds)
        found.setdefault(tuple(c for c in changes if c[1] != c[2]), name)
    return tuple(Transition(name, *change) for changes, name in found.items() for change in changes)


def _listed(name: str) -> set[int]:
    # The class in Python, unlike the one in C, lets itself be looked into.
    zone: Any = import_module("zoneinfo._zoneinfo").ZoneInfo.no_cache(name)
    listed = {*zone._trans_utc}
    rule = zone._tz_after
    if hasattr(rule, "transitions"):
        for year in range(FROM_YEAR, TO_YEAR + 1):
            begin, end = rule.transitions(year)
            listed |= {begin - _seconds(rule.std), end - _seconds(rule.dst)}
    return listed


def _seconds(info: Any) -> int:
    return int(info.utcoff.total_seconds())


def _offset(zone: ZoneInfo, second: int) -> int:
    offset = datetime.fromtimestamp(second, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())
