"""When the tasks of occurrences are due."""

from datetime import timedelta
from typing import Any

import pytest

from app.domain.errors import InvalidRecurrenceError
from app.domain.recurrence import due_at
from tests.support.recurrences import AT, NOW, of


def test_the_jitter_of_an_occurrence_is_always_the_same() -> None:
    occurrence = AT("2026-11-30T05:00:00")

    due = [due_at(occurrence, schedule=name, jitter_seconds=3600) for name in ("nightly", "晚报")]
    assert due == [AT("2026-11-30T05:38:59"), AT("2026-11-30T05:34:53")]


def test_jitter_is_less_than_what_was_asked_for_and_spreads_over_all_of_it() -> None:
    hours = [AT("2026-01-01") + timedelta(hours=n) for n in range(1000)]

    delays = {
        (due_at(at, schedule="hourly", jitter_seconds=10) - at).total_seconds() for at in hours
    }

    assert delays == set(range(10))


def test_without_jitter_a_task_is_due_when_it_occurs() -> None:
    assert due_at(NOW, schedule="nightly", jitter_seconds=0) == NOW


@pytest.mark.parametrize(
    ("fields", "shortest"),
    [
        ({"cron": "* * * * *"}, 60),
        ({"cron": "*/7 * * * *"}, 240),  # from :56 to :00
        ({"cron": "* * * * * *"}, 1),
        ({"interval_seconds": 90}, 90),
        # Its hundred end before a day of 23 hours, or have one among them.
        ({"cron": "0 0 * * *", "timezone": "Europe/Berlin"}, 86_400),
        ({"cron": "0 2 * * *", "timezone": "Europe/Berlin", "starts_at": AT("2027-03-01")}, 82_800),
    ],
)
def test_jitter_must_be_less_than_what_is_between_two_occurrences(
    fields: dict[str, Any], shortest: int
) -> None:
    recurrence = of(**fields)

    recurrence.check_jitter(shortest - 1, NOW)
    with pytest.raises(InvalidRecurrenceError) as refused:
        recurrence.check_jitter(shortest, NOW)
    assert refused.value.field == "jitter_seconds"
    assert str(refused.value) == (
        f"must be less than {shortest:,}, the seconds between two of the next 100 occurrences"
    )


def test_any_jitter_will_do_for_a_single_occurrence() -> None:
    of(cron="* * * * *", ends_at=NOW + timedelta(seconds=60)).check_jitter(86_400, NOW)
    of(cron="* * * * *", ends_at=NOW).check_jitter(86_400, NOW)
