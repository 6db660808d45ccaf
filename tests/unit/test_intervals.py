"""Occurrences each so many seconds."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.recurrences import AT, NOW, of

MICROSECOND = timedelta(microseconds=1)


def test_an_interval_is_counted_from_its_start_or_else_from_when_it_was_made() -> None:
    start = AT("2026-11-29T12:00:07.5")

    assert of(interval_seconds=10, starts_at=start).upcoming(NOW, limit=2) == [
        start,
        start + timedelta(seconds=10),
    ]
    assert of(interval_seconds=10).upcoming(NOW, limit=2) == [
        NOW + timedelta(seconds=10),
        NOW + timedelta(seconds=20),
    ]


def test_an_interval_without_a_start_has_been_before_it_was_made() -> None:
    assert of(interval_seconds=10).newest(AT("2026-01-01"), NOW - MICROSECOND) == (
        NOW - timedelta(seconds=10)
    )


def test_an_interval_knows_no_wall_clock() -> None:
    six_hours = of(interval_seconds=21_600, timezone="Europe/Berlin", starts_at=AT("2026-03-28T23"))

    assert [six_hours.local(at) for at in six_hours.upcoming(AT("2026-03-28"), limit=3)] == [
        "2026-03-29T00:00:00+01:00",
        "2026-03-29T07:00:00+02:00",
        "2026-03-29T13:00:00+02:00",
    ]


def test_a_century_of_seconds_is_counted() -> None:
    each_second = of(interval_seconds=1)

    assert each_second.count(AT("1926-01-01"), AT("2026-01-01")) == 36_525 * 86_400
    assert each_second.newest(AT("1926-01-01"), AT("2026-01-01")) == AT("2025-12-31T23:59:59.25")


INSTANTS = st.datetimes(NOW - timedelta(seconds=500), NOW + timedelta(seconds=500))


@settings(deadline=None)
@given(
    seconds=st.integers(1, 90),
    anchor=st.datetimes(NOW - timedelta(days=400), NOW + timedelta(days=400)),
    after=INSTANTS,
    until=INSTANTS,
)
def test_an_interval_is_its_multiples(
    seconds: int, anchor: datetime, after: datetime, until: datetime
) -> None:
    recurrence = of(interval_seconds=seconds, created_at=anchor)
    first = (NOW - timedelta(seconds=600) - anchor) // timedelta(seconds=seconds)
    everything = (anchor + timedelta(seconds=n * seconds) for n in range(first, first + 1200))
    expected = []
    for at in everything:
        if at > max(after, until):
            break
        if after < at <= until:
            expected.append(at)

    assert recurrence.between(after, until, limit=1000) == expected
    assert recurrence.newest_of(after, until, limit=1000) == expected
    assert recurrence.count(after, until) == len(expected)
