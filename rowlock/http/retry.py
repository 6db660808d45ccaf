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
    """How long to go on trying: the pauses together are `seconds` at most."""

    seconds: float = 15.0
    backoff: Backoff = Backoff()

    def pause_seconds(
        self,
        failures: int,
        *,
        waited_seconds: float,
        jitter: float,
        retry_after_seconds: float | None = None,
    ) -> float | None:
        """How long to wait before the next try; None: enough."""
        pause = self.backoff.pause_seconds(
            failures, jitter=jitter, retry_after_seconds=retry_after_seconds
        )
        return pause if waited_seconds + pause <= self.seconds else None
