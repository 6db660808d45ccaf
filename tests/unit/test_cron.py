"""What may be written as a cron expression, what is said of what may not, and what it names."""

from calendar import isleap
from contextlib import suppress
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.cron import parse_cron
from app.domain.errors import InvalidRecurrenceError
from tests.support.cron_texts import DAYS, expressions
from tests.support.wall_clock import Expression

DAY = 86_400
EPOCH = datetime.fromisoformat("1970-01-01")
# One of each kind: of both lengths, beginning on each weekday.
YEARS = (2000, 2001, 2002, 2003, 2004, 2005, 2006, 2008, 2009, 2010, 2012, 2016, 2020, 2024)
DAYS_OF_YEARS = [
    date(year, 1, 1) + timedelta(days=n) for year in YEARS for n in range(365 + isleap(year))
]
FORMS = "alone, as a range (1-5), as a step (*/5), or several with commas"
FIELDS = (
    "it must have 5 (minute, hour, day of month, month, day of week), or 6 with the second first"
)


def wall(moment: str) -> int:
    return (datetime.fromisoformat(moment) - EPOCH) // timedelta(seconds=1)


def said_of(expression: str) -> str:
    with pytest.raises(InvalidRecurrenceError) as refused:
        parse_cron(expression)
    assert refused.value.field == "cron"
    return str(refused.value)


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("61 * * * *", f"minute: 61 is not possible; minutes are 0 to 59, {FORMS}"),
        ("5,61 * * * *", f"minute: 61 is not possible; minutes are 0 to 59, {FORMS}"),
        ("60 * * * * *", f"second: 60 is not possible; seconds are 0 to 59, {FORMS}"),
        ("* 24 * * *", f"hour: 24 is not possible; hours are 0 to 23, {FORMS}"),
        ("9-5 * * * *", f"minute: 9-5 is not possible; minutes are 0 to 59, {FORMS}"),
        (
            "* * 0 * *",
            "day of month: 0 is not possible; days of the month are 1 to 31, L (the last) or LW "
            f"(the last from Monday to Friday), {FORMS}",
        ),
        ("* * * 13 *", f"month: 13 is not possible; months are 1 to 12 or JAN to DEC, {FORMS}"),
        (
            "* * * may-x *",
            f"month: may-x is not possible; months are 1 to 12 or JAN to DEC, {FORMS}",
        ),
        (
            "* * * * 8",
            "day of week: 8 is not possible; days of the week are 0 to 7 (0 and 7 are Sunday) or "
            f"SUN to SAT, 5L (the last Friday) or 1#2 (the second Monday), {FORMS}",
        ),
        # Would be each full hour, and not what was meant.
        (
            "*/90 * * * *",
            f"minute: */90 is not possible; minutes are 0 to 59, steps 1 to 60, {FORMS}",
        ),
        (
            "*/0 * * * *",
            f"minute: */0 is not possible; minutes are 0 to 59, steps 1 to 60, {FORMS}",
        ),
        ("1,,2 * * * *", f"minute: nothing is not possible; minutes are 0 to 59, {FORMS}"),
        ("", f"has 0 fields; {FIELDS}"),
        ("*", f"has 1 field; {FIELDS}"),
        ("* * * *", f"has 4 fields; {FIELDS}"),
        ("* * * * * * *", f"has 7 fields; {FIELDS}"),
        (
            "@reboot",
            "@reboot is not possible; there are @yearly, @annually, @monthly, @weekly, @daily, "
            "@midnight, @hourly",
        ),
        (
            "@every 5m",
            "@every 5m is not possible; there are @yearly, @annually, @monthly, @weekly, @daily, "
            "@midnight, @hourly",
        ),
        ("* * * * *\n", "must be written in ASCII letters, digits and signs, on one line"),
        ("* * * * \0", "must be written in ASCII letters, digits and signs, on one line"),
        ("٣ * * * *", "must be written in ASCII letters, digits and signs, on one line"),
        ("* * * * ſun", "must be written in ASCII letters, digits and signs, on one line"),
        ("* " * 200, "must be at most 255 characters"),
        ("9" * 5000 + " * * * *", "must be at most 255 characters"),
        ("0 0 30 2 *", "0 0 30 2 * never comes within 10 years"),
        ("0 0 31 2,4,6,9,11 *", "0 0 31 2,4,6,9,11 * never comes within 10 years"),
        # The last Monday is never the first or the 21st.
        ("* * */20 * 1L", "* * */20 * 1L never comes within 10 years"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(expression: str, sentence: str) -> None:
    assert said_of(expression) == sentence


@pytest.mark.parametrize(
    "expression",
    [
        "+5 * * * *",
        "-5 * * * *",
        "5- * * * *",
        "1_0 * * * *",
        "1.5 * * * *",
        "** * * * *",
        "*-5 * * * *",
        "? * * * *",
        "*/*/2 * * * *",
        "/5 * * * *",
        "*/x * * * *",
        "1-5-9 * * * *",
        "L * * * *",
        "* * L-3 * *",
        "* * L/2 * *",
        "* * 15W * *",
        "* * * * L",
        "* * * * FRIL",
        "* * * * 8L",
        "* * * * 1#6",
        "* * * * 1#0",
        "* * * * fri-sun",
        "* * * * monday",
        f"{'9' * 200} * * * *",
        f"*/{'9' * 200} * * * *",
        f"* * * * 1#{'9' * 200}",
    ],
)
def test_what_is_no_part_of_cron_is_refused(expression: str) -> None:
    assert " is not possible; " in said_of(expression)


@settings(deadline=None)
@given(text=st.text() | st.text("0123456789*/,-#LW@ SUNMOJAN", max_size=40))
def test_no_text_fails_otherwise_than_by_a_sentence(text: str) -> None:
    with suppress(InvalidRecurrenceError):
        parse_cron(text)


@pytest.mark.parametrize(
    ("nickname", "expression"),
    [
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
        (" @Hourly\t", "0 * * * *"),
    ],
)
def test_nicknames_stand_for_an_expression(nickname: str, expression: str) -> None:
    named, written = parse_cron(nickname), parse_cron(expression)
    period = wall("2026-01-01"), wall("2028-01-01")

    assert [*named.within(*period)] == [*written.within(*period)] != []
    assert named.names_times == written.names_times


def test_seconds_are_the_first_of_six_fields() -> None:
    begin = wall("2026-01-01")

    assert [*parse_cron("*/2 * * * * *").within(begin, begin + 7)] == [
        begin + n for n in (0, 2, 4, 6)
    ]
    assert [*parse_cron("* * * * *").within(begin, begin + 121)] == [
        begin + n for n in (0, 60, 120)
    ]


@pytest.mark.parametrize(
    ("expression", "names_times"),
    [
        ("0 0 * * *", True),
        ("0-59 0-23 * * *", True),
        ("* 5 * * *", False),
        ("*/5 5 * * *", False),
        ("5 */2 * * *", False),
        ("5 * * * *", False),
        ("* 5 5 * * *", True),
        ("5 * 5 * * *", False),
        ("5 5 * * * *", False),
        ("@daily", True),
        ("@hourly", False),
    ],
)
def test_minute_and_hour_that_begin_with_no_star_name_times(
    expression: str, names_times: bool
) -> None:
    assert parse_cron(expression).names_times is names_times


def test_the_years_looked_at_are_of_all_kinds() -> None:
    assert len({(isleap(year), date(year, 1, 1).weekday()) for year in YEARS}) == 14


@settings(max_examples=40, deadline=None)
@given(days=DAYS)
def test_each_day_of_all_kinds_of_years(days: str) -> None:
    expression = Expression(f"0 0 {days}")
    expected = {day for day in DAYS_OF_YEARS if expression.has_day(day)}
    if not expected:
        assert said_of(f"0 0 {days}").endswith("never comes within 10 years")
        return
    cron = parse_cron(f"0 0 {days}")
    for year in YEARS:
        period = wall(f"{year}-01-01"), wall(f"{year + 1}-01-01")
        named = [*cron.within(*period)]
        assert [(EPOCH + timedelta(seconds=time)).date() for time in named] == sorted(
            day for day in expected if day.year == year
        )
        assert [*cron.within_backwards(*period)] == named[::-1]
        assert cron.count(*period) == len(named)


@settings(max_examples=50, deadline=None)
@given(text=expressions(), begin=st.integers(0, 5 * DAY), length=st.integers(0, 3 * DAY))
def test_what_is_named_is_counted(text: str, begin: int, length: int) -> None:
    try:
        cron = parse_cron(text)
    except InvalidRecurrenceError:
        return
    begin += wall("2027-12-28")
    named = [*cron.within(begin, begin + length)]

    assert named == sorted(set(named))
    assert all(begin <= time < begin + length for time in named)
    assert [*cron.within_backwards(begin, begin + length)] == named[::-1]
    assert cron.count(begin, begin + length) == len(named)
