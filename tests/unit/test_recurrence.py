"""A schedule's occurrences: from when to when, and how many."""

from datetime import timedelta
from typing import Any

import pytest

from app.domain.errors import InvalidRecurrenceError
from app.domain.recurrence import Recurrence
from tests.support.recurrences import AT, NOW, of

MICROSECOND = timedelta(microseconds=1)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "Europe/Dublin",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/New_York",
    "America/Santiago",
    "America/Nuuk",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
)


# Which fields may be


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({}, "cron", "needs either cron or interval_seconds, not both"),
        (
            {"cron": "@daily", "interval_seconds": 5},
            "cron",
            "needs either cron or interval_seconds, not both",
        ),
        ({"interval_seconds": 0}, "interval_seconds", "must be 1 to 31,536,000"),
        ({"interval_seconds": 31_536_001}, "interval_seconds", "must be 1 to 31,536,000"),
        (
            {"cron": "@daily", "timezone": "Europe/Nowhere"},
            "timezone",
            "must be the name of an IANA time zone, such as Europe/Berlin or UTC",
        ),
        (
            {"cron": "@daily", "starts_at": NOW, "ends_at": NOW - MICROSECOND},
            "ends_at",
            "must not be before starts_at",
        ),
        ({"cron": "@reboot"}, "cron", None),
    ],
)
def test_the_field_that_cannot_be_is_named(
    fields: dict[str, Any], field: str, sentence: str | None
) -> None:
    with pytest.raises(InvalidRecurrenceError) as refused:
        of(**fields)

    assert refused.value.field == field
    assert sentence is None or str(refused.value) == sentence


def test_what_comes_too_seldom_is_refused_when_it_is_asked_for() -> None:
    seldom = of(cron="0 0 * 2 MON#5")  # 2044-02-29

    assert seldom.next_after(NOW) is None
    with pytest.raises(InvalidRecurrenceError, match=r"0 0 \* 2 MON#5 never comes within 10 years"):
        seldom.check_comes(NOW)
    seldom.check_comes(AT("2040-01-01"))
    of(cron="0 0 * 2 MON#5", starts_at=AT("2040-01-01")).check_comes(NOW)
    of(cron="0 0 29 2 *").check_comes(AT("2096-02-29"))
    of(cron="@daily", ends_at=NOW).check_comes(NOW)
    of(interval_seconds=31_536_000).check_comes(NOW)


# From when to when


def test_start_and_end_are_included() -> None:
    daily = of(cron="@daily", starts_at=AT("2026-12-02"), ends_at=AT("2026-12-04"))

    assert daily.upcoming(NOW, limit=9) == [AT(f"2026-12-0{day}") for day in (2, 3, 4)]
    assert daily.next_after(AT("2026-12-04")) is None
    assert daily.count(NOW, AT("2027-01-01")) == 3
    assert daily.newest(NOW, AT("2027-01-01")) == AT("2026-12-04")
    assert daily.newest(NOW, AT("2026-12-01T23:59:59.999999")) is None
    assert daily.between(AT("2026-12-05"), AT("2027-01-01"), limit=9) == []


def test_one_instant_may_be_all_there_is() -> None:
    once = of(cron="@daily", starts_at=AT("2026-12-02"), ends_at=AT("2026-12-02"))

    assert once.upcoming(NOW, limit=9) == [AT("2026-12-02")]


def test_between_and_newest_give_at_most_so_many_and_in_order() -> None:
    daily = of(cron="@daily")
    period = AT("2026-12-01"), AT("2026-12-05")

    assert daily.between(*period, limit=9) == [AT(f"2026-12-0{day}") for day in (2, 3, 4, 5)]
    assert daily.between(*period, limit=2) == [AT(f"2026-12-0{day}") for day in (2, 3)]
    assert daily.newest_of(*period, limit=9) == [AT(f"2026-12-0{day}") for day in (2, 3, 4, 5)]
    assert daily.newest_of(*period, limit=2) == [AT(f"2026-12-0{day}") for day in (4, 5)]


def test_an_occurrence_is_not_after_itself_but_a_microsecond_before_it() -> None:
    daily = of(cron="@daily")

    assert daily.next_after(AT("2026-12-02")) == AT("2026-12-03")
    assert daily.next_after(AT("2026-12-02") - MICROSECOND) == AT("2026-12-02")
    assert daily.newest(NOW, AT("2026-12-02") - MICROSECOND) == AT("2026-12-01")


