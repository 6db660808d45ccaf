"""What a process remembers of where its queues begin: not for longer than a second."""

import time
from datetime import datetime

import pytest

from app.queue.low_water import UNKNOWN, Head, Heads, LowWater

SEEN = (Head(datetime(2026, 1, 1)), Head(datetime(2026, 1, 2), may_be_dry=False), Head())  # noqa: DTZ001
LATER = (Head(datetime(2026, 1, 3)), *SEEN[1:])  # noqa: DTZ001


def saw(marks: LowWater, began: Heads, heads: Heads, asked_at: float | None = None) -> None:
    marks.saw("default", began, heads, asked_at=asked_at or time.monotonic())


def test_at_first_nothing_is_known() -> None:
    assert LowWater().of("default") is UNKNOWN


def test_what_was_seen_is_where_the_next_one_begins() -> None:
    marks = LowWater()
    saw(marks, UNKNOWN, SEEN)
    assert marks.of("default") == SEEN
    saw(marks, marks.of("default"), LATER)
    assert marks.of("default") == LATER


def test_each_queue_has_its_own() -> None:
    marks = LowWater()
    saw(marks, UNKNOWN, SEEN)
    assert marks.of("mail") is UNKNOWN


def test_after_a_second_nothing_is_known_again(monkeypatch: pytest.MonkeyPatch) -> None:
    marks = LowWater()
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    saw(marks, UNKNOWN, SEEN)
    monkeypatch.setattr(time, "monotonic", lambda: 100.9)
    saw(marks, marks.of("default"), LATER)
    assert marks.of("default") == LATER
    monkeypatch.setattr(time, "monotonic", lambda: 101.1)
    assert marks.of("default") is UNKNOWN


def test_what_has_become_claimable_here_is_looked_for_at_once() -> None:
    marks = LowWater()
    saw(marks, UNKNOWN, SEEN)
    began, asked_at = marks.of("default"), time.monotonic()
    marks.forget("default")
    assert marks.of("default") is UNKNOWN
    saw(marks, began, LATER, asked_at)
    assert marks.of("default") is UNKNOWN, "that claim was too early to see it"
    saw(marks, UNKNOWN, LATER, asked_at)
    assert marks.of("default") is UNKNOWN, "that claim was too early to see it"
