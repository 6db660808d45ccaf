"""Cron expressions where clocks are put forward and back: by a table, and in all zones."""

import struct
from datetime import datetime, timedelta
from io import BytesIO
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from app.domain.cron import parse_cron
from app.domain.errors import InvalidRecurrenceError
from app.domain.occurrences import CronRule
from tests.support.cron_texts import expressions
from tests.support.recurrences import AT, of
from tests.support.transitions import Transition, transitions
from tests.support.wall_clock import SECOND, occurrences

EPOCH = AT("1970-01-01")
AROUND = timedelta(hours=2)
ALL = 10**9


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        # From 02:00 to 03:00. What names a time in the gap comes at its end, once.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12", "29T03:00:00+02:00 30T02:30:00+02:00"),
        ("0,30 2 * * *", "Europe/Berlin", "2026-03-28T12", "29T03:00:00+02:00 30T02:00:00+02:00"),
        ("0 2,3 * * *", "Europe/Berlin", "2026-03-28T12", "29T03:00:00+02:00 30T02:00:00+02:00"),
        ("0 0-23 * * *", "Europe/Berlin", "2026-03-29T00", "29T03:00:00+02:00 29T04:00:00+02:00"),
        ("15 30 2 * * *", "Europe/Berlin", "2026-03-28T12", "29T03:00:00+02:00 30T02:30:15+02:00"),
        ("*/20 9 2 * * *", "Europe/Berlin", "2026-03-28T12", "29T03:00:00+02:00 30T02:09:00+02:00"),
        # What names none is left out where it does not exist.
        ("0 */2 * * *", "Europe/Berlin", "2026-03-28T22", "29T00:00:00+01:00 29T04:00:00+02:00"),
        ("*/30 2 * * *", "Europe/Berlin", "2026-03-28T12", "30T02:00:00+02:00 30T02:30:00+02:00"),
        ("9 */30 2 * * *", "Europe/Berlin", "2026-03-28T12", "30T02:00:09+02:00 30T02:30:09+02:00"),
        ("@hourly", "Europe/Berlin", "2026-03-29T00", "29T03:00:00+02:00 29T04:00:00+02:00"),
        # From 03:00 to 02:00. What names a time comes the first time.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12", "25T02:30:00+02:00 26T02:30:00+01:00"),
        ("15 30 2 * * *", "Europe/Berlin", "2026-10-24T12", "25T02:30:15+02:00 26T02:30:15+01:00"),
        ("0 1-3 * * *", "Europe/Berlin", "2026-10-25T00:01", "25T03:00:00+01:00 26T01:00:00+01:00"),
        # Asked in the hour's second half, when it was there already.
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T01:15", "26T02:30:00+01:00 27T02:30:00+01:00"),
        ("5 30 2 * * *", "Europe/Berlin", "2026-10-25T01", "26T02:30:05+01:00 27T02:30:05+01:00"),
        # What names none comes twice.
        ("0 */2 * * *", "Europe/Berlin", "2026-10-24T23", "25T02:00:00+02:00 25T02:00:00+01:00"),
        ("@hourly", "Europe/Berlin", "2026-10-24T23", "25T02:00:00+02:00 25T02:00:00+01:00"),
        ("9 0 * * * *", "Europe/Berlin", "2026-10-24T23:59", "25T02:00:09+02:00 25T02:00:09+01:00"),
        # There the day begins at 01:00, and is not skipped.
        ("0 0 * * *", "America/Santiago", "2026-09-05T12", "06T01:00:00-03:00 07T00:00:00-03:00"),
        ("@daily", "Africa/Cairo", "2026-04-23T12", "24T01:00:00+03:00 25T00:00:00+03:00"),
        # And ends at midnight, an hour after the first time.
        ("@daily", "America/Santiago", "2026-04-04T12", "05T00:00:00-04:00 06T00:00:00-04:00"),
        ("59 23 * * *", "Africa/Cairo", "2026-10-29T12", "29T23:59:00+03:00 30T23:59:00+02:00"),
        # Half an hour.
        ("9 2 * * *", "Australia/Lord_Howe", "2026-10-03", "04T02:30:00+11:00 05T02:09:00+11:00"),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04", "05T01:45:00+11:00 06T01:45:00+10:30"),
        # A day that was left out when the date line was moved.
        ("0 9 * * *", "Pacific/Apia", "2011-12-30T00", "31T00:00:00+14:00 31T09:00:00+14:00"),
        ("0 */9 * * *", "Pacific/Apia", "2011-12-30T06", "31T00:00:00+14:00 31T09:00:00+14:00"),
        # To no whole minute: from 00:00:00 to 00:44:30.
        ("0 0 * * *", "Africa/Monrovia", "1972-01-06T12", "07T00:44:30+00:00 08T00:00:00+00:00"),
        # Fields of days: one or the other, as cron has it; 0 is Sunday.
        ("0 0 1 * 1", "UTC", "2026-03-28T12", "30T00:00:00+00:00 01T00:00:00+00:00"),
        ("0 0 * * 0", "UTC", "2026-03-28T12", "29T00:00:00+00:00 05T00:00:00+00:00"),
        ("0 0 */2 * 1", "UTC", "2026-03-02T12", "09T00:00:00+00:00 23T00:00:00+00:00"),
    ],
)  # fmt: skip
def test_the_table(cron: str, zone: str, after: str, expected: str) -> None:
    found = of(cron=cron, timezone=zone)

    upcoming = found.upcoming(AT(after), limit=2)

    assert " ".join(found.local(at)[8:] for at in upcoming) == expected