def test_nothing_is_between_what_is_in_the_wrong_order() -> None:
    for recurrence in (of(cron="30 2 * * *", timezone="Europe/Berlin"), of(interval_seconds=60)):
        for later in (timedelta(0), timedelta(hours=5), timedelta(days=900)):
            assert recurrence.between(NOW + later, NOW, limit=9) == []
            assert recurrence.newest(NOW + later, NOW) is None
            assert recurrence.count(NOW + later, NOW) == 0


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("cron", ["30 2 * * *", "*/30 1-3 * * *", "0 0 * * *", "7 15 */3 * * *"])
def test_one_after_the_other_is_what_was_announced_for_the_year(cron: str, zone: str) -> None:
    recurrence = of(cron=cron, timezone=zone)
    begin, end = AT("2026-01-01"), AT("2027-01-01")
    announced = recurrence.between(begin, end, limit=20_000)

    met, at = [], recurrence.next_after(begin)
    while at is not None and at <= end:
        met.append(at)
        at = recurrence.next_after(at + timedelta(milliseconds=3))

    assert met == announced
    assert recurrence.count(begin, end) == len(announced)
    assert recurrence.newest(begin, end) == announced[-1]
    assert [AT(recurrence.local(at)).timestamp() for at in announced] == [
        AT(f"{at}+00:00").timestamp() for at in announced
    ]


# How many


@pytest.mark.parametrize(
    ("cron", "zone", "count"),
    [
        ("*/1 * * * * *", "UTC", 31_536_000),
        ("*/1 * * * * *", "Europe/Berlin", 31_536_000),
        ("*/7 * * * * *", "Asia/Kathmandu", 9 * 525_600),
        ("* * * * *", "America/Santiago", 525_600),
        ("* 30 2 * * *", "UTC", 365 * 60),
        # One of those minutes does not exist, and comes as one second at 03:00.
        ("* 30 2 * * *", "Europe/Berlin", 364 * 60 + 1),
        ("* */30 2 * * *", "Europe/Berlin", 365 * 120),
        ("@weekly", "Europe/Berlin", 52),
    ],
)
def test_a_year_is_counted_exactly(cron: str, zone: str, count: int) -> None:
    assert of(cron=cron, timezone=zone).count(AT("2025-01-01"), AT("2026-01-01")) == count


def test_the_newest_of_a_year_of_seconds_is_the_last_of_them() -> None:
    each_second = of(cron="* * * * * *", timezone="Europe/Berlin")
    until = AT("2026-10-25T01:15:09.5")

    assert each_second.newest(AT("2025-10-25"), until) == AT("2026-10-25T01:15:09")
    assert each_second.newest_of(AT("2025-10-25"), until, limit=1000) == [
        AT("2026-10-25T01:15:09") - timedelta(seconds=n) for n in reversed(range(1000))
    ]


def test_what_is_rare_is_found() -> None:
    leap_days = of(cron="0 0 29 2 *", timezone="America/New_York")

    assert leap_days.upcoming(AT("2090-01-01"), limit=3) == [
        AT(f"{year}-02-29T05:00") for year in (2092, 2096, 2104)
    ]
    assert leap_days.newest(AT("1900-01-01"), AT("2028-02-29T04:59")) == AT("2024-02-29T05:00")
    assert leap_days.count(AT("1600-01-01"), AT("2000-01-01")) == 97


# Where time ends


@pytest.mark.parametrize(
    "recurrence",
    [
        of(cron="* * * * * *", timezone="Pacific/Kiritimati"),
        of(cron="30 2 * * *", timezone="Pacific/Pago_Pago"),
        of(interval_seconds=31_536_000),
        of(interval_seconds=1, created_at=AT("9999-12-31T23:59:59.999999")),
    ],
)
def test_where_the_calendar_ends_so_does_all_else(recurrence: Recurrence) -> None:
    end = AT("9999-12-31T23:59:59.999999")

    assert recurrence.next_after(end) is None
    assert recurrence.upcoming(end - timedelta(hours=1), limit=3) == []
    assert recurrence.newest(end - timedelta(hours=1), end) is None
    assert recurrence.count(end - timedelta(hours=1), end) == 0
    recurrence.check_jitter(86_400, end)


def test_there_are_occurrences_in_the_first_year_that_can_be_stored() -> None:
    begin = AT("1000-01-01")

    assert of(cron="@daily", timezone="Europe/Berlin").next_after(begin) == AT(
        "1000-01-01T23:06:32"
    )
    assert of(interval_seconds=60).next_after(begin) == AT("1000-01-01T00:00:00.25")
