"""One attempt in its slot: from the lease to the finish."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from rowlock.models import Lease, Task
from rowlock.worker import clock, finishes
from rowlock.worker.attempt import CURRENT, RELEASED, TIMED_OUT, AskForParents, RunningAttempt
from rowlock.worker.failures import failure_of
from rowlock.worker.finishes import FinishItem
from rowlock.worker.log import log
from rowlock.worker.log_lines import DONE, FAILED, log_end
from rowlock.worker.unknown_titles import UnknownTitleError

# Gives what was returned, as `failures.kept` makes it.
Work = Callable[[Task, RunningAttempt], Awaitable[bytes]]

# How long a handler that is cut short may take to clean up before its slot is used without it.
ABANDON_SECONDS: Final = 10.0

_CUTS: Final = (asyncio.CancelledError, GeneratorExit)


class Execution:
    """Runs the handler, cuts it at the deadline, and calls `ended` once, when the slot is free:
    with what to tell the server, or with None where the server knows better."""

    def __init__(
        self,
        lease: Lease,
        work: Work,
        *,
        ended: Callable[["Execution", FinishItem | None], None],
        progressed: Callable[["Execution"], None],
        ask: AskForParents,
    ) -> None:
        self._loop = loop = asyncio.get_running_loop()
        self._progressed = progressed
        self.task = lease.task
        self.lease_id = lease.lease_id
        self.attempt = RunningAttempt(lease, self._tell_progress, loop=loop, ask=ask)
        seconds = seconds_of(lease)
        self._began = clock.now()
        self.deadline = self._began + seconds
        # What the log says of a failure.
        self._story: str | None = None
        self._is_unknown = False
        self.is_over = False
        # The heartbeat's: when the last one was sent, and the timer of the next for progress.
        self.beaten_at = 0.0
        self.beat_timer: asyncio.TimerHandle | None = None
        self._ended = ended
        self._timer = loop.call_later(seconds, self.cut, TIMED_OUT)
        self._running = loop.create_task(self._run(work))
        self._running.add_done_callback(self._on_done)

    def cut(self, why: str) -> None:
        """Cancel the handler; `why` is what it finds in `attempt.lost`."""
        if self.is_over or self.attempt.lost is not None:
            return
        self.attempt._lose(why)
        self._running.cancel()
        self._timer.cancel()
        self._timer = self._loop.call_later(ABANDON_SECONDS, self._abandon)

    def cut_if_late(self) -> None:
        """Cut it if its deadline has passed while the event loop's clock stood still."""
        if clock.now() >= self.deadline:
            self.cut(TIMED_OUT)

    async def _run(self, work: Work) -> FinishItem:
        CURRENT.set(self.attempt)
        try:
            returned = await work(self.task, self.attempt)
        except UnknownTitleError as unknown:
            self._is_unknown = True
            return finishes.released(
                self.lease_id,
                self.deadline,
                delay_seconds=unknown.delay_seconds,
                reason=str(unknown),
            )
        except BaseException as error:
            # Cut short by us, or by the end of the loop. Else it is the handler's own doing.
            if self.attempt.lost is not None and isinstance(error, _CUTS):
                raise
            failure = failure_of(error)
            self._story = failure.story
            return finishes.failed(self.lease_id, self.deadline, failure)
        return finishes.completed(self.lease_id, self.deadline, returned)

    def _tell_progress(self) -> None:
        # A thread may outlive the worker, and its loop.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._progressed, self)

    def _on_done(self, running: asyncio.Task[FinishItem]) -> None:
        if self.is_over:  # abandoned before: its slot has long been another's
            return
        has_finish = not running.cancelled() and running.exception() is None
        finish = running.result() if has_finish else None
        if self.attempt.lost not in (None, RELEASED):
            self._end(None)
        elif finish is None or (self.attempt.lost == RELEASED and not finish.is_complete):
            # The lease is still ours: work that was done after all counts, nothing else does.
            # Without `lost` it was cancelled before it began, by whoever cancels all there is.
            self._end(finishes.released(self.lease_id, self.deadline))
        else:
            self._end(finish)

    def _abandon(self) -> None:
        log.error(
            "task %d, attempt %d: the handler ignores its cancellation and keeps running; "
            "its result is ignored",
            self.task.id,
            self.attempt.number,
        )
        is_ours = self.attempt.lost == RELEASED
        self._end(finishes.released(self.lease_id, self.deadline) if is_ours else None)

    def _end(self, finish: FinishItem | None) -> None:
        self.is_over = True
        self._timer.cancel()
        if self.beat_timer is not None:
            self.beat_timer.cancel()
        if not self._is_unknown:  # its title has had its line
            log_end(
                self.attempt,
                outcome=self._outcome(finish),
                seconds=clock.now() - self._began,
                story=self._story,
            )
        self._ended(self, finish)

    def _outcome(self, finish: FinishItem | None) -> str:
        if finish is not None and finish.is_complete:
            return DONE
        if self.attempt.lost is not None:
            return self.attempt.lost
        return FAILED if self._story is not None else RELEASED


def seconds_of(lease: Lease) -> float:
    """How long the attempt may take, by the server's clock alone."""
    began = lease.task.started_at or lease.task.updated_at
    return (lease.deadline - began).total_seconds()
