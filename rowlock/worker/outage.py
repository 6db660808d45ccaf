"""The server's absence, as a worker goes through it: what the log says, and when it gives up."""

from typing import Final

from rowlock.errors import ProblemError, RowlockError, UnexpectedAnswerError, is_refusal
from rowlock.worker import clock
from rowlock.worker.log import log

# How long somebody else may answer in the place of a server that has answered before: a proxy
# that is being set up, say.
FOREIGN_SECONDS: Final = 60.0
# How long a worker that is to leave when there is no work waits for a server to say so.
DRAIN_SECONDS: Final = 15.0

# Nobody says these of a server that is away, as a proxy does with 502, 503 or 504. Other 4xx are
# said of the call: of its body, or its token.
_NOBODY_HERE: Final = frozenset({404, 405, 410, 421, 500, 501, 505})
_CLIENT_ERRORS: Final = 400


class Outage:
    """One line when the server is away, one when it is back."""

    def __init__(self, server: str, *, is_draining: bool) -> None:
        self.failures = 0
        self._server = server
        self._is_draining = is_draining
        self._began_at = 0.0
        self._foreign_since: float | None = None
        # Whether a Rowlock server was ever there.
        self._is_known = False

    def goes_on(self, error: BaseException, *, has_work: bool) -> RowlockError | None:
        """One more call has failed. The error to give up with, where trying again is useless, or
        too long for a worker that has nothing to do or to tell."""
        now = clock.now()
        self._began_at = self._began_at if self.failures else now
        if not is_foreign(error):
            self._foreign_since = None
            self._is_known |= isinstance(error, ProblemError) and _is_document(error)
        elif self._foreign_since is None:
            self._foreign_since = now
        since = self._foreign_since
        if since is not None and (not self._is_known or now - since >= FOREIGN_SECONDS):
            return UnexpectedAnswerError(
                f"{self._server} does not answer like a Rowlock server; check the URL ({error})"
            )
        if self._is_draining and not has_work and now - self._began_at >= DRAIN_SECONDS:
            return error if isinstance(error, RowlockError) else None
        self.failures += 1
        if self.failures == 1:
            log.warning("the server is not available, trying again: %s", error)
        return None

    def ends(self) -> None:
        """A call was answered."""
        if self.failures:
            seconds = clock.now() - self._began_at
            log.warning("the server is available again, after %.0f s", seconds)
        self.failures = 0
        self._foreign_since = None
        self._is_known = True


def is_foreign(error: BaseException) -> bool:
    """Whether it is the answer of somebody who is no Rowlock server, nor speaks for one that is
    away."""
    if not isinstance(error, ProblemError):
        return isinstance(error, UnexpectedAnswerError)
    is_elsewhere = error.status < _CLIENT_ERRORS or error.status in _NOBODY_HERE
    return is_elsewhere and not _is_document(error)


def is_servers_refusal(error: RowlockError) -> bool:
    """Whether the server would answer the same call the same at any other time."""
    return is_refusal(error) and not is_foreign(error)


def _is_document(error: ProblemError) -> bool:
    return {"title", "status"} <= error.problem.keys()
