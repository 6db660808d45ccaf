"""The line of submits: who goes in the next call, and who waits for it."""

from math import inf

import pytest

from rowlock.client import line
from rowlock.client.line import BATCH_LIMIT, WORTH_A_CALL, Line, Waiting


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause of this machine's is a moment over."""
    monkeypatch.setattr(line, "PATIENCE_SECONDS", inf)


def joined(to: Line[Waiting], count: int) -> None:
    for _ in range(count):
        to.join(Waiting(b"{}", 1.0))


def test_two_alone_go_at_once() -> None:
    of_two: Line[Waiting] = Line()
    for _ in range(2):
        joined(of_two, 1)
        assert len(of_two.take()) == 1
    joined(of_two, 1)
    assert not of_two.take()


def test_few_wait_for_a_larger_call_and_go_with_its_callers() -> None:
    few: Line[Waiting] = Line()
    joined(few, 20)
    large = few.take()
    assert len(large) == 20
    joined(few, 12)
    assert not few.take()
    few.land(large)
    joined(few, 20)
    assert len(few.take()) == 32
    assert not few.take()


def test_as_many_go_beside_it() -> None:
    as_many: Line[Waiting] = Line()
    joined(as_many, 3)
    as_many.take()
    joined(as_many, 2)
    assert not as_many.take()
    joined(as_many, 1)
    assert len(as_many.take()) == 3


def test_enough_go_beside_any() -> None:
    many: Line[Waiting] = Line()
    joined(many, 2 * BATCH_LIMIT)
    assert len(many.take()) == len(many.take()) == BATCH_LIMIT
    landed: Line[Waiting] = Line()
    joined(landed, WORTH_A_CALL + 20)
    assert len(landed.take()) == WORTH_A_CALL
    joined(landed, WORTH_A_CALL - 21)
    assert not landed.take()
    joined(landed, 1)
    assert len(landed.take()) == WORTH_A_CALL


def test_those_that_are_enough_for_two_calls_are_divided() -> None:
    enough: Line[Waiting] = Line()
    joined(enough, 150)
    assert len(enough.take()) == len(enough.take()) == 75


def test_who_has_waited_for_a_moment_goes_beside_a_larger_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few: Line[Waiting] = Line()
    joined(few, 20)
    few.take()
    joined(few, 1)
    assert few.patience_seconds() == inf
    monkeypatch.setattr(line, "PATIENCE_SECONDS", 0.0)
    assert few.patience_seconds() == 0
    assert len(few.take()) == 1
    joined(few, 1)
    assert few.patience_seconds() is None
    assert not few.take()
