"""Which time zones there are, and when their clocks change."""

from collections import defaultdict
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from app.domain.errors import InvalidRecurrenceError
from app.domain.zones import Stretch, parse_zone, stretches
from tests.support.transitions import Transition, transitions

YEAR_1970, YEAR_2000, YEAR_2010, YEAR_2038 = 0, 946_684_800, 1_262_304_000, 2_145_916_800


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "Europe",
        "Europe/",
        "Europe/Berlin/",
        "/Europe/Berlin",
        "/usr/share/zoneinfo/Europe/Berlin",
        "../zoneinfo/Europe/Berlin",
        "Europe/../Europe/Berlin",
        "Europe//Berlin",
        "./UTC",
        "..",
        "Europe/Berlin\0",
        "Europe/Berlin\n",
        "Europe\\Berlin",
        "Europe/Nowhere",
        "Nowhere",
        "localtime",
        "posixrules",
        "posix/Europe/Berlin",
        "right/Europe/Berlin",
        "Factory",
        "leapseconds",
        "tzdata.zi",
        "zone.tab",
        "__init__.py",
        "Europe/__init__",
        "+02:00",
        "UTC+2",
        "CEST",
        "欧洲/柏林",
        "Zürich",
        "\ud800",
        "x" * 64,
        "x" * 100_000,
        "a/" * 2000 + "a",
    ],
)
def test_what_is_no_zone_is_refused_in_a_sentence(name: str) -> None:
    with pytest.raises(InvalidRecurrenceError) as refused:
        parse_zone(name)

    assert refused.value.field == "timezone"
    assert str(refused.value) == (
        "must be the name of an IANA time zone, such as Europe/Berlin or UTC"
    )


def test_every_zone_of_the_data_is_taken() -> None:
    names = available_timezones() - {"localtime", "Factory"}

    assert len(names) > 500
    assert {parse_zone(name).key for name in names} == names


# The first years have the shortest summer there has been since 1970, a week in 2000.
@pytest.mark.parametrize(
    ("begin", "end"),
    [(YEAR_2000, YEAR_2010), pytest.param(YEAR_1970, YEAR_2038, marks=pytest.mark.slow)],
)
def test_no_change_of_any_clock_is_missed(begin: int, end: int) -> None:
    listed: defaultdict[str, list[Transition]] = defaultdict(list)
    for change in transitions():
        if begin < change.at < end:
            listed[change.zone].append(change)

    assert len(listed) > 200
    for name, changes in listed.items():
        found = [*stretches(ZoneInfo(name), begin, end)]
        seams = pairwise(found)
        assert [(b.begin, a.offset, b.offset) for a, b in seams] == [c[1:] for c in changes], name


def test_stretches_follow_each_other_without_a_hole() -> None:
    found = [*stretches(ZoneInfo("Europe/Berlin"), YEAR_1970, YEAR_2038)]

    assert (found[0].begin, found[-1].end) == (YEAR_1970, YEAR_2038)
    assert all(a.end == b.begin and a.offset != b.offset for a, b in pairwise(found))


def test_a_zone_whose_clock_never_changes_is_one_stretch() -> None:
    assert [*stretches(ZoneInfo("UTC"), 5, 10**10)] == [Stretch(5, 10**10, 0)]


def test_of_no_time_there_is_no_stretch() -> None:
    assert [*stretches(ZoneInfo("Europe/Berlin"), 5, 5)] == []
    assert [*stretches(ZoneInfo("Europe/Berlin"), 5, 4)] == []


@pytest.mark.parametrize(
    "name", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin"]
)
def test_where_the_calendar_ends_stretches_do(name: str) -> None:
    first, last = -62_135_000_000, 253_402_000_000

    assert next(stretches(ZoneInfo(name), -(10**12), first)).end == first
    assert [*stretches(ZoneInfo(name), last, 10**12)][-1].end > last
