"""What follows a failed attempt, and after what delay. Pure."""

from typing import Final, NamedTuple

from app.domain.states import Backoff, Status

BACKOFF_CAP_SECONDS: Final = 3600
JITTER_SHARE: Final = 0.1
# A worker that stops gives its tasks back, and that many times a task is claimable again at once.
FREE_RELEASES: Final = 10
RELEASE_CAP_SECONDS: Final = 60


class Verdict(NamedTuple):
    """What a task becomes after a failed attempt."""

    status: Status
    current_retry_count: int


def after_failure(*, current_retry_count: int, retry_limit: int) -> Verdict:
    """Retrying with one more retry on the count while any remain, else failed."""
    if current_retry_count < retry_limit:
        return Verdict(Status.RETRYING, current_retry_count + 1)
    return Verdict(Status.FAILED, current_retry_count)


def delay_seconds(
    *, retry_delay_seconds: int, retry_backoff: str, retry: int, jitter: float
) -> float:
    """Seconds until the `retry`-th retry (from 1) may be claimed.

    `jitter`, from -1 to 1, makes the delay up to a tenth shorter or longer, so that tasks that
    failed together do not come back together. A fixed delay does not jitter. The others grow to
    an hour, and are never less than what was asked for, but for the jitter. A backoff that is not
    known, of a later version, is taken for the exponential one.
    """
    if retry_backoff == Backoff.FIXED:
        return float(retry_delay_seconds)
    # 2**17 * 1 s is past the cap already; a larger exponent would only cost digits.
    factor = retry if retry_backoff == Backoff.LINEAR else 2 ** min(retry - 1, 17)
    grown = retry_delay_seconds * factor
    most = max(BACKOFF_CAP_SECONDS, retry_delay_seconds)
    return float(min(grown, most)) * (1 + JITTER_SHARE * jitter)


def release_delay_seconds(*, attempt: int, current_retry_count: int) -> int:
    """Seconds until a task whose attempt of that number is released may be claimed again.

    None at first; but whoever claims and releases in a loop would fill the task's history, so
    each release after the first ten takes twice as long as the one before, up to a minute.
    """
    releases_before = attempt - 1 - current_retry_count
    beyond = releases_before - FREE_RELEASES
    return 0 if beyond < 0 else min(2 ** min(beyond, 6), RELEASE_CAP_SECONDS)
