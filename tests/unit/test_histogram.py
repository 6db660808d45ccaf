"""Percentiles of classes are those of the durations, but for the error that is promised."""

from collections import Counter
from itertools import chain
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.histogram import ERROR, FIRST_SECONDS, class_of, percentiles, seconds_of

DURATIONS = st.one_of(
    st.floats(0, 2_592_000),
    # On the edges of classes, and a whole number of microseconds, as times have it.
    st.integers(1, 250).map(lambda n: FIRST_SECONDS * float(2 ** ((n - 1) / 8))),
    st.integers(0, 10**7).map(lambda n: n / 1e6),
)


def is_close(told: float, true: float) -> bool:
    """Within what is promised."""
    if true < FIRST_SECONDS:
        return abs(told - true) <= FIRST_SECONDS / 2
    # A duration on an edge may be counted to either side of it.
    return true / (1 + ERROR) <= told * (1 + 1e-9) and told <= true * (1 + ERROR) * (1 + 1e-9)


@given(
    st.lists(st.lists(DURATIONS, max_size=20), min_size=1, max_size=5), st.sampled_from([50, 95])
)
def test_a_percentile_of_counts_that_were_added_up_is_that_of_all_durations(
    parts: list[list[float]], percent: int
) -> None:
    counts = Counter[int]()
    for part in parts:
        counts.update(Counter(map(class_of, part)))
    durations = sorted(chain(*parts))
    (told,) = percentiles(counts, [percent])
    if not durations:
        assert told is None
        return
    assert told is not None
    assert is_close(told, durations[ceil(len(durations) * percent / 100) - 1])


def test_the_error_is_what_the_documents_say() -> None:
    assert 0.044 < ERROR < 0.045


@pytest.mark.parametrize("seconds", [0, 1e-6, 0.0009])
def test_below_a_millisecond_is_half_of_one(seconds: float) -> None:
    assert seconds_of(class_of(seconds)) == 0.0005


def test_longer_is_never_counted_as_shorter() -> None:
    numbers = [class_of(n / 1e6) for n in range(0, 3_000_000, 7)]
    assert numbers == sorted(numbers)
    assert numbers[0] == 0
    assert class_of(FIRST_SECONDS) == 1
