"""How far down a queue the claim looks: never too far up for longer than a second."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from app.queue import low_water
from app.queue.calls import Scan
from app.queue.low_water import BEGINNING, LATE_COMMITS, LowWater
from app.states import Status
from app.task import Task
from tests.rows import a_row

NOW = datetime(2026, 1, 1, 12)  # noqa: DTZ001
LIMIT = 3


def waiting(*ranks_and_ages: tuple[int, int]) -> list[Task]:
    """Claimable tasks by rank and age in seconds."""
    return [
        a_row(Status.TO_DO, claim_rank=rank, created_at=NOW - timedelta(seconds=age))
        for rank, age in ranks_and_ages
    ]


def after(*scans: Sequence[Task]) -> low_water.Bounds:
    marks = LowWater()
    for found in scans:
        marks.saw(Scan("default", found, LIMIT, NOW))
    return marks.of("default")


def test_at_first_everything_is_looked_at() -> None:
    assert LowWater().of("default") == BEGINNING


def test_what_ran_dry_is_looked_at_from_lately_on() -> None:
    assert after([]) == (NOW - LATE_COMMITS,) * 3
    assert after(waiting((2, 50))) == (NOW - LATE_COMMITS,) * 3


def test_a_full_scan_begins_at_its_last_task_the_next_time() -> None:
    top, middle, bottom = after(waiting((0, 90), (1, 80), (1, 70)))

    assert top == NOW - LATE_COMMITS
    assert middle == NOW - timedelta(seconds=70)
    assert bottom == BEGINNING[2]


def test_bounds_only_move_on() -> None:
    assert after([], waiting((1, 99), (1, 98), (1, 97))) == (NOW - LATE_COMMITS,) * 3


def test_each_queue_has_its_own() -> None:
    marks = LowWater()
    marks.saw(Scan("default", [], LIMIT, NOW))
    assert marks.of("mail") == BEGINNING


def test_after_a_second_everything_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    marks = LowWater()
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    marks.saw(Scan("default", [], LIMIT, NOW))
    monkeypatch.setattr(time, "monotonic", lambda: 100.9)
    marks.saw(Scan("default", [], LIMIT, NOW))
    assert marks.of("default") != BEGINNING
    monkeypatch.setattr(time, "monotonic", lambda: 101.1)
    assert marks.of("default") == BEGINNING


def test_what_has_become_claimable_here_is_looked_for_at_once() -> None:
    marks = LowWater()
    marks.saw(Scan("default", [], LIMIT, NOW))
    marks.forget("default")
    assert marks.of("default") == BEGINNING
