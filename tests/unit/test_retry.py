"""What follows a failed attempt, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.retry import (
    BACKOFF_CAP_SECONDS,
    Verdict,
    after_failure,
    delay_seconds,
    release_delay_seconds,
)
from app.domain.states import Backoff, Status

DELAYS = st.integers(0, 86_400)
RETRIES = st.integers(1, 100)
JITTER = st.floats(-1, 1)


@pytest.mark.parametrize(
    ("used", "limit", "verdict"),
    [
        (0, 3, Verdict(Status.RETRYING, 1)),
        (2, 3, Verdict(Status.RETRYING, 3)),
        (3, 3, Verdict(Status.FAILED, 3)),
        (0, 1, Verdict(Status.RETRYING, 1)),
        (0, 0, Verdict(Status.FAILED, 0)),
        (99, 100, Verdict(Status.RETRYING, 100)),
        (100, 100, Verdict(Status.FAILED, 100)),
    ],
)
def test_a_task_is_retried_as_often_as_its_limit_says_and_then_failed(
    used: int, limit: int, verdict: Verdict
) -> None:
    assert after_failure(current_retry_count=used, retry_limit=limit) == verdict


def test_the_exponential_delay_doubles_with_each_retry() -> None:
    delays = [_exponential(5, retry) for retry in range(1, 8)]

    assert delays == [5, 10, 20, 40, 80, 160, 320]


def test_the_exponential_delay_stops_growing_at_an_hour() -> None:
    assert [_exponential(1000, retry) for retry in (1, 2, 3, 50, 100)] == [
        1000,
        2000,
        3600,
        3600,
        3600,
    ]


def test_a_delay_of_more_than_an_hour_is_what_was_asked_for_and_does_not_grow() -> None:
    assert BACKOFF_CAP_SECONDS == 3600
    assert [_exponential(86_400, retry) for retry in (1, 2, 50)] == [86_400] * 3
    assert [_exponential(3601, retry) for retry in (1, 2)] == [3601] * 2


def test_the_linear_delay_grows_by_itself_with_each_retry_up_to_an_hour() -> None:
    assert [_linear(5, retry) for retry in (1, 2, 3, 100)] == [5, 10, 15, 500]
    assert [_linear(1000, retry) for retry in (3, 4, 100)] == [3000, 3600, 3600]
    assert [_linear(86_400, retry) for retry in (1, 2, 50)] == [86_400] * 3


def test_and_has_its_jitter() -> None:
    assert [_linear(100, 3, jitter) for jitter in (-1, 1)] == pytest.approx([270, 330])


@given(DELAYS, RETRIES, JITTER)
def test_the_jitter_moves_an_exponential_delay_by_a_tenth_at_most(
    delay: int, retry: int, jitter: float
) -> None:
    steady = _exponential(delay, retry)
    found = delay_seconds(
        retry_delay_seconds=delay, retry_backoff=Backoff.EXPONENTIAL, retry=retry, jitter=jitter
    )

    assert steady * 0.9 - 1e-6 <= found <= steady * 1.1 + 1e-6


def test_the_jitter_reaches_a_tenth_both_ways() -> None:
    both_ways = [
        delay_seconds(
            retry_delay_seconds=100, retry_backoff=Backoff.EXPONENTIAL, retry=1, jitter=jitter
        )
        for jitter in (-1, 1)
    ]

    assert both_ways == pytest.approx([90, 110])


@given(DELAYS, RETRIES, JITTER)
def test_a_fixed_delay_never_changes(delay: int, retry: int, jitter: float) -> None:
    assert (
        delay_seconds(
            retry_delay_seconds=delay, retry_backoff=Backoff.FIXED, retry=retry, jitter=jitter
        )
        == delay
    )


@pytest.mark.parametrize("backoff", Backoff)
def test_no_delay_stays_no_delay(backoff: Backoff) -> None:
    assert delay_seconds(retry_delay_seconds=0, retry_backoff=backoff, retry=9, jitter=1) == 0


def _exponential(delay: int, retry: int) -> float:
    return delay_seconds(
        retry_delay_seconds=delay, retry_backoff=Backoff.EXPONENTIAL, retry=retry, jitter=0
    )


def _linear(delay: int, retry: int, jitter: float = 0) -> float:
    return delay_seconds(
        retry_delay_seconds=delay, retry_backoff=Backoff.LINEAR, retry=retry, jitter=jitter
    )


@pytest.mark.parametrize(
    ("attempt", "retries", "delay"),
    [
        *((1, 0, 0), (10, 0, 0), (11, 0, 1), (12, 0, 2), (16, 0, 32), (17, 0, 60), (999, 0, 60)),
        # Failed attempts are no releases.
        *((14, 4, 0), (15, 4, 1)),
    ],
)
def test_a_task_that_is_released_again_and_again_waits(
    attempt: int, retries: int, delay: int
) -> None:
    assert release_delay_seconds(attempt=attempt, current_retry_count=retries) == delay
