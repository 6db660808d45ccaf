"""The page about schedules says of clocks what is so."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.recurrences import AT, of

DOCS = Path(__file__).parent.parent.parent / "docs"
# In Berlin these days begin at 23:00 and at 22:00 of the day before, in UTC.
DAYS = ((AT("2026-03-28T23:00"), 23), (AT("2026-10-24T22:00"), 25))
MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize("page", ["schedules.md", "schedules.zh-CN.md"])
def test_its_table_of_changed_clocks_is_what_occurs(page: str) -> None:
    text = (DOCS / page).read_text()
    rows = re.findall(r"^\| `([^`]+\*)` \| (.*\d\d:\d\d.*) \| (.*) \|$", text, re.MULTILINE)
    assert len(rows) == 7
    for cron, *cells in rows:
        rule = of(cron=cron, timezone="Europe/Berlin")
        for cell, (begin, hours) in zip(cells, DAYS, strict=True):
            end = begin + timedelta(hours=hours)
            found = rule.between(begin - MICROSECOND, end - MICROSECOND, limit=100)
            times = [rule.local(at)[11:16] for at in found]
            shown = re.findall(r"\d\d:\d\d", cell)
            parts = [times[n : n + len(shown)] for n in range(len(times))]
            assert shown in (parts if "…" in cell else [times]), (cron, cell)


@pytest.mark.parametrize(
    ("zone", "day"), [("America/Santiago", "09-06"), ("Africa/Cairo", "04-24")]
)
def test_no_day_is_left_out_where_midnight_is_in_the_gap(zone: str, day: str) -> None:
    daily = of(cron="0 0 * * *", timezone=zone)
    times = [daily.local(at) for at in daily.upcoming(AT("2026-01-01"), limit=365)]
    assert len({at[:10] for at in times}) == 365
    (odd,) = [at for at in times if "T00:00:00" not in at]
    assert odd.startswith(f"2026-{day}T01:00:00")
