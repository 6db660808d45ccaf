"""One attempt in its slot: from the lease to the ending."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from rowlock import endings
from rowlock.attempt import RELEASED, TIMED_OUT, Permanent, Retry, RunningAttempt
from rowlock.endings import Ending
from rowlock.models import Lease, Task

Work = Callable[[Task, RunningAttempt], Awaitable[object]]

# How long a handler that is cut short may take to clean up before its slot is used without it.
ABANDON_SECONDS: Final = 10.0

log = logging.getLogger("rowlock.worker")


class Job:
    """Runs the handler, cuts it at the deadline, and calls `ended` once, when the slot is free:
    with what to tell the server, or with None where the server knows better."""

    def __init__(
        self,
        lease: Lease,
        work: Work,
        *,
        ended: Callable[["Job", Ending | None], None],
        progressed: Callable[["Job"], None],
    ) -> None:
        self._loop = loop = asyncio.get_running_loop()
        self._progressed = progressed
        self.task = lease.task
        self.attempt = RunningAttempt(lease, self._tell_progress)
        self.deadline = loop.time() + seconds_of(lease)
        self.is_over = False
        # The heartbeat's: when the last one was sent, and the timer of the next for progress.
        self.beaten_at = 0.0
        self.beat_timer: asyncio.TimerHandle | None = None
        self._ended = ended
        self._timer = loop.call_at(self.deadline, self.cut, TIMED_OUT)
        self._running = loop.create_task(self._run(work))
        self._running.add_done_callback(self._on_done)

    def cut(self, why: str) -> None:
        """Cancel the handler; `why` is what it finds in `attempt.lost`."""
        if self.is_over or self.attempt.lost is not None:
            return
        log.warning("task %d, attempt %d: %s", self.task.id, self.attempt.number, why)
        self.attempt.lost = why
        self._running.cancel()
        self._timer.cancel()
        self._timer = self._loop.call_later(ABANDON_SECONDS, self._abandon)

    async def _run(self, work: Work) -> Ending:
        lease_id = self.attempt.lease_id
        try:
            result = await work(self.task, self.attempt)
        except (Exception, SystemExit) as error:
            self._log(error)
            return endings.raised(lease_id, self.deadline, error)
        except asyncio.CancelledError as error:
            if self.attempt.lost is not None:
                raise
            # Not by us: something that the handler waited for was cancelled.
            return endings.raised(lease_id, self.deadline, error)
        return endings.completed(lease_id, self.deadline, result)

    def _tell_progress(self) -> None:
        # A thread may outlive the worker, and its loop.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._progressed, self)

    def _on_done(self, running: asyncio.Task[Ending]) -> None:
        ending = None if running.cancelled() else running.result()
        if self.is_over:  # abandoned before: its slot has long been another's
            return
        if self.attempt.lost == RELEASED:
            # The lease is still ours: work that was done after all counts, nothing else does.
            if ending is None or not ending.is_complete:
                ending = endings.released(self.attempt.lease_id, self.deadline)
        elif self.attempt.lost is not None:
            ending = None
        self._end(ending)

    def _abandon(self) -> None:
        log.error(
            "task %d, attempt %d: the handler ignores that it was cancelled; it runs on, unheard",
            self.task.id,
            self.attempt.number,
        )
        is_ours = self.attempt.lost == RELEASED
        self._end(endings.released(self.attempt.lease_id, self.deadline) if is_ours else None)

    def _end(self, ending: Ending | None) -> None:
        self.is_over = True
        self._timer.cancel()
        if self.beat_timer is not None:
            self.beat_timer.cancel()
        self._ended(self, ending)

    def _log(self, error: BaseException) -> None:
        said = isinstance(error, Permanent | Retry)
        log.warning(
            "task %d, attempt %d failed: %r",
            self.task.id,
            self.attempt.number,
            error,
            exc_info=None if said else error,
        )


def seconds_of(lease: Lease) -> float:
    """How long the attempt may take, by the server's clock alone."""
    began = lease.task.started_at or lease.task.updated_at
    return (lease.deadline - began).total_seconds()
