"""Fair turns: in any stretch of claims each group that has tasks gets its share."""

from collections import Counter
from datetime import datetime, timedelta
from heapq import heappop, heappush

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.turns import BY_TURNS, had_turn, turn

NOW = datetime(2026, 11, 30, 12)  # noqa: DTZ001


class Queue:
    """A queue of one priority, and what its groups were given."""

    def __init__(self, weights: dict[str, int]) -> None:
        self._weights = weights
        self._ends: dict[str, datetime] = {}
        self._waiting: list[tuple[datetime, int, str]] = []
        self._number = 0

    def submit(self, group: str, count: int = 1) -> None:
        for _ in range(count):
            self._number += 1
            taken = turn(
                begins_at=self._waiting[0][0] if self._waiting else NOW,
                after=self._ends.get(group),
                weight=self._weights.get(group, 1),
                created_at=NOW - timedelta(days=1),
            )
            self._ends[group] = taken.ends_at
            heappush(self._waiting, (taken.turn_at, self._number, group))

    def claim(self, count: int) -> list[str]:
        return [heappop(self._waiting)[2] for _ in range(min(count, len(self._waiting)))]


def test_a_newcomer_is_next_however_many_wait() -> None:
    queue = Queue({})
    queue.submit("a", 100_000)
    queue.claim(500)
    queue.submit("b")
    assert "b" in queue.claim(2)


def test_each_group_has_the_share_of_its_weight() -> None:
    queue = Queue({"a": 3})
    queue.submit("a", 1000)
    queue.submit("b", 1000)
    queue.submit("c", 1000)
    assert Counter(queue.claim(500)) == {"a": 300, "b": 100, "c": 100}


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 100), min_size=2),
    st.lists(st.sampled_from("abcd"), max_size=4),
    st.integers(20, 200),
)
def test_in_any_window_nobody_is_more_than_one_turn_off_its_share(
    weights: dict[str, int], order: list[str], window: int
) -> None:
    queue = Queue(weights)
    for group in (*order, *weights):
        if group in weights:
            queue.submit(group, 300)
    queue.claim(100)
    claimed = Counter(queue.claim(window))
    total = sum(weights.values())
    for group, weight in weights.items():
        share = window * weight / total
        # A turn at each end of the window, of each of them.
        assert abs(claimed[group] - share) <= 2 + weight * len(weights) / total


def test_a_turn_is_never_when_the_task_was_created() -> None:
    """That would say that it had none."""
    taken = turn(begins_at=NOW, after=None, weight=1, created_at=NOW)
    assert had_turn(BY_TURNS, taken.turn_at, NOW)
    assert not had_turn(BY_TURNS, NOW, NOW)
