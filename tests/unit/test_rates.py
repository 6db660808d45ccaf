"""Rates: how many attempts may begin, whatever they did before."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.rates import Rate, least_burst, rate_of

NOW = datetime(2026, 11, 30, 12)  # noqa: DTZ001
RATES = st.builds(Rate, st.integers(1, 1000), st.integers(1, 86_400), st.integers(1, 1000))


@settings(deadline=None)
@given(RATES, st.lists(st.tuples(st.floats(0, 5), st.integers(1, 50)), max_size=60))
def test_in_no_window_more_begin_than_the_limit_and_the_burst(
    rate: Rate, steps: list[tuple[float, int]]
) -> None:
    now, paid_until = NOW, None
    begun: list[datetime] = []
    for intervals, wanted in steps:
        now += intervals * rate.interval
        attempts = min(rate.tokens(paid_until, now), wanted)
        if attempts:
            paid_until = rate.charged(paid_until, attempts, now)
            begun += [now] * attempts
    window = timedelta(seconds=rate.per_seconds)
    for begin in begun:
        within = sum(begin <= at < begin + window for at in begun)
        assert within <= rate.limit + rate.burst


@settings(deadline=None)
@given(RATES, st.integers(1, 2000))
def test_after_a_rest_a_whole_burst_may_begin(rate: Rate, attempts: int) -> None:
    paid_until = rate.charged(None, attempts, NOW)
    assert rate.tokens(paid_until, NOW + rate.burst * rate.interval) == rate.burst


@settings(deadline=None)
@given(RATES, st.data())
def test_the_next_token_comes_when_it_says(rate: Rate, data: Any) -> None:
    attempts = data.draw(st.integers(1, rate.burst))
    paid_until = rate.charged(None, attempts, NOW)
    tokens = rate.tokens(paid_until, NOW)
    assert tokens == rate.burst - attempts
    at = rate.next_at(paid_until, tokens)
    assert rate.tokens(paid_until, at) == tokens + 1
    assert rate.tokens(paid_until, at - timedelta(microseconds=1)) == tokens


@settings(deadline=None)
@given(RATES, st.integers(1, 1000), st.timedeltas(timedelta(0), timedelta(days=30)))
def test_a_clock_that_went_back_gives_no_more_and_withholds_one_burst_at_most(
    rate: Rate, attempts: int, back: timedelta
) -> None:
    paid_until = rate.charged(None, attempts, NOW)
    now = NOW - back
    assert rate.tokens(paid_until, now) <= rate.tokens(paid_until, NOW)
    again = rate.charged(paid_until, 1, now)
    assert again <= now + rate.burst * rate.interval


@pytest.mark.parametrize(("limit", "seconds", "least"), [(1, 60, 1), (60, 60, 1), (61, 60, 2)])
def test_the_burst_covers_a_second(limit: int, seconds: int, least: int) -> None:
    assert least_burst(limit, seconds) == least


@pytest.mark.parametrize(
    "found", [[], {"limit": 1}, {"limit": 0, "per_seconds": 1, "burst": 1}, {"limit": "1"}]
)
def test_what_is_no_rate_is_refused(found: object) -> None:
    with pytest.raises(ValueError, match="rate"):
        rate_of(found)
