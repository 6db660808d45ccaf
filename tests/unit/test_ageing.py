"""The order in a queue that ages: one by effective times, and strict as long as none is overdue."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.ageing import Ageing
from app.domain.states import Priority

HIGH, MEDIUM, LOW = 0, 1, 2
NOW = datetime(2030, 1, 2, 3, 4, 5)  # noqa: DTZ001  (naive UTC, as MySQL gives it)
BOTH = Ageing.of({Priority.MEDIUM: 600, Priority.LOW: 3600})
ONLY_MEDIUM = Ageing.of({Priority.MEDIUM: 600})


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("begins", "is_overdue"),
    [
        ((ago(9), ago(599), ago(2999)), False),
        ((ago(9), ago(601), ago(9)), True),
        ((ago(9), ago(9), ago(3601)), True),
        # 低 stands 3000 s behind 中.
        ((None, ago(9), ago(2999)), False),
        ((None, ago(9), ago(3001)), True),
        ((ago(9), None, ago(3001)), False),
        # Nothing is overtaken where nothing else is.
        ((None, None, ago(10**6)), False),
        ((None, ago(10**6), None), False),
        ((ago(10**6), None, None), False),
        ((None, None, None), False),
        # At the same moment the higher one is first.
        ((ago(9), ago(600), None), False),
    ],
)
def test_a_rank_is_overdue_once_it_may_be_before_one_above_it(
    begins: tuple[datetime | None, ...], is_overdue: bool
) -> None:
    assert BOTH.is_overdue(begins, NOW) == is_overdue


@pytest.mark.parametrize(
    ("turns", "wanted", "shares"),
    [
        (([ago(5), ago(3)], [], []), 2, [2, 0, 0]),
        (([ago(5), ago(3)], [ago(604)], [ago(3610)]), 2, [1, 0, 1]),
        (([ago(5), ago(3)], [ago(604)], [ago(3610)]), 3, [1, 1, 1]),
        (([ago(5), ago(3)], [ago(604)], [ago(3610)]), 9, [2, 1, 1]),
        (([ago(5)] * 9, [ago(605)] * 9, [ago(3605)] * 9), 10, [9, 1, 0]),
        (([ago(5)], [ago(6)], [ago(7)]), 2, [1, 1, 0]),
        (([], [], []), 5, [0, 0, 0]),
    ],
)
def test_of_each_rank_as_many_are_taken_as_are_among_the_first(
    turns: tuple[list[datetime], ...], wanted: int, shares: list[int]
) -> None:
    assert BOTH.shares(turns, wanted) == shares


def test_a_rank_without_seconds_comes_last_however_old() -> None:
    assert not ONLY_MEDIUM.is_overdue((ago(1), ago(2), ago(10**8)), NOW)
    assert ONLY_MEDIUM.shares(([ago(1)], [ago(700)], [ago(10**8)]), 2) == [1, 1, 0]
    assert ONLY_MEDIUM.shares(([], [ago(1)], [ago(10**8)]), 1) == [0, 1, 0]


def test_seconds_are_said_as_they_were_given() -> None:
    for given_seconds in ({}, {Priority.MEDIUM: 1}, {Priority.MEDIUM: 600, Priority.LOW: 600}):
        assert Ageing.of(given_seconds).seconds == given_seconds


@pytest.mark.parametrize(
    "seconds",
    [
        {Priority.LOW: 3600},
        {Priority.MEDIUM: 600, Priority.LOW: 599},
        {Priority.MEDIUM: -1},
    ],
)
def test_no_rank_may_be_before_the_one_above_it(seconds: dict[Priority, int]) -> None:
    with pytest.raises(ValueError, match="before"):
        Ageing.of(seconds)


ages = st.integers(1, 50)
ageings = st.one_of(
    st.builds(lambda n: Ageing.of({Priority.MEDIUM: n}), ages),
    st.builds(lambda n, m: Ageing.of({Priority.MEDIUM: n, Priority.LOW: n + m}), ages, ages),
)
# Of one rank, the oldest first.
ranks = st.lists(st.integers(0, 100).map(ago), max_size=8).map(sorted)
queues = st.tuples(ranks, ranks, ranks)


def in_order(ageing: Ageing, turns: tuple[list[datetime], ...]) -> list[int]:
    """The rank of each task, by the sentence: it counts as if it had come so much later."""
    behind = [timedelta.max if each is None else each for each in ageing.behind]
    tasks = [
        (timedelta.max if behind[rank] == timedelta.max else behind[rank] - (NOW - turn), rank)
        for rank, of_rank in enumerate(turns)
        for turn in of_rank
    ]
    return [rank for _, rank in sorted(tasks)]


@given(ageings, queues, st.integers(1, 30))
def test_the_shares_are_the_beginning_of_the_order(
    ageing: Ageing, turns: tuple[list[datetime], ...], wanted: int
) -> None:
    expected = in_order(ageing, turns)[:wanted]
    # What a look has found: of each rank no more than are wanted.
    seen = [of_rank[:wanted] for of_rank in turns]
    assert ageing.shares(seen, wanted) == [expected.count(rank) for rank in range(3)]


@given(ageings, queues)
def test_unless_a_rank_is_overdue_the_order_is_that_of_the_ranks(
    ageing: Ageing, turns: tuple[list[datetime], ...]
) -> None:
    begins = [of_rank[0] if of_rank else None for of_rank in turns]
    if not ageing.is_overdue(begins, NOW):
        order = in_order(ageing, turns)
        assert order == sorted(order)


@given(ageings, queues)
def test_a_begin_that_is_remembered_too_early_makes_none_less_overdue(
    ageing: Ageing, turns: tuple[list[datetime], ...]
) -> None:
    begins = [of_rank[0] if of_rank else None for of_rank in turns]
    early = [begin and begin - timedelta(seconds=20) for begin in begins]
    assert ageing.is_overdue(early, NOW) >= ageing.is_overdue(begins, NOW)
