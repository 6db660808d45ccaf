"""The heartbeats of a worker's running attempts."""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Final

from rowlock.errors import RowlockError
from rowlock.http.asynchronous import AsyncTransport
from rowlock.worker import clock, leases
from rowlock.worker.execution import Execution
from rowlock.worker.log import log
from rowlock.worker.threads import Threads

# An attempt that says its progress often is heard of this often.
PROGRESS_SECONDS: Final = 1.0
# After heartbeats that did not arrive.
AGAIN_SECONDS: Final = 1.0
# How soon it is noticed that the machine has been suspended.
LOOK_SECONDS: Final = 1.0
DELETED: Final = "deleted"
CALL_LIMIT: Final = 1000
# The server takes 16 MiB.
CALL_LIMIT_BYTES: Final = 8 * 1024 * 1024


class Heartbeater:
    """Beats for every execution, three times a lease; one whose lease is gone is cut short."""

    def __init__(
        self,
        transport: AsyncTransport,
        executions: Collection[Execution],
        threads: Threads,
        *,
        lease_seconds: float,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._executions = executions
        self._threads = threads
        self._interval_seconds = lease_seconds / 3
        # Who has something to show.
        self._untold: list[Execution] = []
        self._telling: asyncio.Task[None] | None = None
        self._unheard_since: float | None = None

    async def run(self) -> None:
        """Beat until cancelled."""
        pause = self._interval_seconds
        while True:
            await self._rest(pause)
            has_arrived = await self._beat(list(self._executions))
            pause = self._interval_seconds if has_arrived else min(AGAIN_SECONDS, pause)

    async def _rest(self, seconds: float) -> None:
        """Wait, by the clock that goes on while the machine is suspended: after that a heartbeat
        is due at once, and so are deadlines, of which the event loop knows nothing."""
        due = clock.now() + seconds
        while (left := due - clock.now()) > 0:
            began, ran_from = clock.now(), self._loop.time()
            planned = min(left, LOOK_SECONDS)
            await asyncio.sleep(planned)
            ran = self._loop.time() - ran_from
            self._explain(ran_from, suspended=clock.now() - began - ran, stood_still=ran - planned)
            for execution in list(self._executions):
                execution.cut_if_late()

    def _explain(self, since: float, *, suspended: float, stood_still: float) -> None:
        if suspended > LOOK_SECONDS:
            log.warning(
                "this machine was suspended for %.0f s, and no heartbeat could be sent", suspended
            )
        if stood_still > self._interval_seconds:
            names = ", ".join(self._threads.ran_since(since))
            log.error(
                "the event loop was blocked for %.1f s, and no heartbeat could be sent: a handler "
                "that is `async` blocks without `await`%s, or this process was stopped",
                stood_still,
                f", a handler in a thread holds the interpreter's lock ({names})" if names else "",
            )

    def progressed(self, execution: Execution) -> None:
        """The execution has something to show: beat now, or as soon as the last is a while ago."""
        if execution.is_over or execution.beat_timer is not None:
            return
        at = max(self._loop.time(), execution.beaten_at + PROGRESS_SECONDS)
        execution.beat_timer = self._loop.call_at(at, self._beat_soon, execution)

    def close(self) -> None:
        """Break off."""
        if self._telling is not None:
            self._telling.cancel()

    def _beat_soon(self, execution: Execution) -> None:
        execution.beat_timer = None
        # Now, not when the beat is on its way: more progress may be said before that.
        execution.beaten_at = self._loop.time()
        self._untold.append(execution)
        if self._telling is None or self._telling.done():
            self._telling = self._loop.create_task(self._tell())

    async def _tell(self) -> None:
        """One call at a time: what comes meanwhile shares the next one."""
        while self._untold:
            executions, self._untold = self._untold, []
            await self._beat(executions)

    async def _beat(self, executions: Iterable[Execution]) -> bool:
        """Whether all arrived. In one call after the other: a worker of a thousand attempts takes
        no connection away from its finishes."""
        outcomes = [await self._send(part) for part in _parts(executions)]
        failure = next((error for error in outcomes if error is not None), None)
        if outcomes:
            self._log_change(failure)
        else:
            self._unheard_since = None  # there is nobody left to be heard of
        return failure is None

    def _log_change(self, failure: RowlockError | None) -> None:
        """One line when they arrive no more, one when they do again."""
        if failure is not None and self._unheard_since is None:
            self._unheard_since = clock.now()
            log.warning("heartbeats do not arrive, trying again: %s", failure)
        elif failure is None and self._unheard_since is not None:
            seconds, self._unheard_since = clock.now() - self._unheard_since, None
            log.warning("heartbeats arrive again, after %.0f s", seconds)

    async def _send(self, executions: Sequence[Execution]) -> RowlockError | None:
        """Why they did not arrive."""
        beats = []
        for execution in executions:
            execution.beaten_at = self._loop.time()
            beats.append((execution.attempt.lease_id, execution.attempt.progress_json))
        try:
            # One that gets no answer, of an API that hangs, holds up the round: others' leases.
            items = await self._transport.once(leases.heartbeat(beats), self._interval_seconds)
        except RowlockError as error:
            return error
        for execution, item in zip(executions, items, strict=True):
            if item.status == HTTPStatus.NOT_FOUND:
                execution.cut(DELETED)
            elif item.status == HTTPStatus.CONFLICT:
                execution.cut(str(item.outcome or item.detail))
        return None


def _parts(executions: Iterable[Execution]) -> Iterator[list[Execution]]:
    """Those that run, as many at a time as one call takes."""
    part: list[Execution] = []
    size = 0
    for execution in executions:
        if execution.is_over:
            continue
        size += len(execution.attempt.progress_json)
        if part and (len(part) == CALL_LIMIT or size > CALL_LIMIT_BYTES):
            yield part
            part, size = [], len(execution.attempt.progress_json)
        part.append(execution)
    if part:
        yield part
