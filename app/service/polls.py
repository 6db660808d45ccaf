"""What one process remembers of the polls it has heard."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from app.queue.workers import Poll

WORKERS_LIMIT: Final = 20_000
# So often MySQL is told of a worker that it knows, and that has not changed.
TOLD_SECONDS: Final = 30.0


class _Known:
    __slots__ = ("last", "told", "told_at")

    def __init__(self, last: Poll) -> None:
        self.last = last
        self.told: Poll | None = None
        self.told_at = 0.0

    def is_told(self) -> bool:
        return self.last is self.told

    def is_due(self, now: float) -> bool:
        last, told = self.last, self.told
        if told is None:
            return True
        is_changed = (last.queues, last.agent) != (told.queues, told.agent)
        return is_changed or (last is not told and now - self.told_at >= TOLD_SECONDS)


class Polls:
    """The last poll of each worker, until MySQL was told of it. Of more workers than `limit` the
    one is forgotten that was not heard of for longest."""

    def __init__(self, limit: int = WORKERS_LIMIT) -> None:
        self._limit = limit
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def hear(self, poll: Poll) -> None:
        """A worker has asked for tasks."""
        known = self._known.get(poll.worker)
        if known is not None:
            known.last = poll
            self._known.move_to_end(poll.worker)
            return
        if len(self._known) >= self._limit:
            self._known.popitem(last=False)
        self._known[poll.worker] = _Known(poll)

    def due(self, now: float) -> list[Poll]:
        """What is to be told by now: of workers that are new, or have changed, or were not told of
        for some time. One with nothing to tell by then is forgotten: its next poll will be told as
        soon as a new worker's."""
        over = [
            name
            for name, known in self._known.items()
            if known.is_told() and now - known.told_at >= TOLD_SECONDS
        ]
        for name in over:
            del self._known[name]
        return [known.last for known in self._known.values() if known.is_due(now)]

    def untold(self) -> list[Poll]:
        """All that MySQL does not know."""
        return [known.last for known in self._known.values() if not known.is_told()]

    def have_told(self, polls: Sequence[Poll], now: float) -> None:
        """MySQL knows of these, which need not be the last ones any more."""
        for poll in polls:
            known = self._known.get(poll.worker)
            if known is not None:
                known.told, known.told_at = poll, now
