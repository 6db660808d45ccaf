"""How long a task waits that a worker has no handler for, and how often the log says so."""

import logging

import pytest

from rowlock.models import Task
from rowlock.worker import unknown_titles
from rowlock.worker.unknown_titles import UnknownTitles, delay_seconds
from tests.support.sdk import A_TASK


@pytest.mark.parametrize(
    ("attempt", "retries", "seconds"),
    [
        *((1, 0, 1), (2, 0, 2), (3, 0, 4), (9, 0, 256), (10, 0, 300), (100_000, 0, 300)),
        # Failed attempts are no releases, and a server may count in another way.
        *((3, 2, 1), (5, 2, 4), (0, 0, 1)),
    ],
)
def test_it_waits_twice_as_long_each_time(attempt: int, retries: int, seconds: int) -> None:
    task = Task(**A_TASK | {"attempt": attempt, "current_retry_count": retries})
    assert delay_seconds(task) == seconds


def test_each_title_is_logged_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.WARNING, "rowlock.worker")
    monkeypatch.setattr(unknown_titles, "TITLES_LIMIT", 3)
    titles = UnknownTitles()
    for title in "abcabcabcd":
        titles.note(title)
    assert len(caplog.records) == 4
