"""What a process remembers of where its queues begin: not for longer than a second, or so."""

from datetime import datetime
from types import SimpleNamespace

import pytest

from app.queue.attempts import claim_marks
from app.queue.attempts.claim_marks import UNKNOWN, ClaimMarks, Mark

SEEN = (Mark(datetime(2026, 1, 1)), Mark(datetime(2026, 1, 2), may_be_dry=False), Mark())  # noqa: DTZ001
LATER = (Mark(datetime(2026, 1, 3)), *SEEN[1:])  # noqa: DTZ001
LATEST = (Mark(datetime(2026, 1, 4)), *SEEN[1:])  # noqa: DTZ001


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def monotonic(self) -> float:
        self.seconds += 1e-6  # no two moments are the same
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(claim_marks, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def marks(clock: Clock) -> ClaimMarks:
    return ClaimMarks()


def test_at_first_nothing_is_known(marks: ClaimMarks) -> None:
    assert marks.look("default").marks is UNKNOWN


def test_what_was_seen_is_where_the_next_one_begins(marks: ClaimMarks) -> None:
    marks.saw("default", marks.look("default"), SEEN)
    assert marks.look("default").marks == SEEN
    marks.saw("default", marks.look("default"), LATER)
    assert marks.look("default").marks == LATER


def test_each_queue_has_its_own(marks: ClaimMarks) -> None:
    marks.saw("default", marks.look("default"), SEEN)
    assert marks.look("mail").marks is UNKNOWN


def test_a_second_after_the_look_from_the_beginning_nothing_is_known_again(
    marks: ClaimMarks, clock: Clock
) -> None:
    marks.saw("default", marks.look("default"), SEEN)
    clock.seconds += 0.9
    marks.saw("default", marks.look("default"), LATER)
    assert marks.look("default").marks == LATER
    clock.seconds += 0.2
    assert marks.look("default").marks is UNKNOWN


@pytest.mark.parametrize(("took", "lasts"), [(0.01, 1.0), (0.1, 2.0), (3.0, 5.0)])
def test_a_look_that_took_long_is_remembered_for_long(
    marks: ClaimMarks, clock: Clock, took: float, lasts: float
) -> None:
    look = marks.look("default")
    clock.seconds += took
    marks.saw("default", look, SEEN)
    clock.seconds += lasts - took - 0.1
    assert marks.look("default").marks == SEEN
    clock.seconds += 0.2
    assert marks.look("default").marks is UNKNOWN


def test_of_two_looks_under_way_the_later_one_counts(marks: ClaimMarks) -> None:
    marks.saw("default", marks.look("default"), SEEN)
    early, late = marks.look("default"), marks.look("default")
    marks.saw("default", late, LATEST)
    marks.saw("default", early, LATER)
    assert marks.look("default").marks == LATEST


def test_what_has_become_claimable_is_looked_for_at_once(marks: ClaimMarks) -> None:
    marks.saw("default", marks.look("default"), SEEN)
    known, from_the_beginning = marks.look("default"), claim_marks.Look.from_the_beginning()
    marks.forget("default")
    assert marks.look("default").marks is UNKNOWN
    for too_early in (known, from_the_beginning):
        marks.saw("default", too_early, LATER)
        assert marks.look("default").marks is UNKNOWN
    marks.saw("default", marks.look("default"), SEEN)
    assert marks.look("default").marks == SEEN


def test_a_look_that_began_before_all_was_forgotten_is_not_remembered(marks: ClaimMarks) -> None:
    look = marks.look("default")
    marks.forget_all()
    marks.saw("default", look, SEEN)
    assert marks.look("default").marks is UNKNOWN


def test_however_many_queues_are_named_few_are_remembered(
    marks: ClaimMarks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim_marks, "MOST_QUEUES", 3)
    early = marks.look("late")
    for name in "abcd":
        marks.saw(name, marks.look(name), SEEN)
    assert marks.look("a").marks is UNKNOWN
    assert marks.look("d").marks == SEEN
    # Whether "late" was forgotten after that look began is not known any more.
    marks.saw("late", early, SEEN)
    assert marks.look("late").marks is UNKNOWN
