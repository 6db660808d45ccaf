"""How attempts ended, as far as the server has not been told."""

from collections import deque
from collections.abc import Iterable
from typing import Final

from rowlock.errors import RowlockError, UnavailableError
from rowlock.worker import finishes
from rowlock.worker.failures import Failure
from rowlock.worker.finishes import FinishItem
from rowlock.worker.log import log
from rowlock.worker.outage import is_servers_refusal

CALL_LIMIT: Final = 100
# The server takes 16 MiB.
CALL_LIMIT_BYTES: Final = 8 * 1024 * 1024

_BUG: Final = 500


class UnsentFinishes:
    """Finishes in their order, loaded into calls. What a call did not get rid of comes back."""

    def __init__(self) -> None:
        self._waiting: deque[FinishItem] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, finish: FinishItem) -> None:
        self._waiting.append(finish)

    def load(self) -> list[FinishItem]:
        """As many as one call takes, at least one."""
        waiting = self._waiting
        batch = [waiting.popleft()]
        size = len(batch[0].item)
        while (
            waiting
            and len(batch) < CALL_LIMIT
            and not (batch[0].is_alone or waiting[0].is_alone)
            and size + len(waiting[0].item) <= CALL_LIMIT_BYTES
        ):
            batch.append(waiting.popleft())
            size += len(batch[-1].item)
        return batch

    def keep(self, batch: Iterable[FinishItem]) -> None:
        """To the front, as they are."""
        self._waiting.extendleft(reversed(list(batch)))

    def put_back(self, batch: list[FinishItem], error: RowlockError, *, now: float) -> None:
        """To the front, for another call, until their deadlines.

        Where the fault may be with one of them they go alone from now on, so that it does not
        hold up the others; and one that the server does not take even so fails its task.
        """
        refused = is_servers_refusal(error)
        if refused and batch[0].is_alone:
            self.refuse(batch[0], str(error))
            return
        if refused or (isinstance(error, UnavailableError) and error.status == _BUG):
            batch = [finish._replace(is_alone=True) for finish in batch]
        for finish in batch:
            if finish.deadline <= now:
                log.error("lease %s: the outcome could not be reported in time", finish.lease_id)
        self.keep(finish for finish in batch if finish.deadline > now)

    def refuse(self, finish: FinishItem, error: str) -> None:
        """The server does not take it: its task fails."""
        log.error("lease %s: the server did not accept the outcome: %s", finish.lease_id, error)
        if finish.is_complete:
            failure = Failure(f"The server did not accept the result: {error}", is_retryable=False)
            failed = finishes.failed(finish.lease_id, finish.deadline, failure)
            self._waiting.appendleft(failed._replace(is_alone=True))
