"""When to try again. Pure: failures, jitter and the server's wish in, seconds out."""

from typing import NamedTuple


class Backoff(NamedTuple):
    """Pauses that double, with jitter, so that callers that failed together come back apart."""

    first_seconds: float = 0.1
    cap_seconds: float = 5.0

    def pause_seconds(
        self, failures: int, *, jitter: float, retry_after_seconds: float | None = None
    ) -> float:
        """How long to wait after so many failures in a row.

        `jitter`, from 0 to 1, places it between half of the pause and all of it. What the
        server asked for comes on top.
        """
        # 2**16 pauses are past any cap already; a larger exponent would only cost digits.
        grown = self.first_seconds * 2.0 ** min(failures - 1, 16)
        return min(grown, self.cap_seconds) * (0.5 + jitter / 2) + (retry_after_seconds or 0.0)


class RetryBudget(NamedTuple):
    """How long a call may take: a try `timeout_seconds`, and no other begins, or goes on, after
    `retry_seconds`."""

    retry_seconds: float = 15.0
    timeout_seconds: float = 10.0
    backoff: Backoff = Backoff()

    @property
    def seconds(self) -> float:
        """For all of it."""
        return max(self.retry_seconds, self.timeout_seconds)