def test_a_day_shown_twice_runs_once_though_the_clock_is_put_forward_in_its_second_half() -> None:
    # At noon of the 2nd the date line is crossed: it is noon of the 1st again. At two the clock is
    # put forward to three, but half past two has been there.
    noon = AT("2026-01-02T00:00")
    zone = zone_of(12, (noon, -12), (noon + timedelta(hours=2), -11))
    rule = CronRule(parse_cron("30 14 * * *"), zone)

    assert [*islice(rule.after(noon - timedelta(days=1)), 3)] == [
        AT(f"2026-01-0{day}") for day in ("1T02:30", "3T01:30", "4T01:30")
    ]


def zone_of(first: int, *changes: tuple[datetime, int]) -> ZoneInfo:
    """A zone that does not exist, by its hours before UTC and from when there were others."""
    hours = [first, *(hours for _, hours in changes)]
    at = [(moment - EPOCH) // SECOND for moment, _ in changes]
    count = len(changes)
    return ZoneInfo.from_file(
        BytesIO(
            struct.pack(">5s15x6I", b"TZif", 0, 0, 0, count, count + 1, 4)
            + struct.pack(f">{count}i{count}B", *at, *range(1, count + 1))
            + b"".join(struct.pack(">iBB", hour * 3600, 0, 0) for hour in hours)
            + b"ABC\0"
        )
    )


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, Transition]:
    """A change of a clock, and an expression that often names a time near it."""
    change = draw(st.sampled_from(transitions()))
    walls = [
        EPOCH + timedelta(seconds=change.at + offset, hours=hours)
        for offset in (change.before, change.after)
        for hours in (-1, 0, 1)
    ]
    hours = tuple(sorted({wall.hour for wall in walls}))
    minutes = tuple(sorted({wall.minute for wall in walls} | {30, 59}))
    return draw(expressions(hours=hours, minutes=minutes)), change


def check_against_each_second(cron: str, change: Transition, after: int, length: int) -> None:
    """What is between two instants, how many, and the last of them."""
    shift = timedelta(seconds=abs(change.after - change.before))
    begin = EPOCH + timedelta(seconds=change.at) - AROUND
    end = begin + 2 * AROUND + shift
    try:
        found = of(cron=cron, timezone=change.zone)
    except InvalidRecurrenceError as error:
        assume("never comes" not in str(error))
        raise
    seconds = occurrences(cron, ZoneInfo(change.zone), begin, end, shift=shift)

    assert found.between(begin - SECOND, end - SECOND, limit=ALL) == seconds
    since = begin + timedelta(microseconds=after)
    until = min(since + timedelta(seconds=length), end - SECOND)
    some = [at for at in seconds if since < at <= until]
    assert found.between(since, until, limit=ALL) == some
    assert found.count(since, until) == len(some)
    assert found.newest_of(since, until, limit=3) == some[-3:]
    upcoming = found.next_after(since)
    assert upcoming == some[0] if some else upcoming is None or upcoming > until


AFTER = st.integers(0, 4 * 3_600_000_000)
LENGTH = st.integers(0, 4 * 3600)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=changes(), after=AFTER, length=LENGTH)
def test_each_second_around_a_change_of_any_clock(
    case: tuple[str, Transition], after: int, length: int
) -> None:
    check_against_each_second(*case, after, length)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=changes(), after=AFTER, length=LENGTH)
def test_each_second_around_many_changes_of_clocks(
    case: tuple[str, Transition], after: int, length: int
) -> None:
    check_against_each_second(*case, after, length)
