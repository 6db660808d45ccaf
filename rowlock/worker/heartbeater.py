"""The heartbeats of a worker's running attempts."""

import asyncio
from collections.abc import Collection
from typing import Final

from rowlock.errors import ConflictError, NotFoundError, RowlockError
from rowlock.http.transport import AsyncTransport
from rowlock.worker import clock, leases
from rowlock.worker.execution import Execution
from rowlock.worker.log import log

# An attempt that says its progress often is heard of this often.
PROGRESS_SECONDS: Final = 1.0
# After heartbeats that did not arrive.
AGAIN_SECONDS: Final = 1.0
# How soon it is noticed that the machine has been suspended.
LOOK_SECONDS: Final = 1.0
DELETED: Final = "deleted"


class Heartbeater:
    """Beats for every execution, three times a lease; one whose lease is gone is cut short."""

    def __init__(
        self, transport: AsyncTransport, executions: Collection[Execution], *, lease_seconds: float
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._executions = executions
        self._interval_seconds = lease_seconds / 3
        self._beats: set[asyncio.Task[bool]] = set()

    async def run(self) -> None:
        """Beat until cancelled."""
        pause = self._interval_seconds
        while True:
            await self._rest(pause)
            arrived = await asyncio.gather(
                *(self._beat(execution) for execution in list(self._executions))
            )
            pause = self._interval_seconds if all(arrived) else min(AGAIN_SECONDS, pause)

    async def _rest(self, seconds: float) -> None:
        """Wait, by the clock that goes on while the machine is suspended: after that a heartbeat
        is due at once, and so are deadlines, of which the event loop knows nothing."""
        due = clock.now() + seconds
        while (left := due - clock.now()) > 0:
            began, ran_from = clock.now(), self._loop.time()
            planned = min(left, LOOK_SECONDS)
            await asyncio.sleep(planned)
            ran = self._loop.time() - ran_from
            self._explain(suspended=clock.now() - began - ran, stood_still=ran - planned)
            for execution in list(self._executions):
                execution.cut_if_late()

    def _explain(self, *, suspended: float, stood_still: float) -> None:
        if suspended > LOOK_SECONDS:
            log.warning(
                "this machine was suspended for %.0f s, and no heartbeat could be sent", suspended
            )
        if stood_still > self._interval_seconds:
            log.error(
                "the event loop was blocked for %.1f s, and no heartbeat could be sent: a handler "
                "that is `async` blocks without `await`, or this process was stopped",
                stood_still,
            )

    def progressed(self, execution: Execution) -> None:
        """The execution has something to show: beat now, or as soon as the last is a while ago."""
        if execution.is_over or execution.beat_timer is not None:
            return
        at = max(self._loop.time(), execution.beaten_at + PROGRESS_SECONDS)
        execution.beat_timer = self._loop.call_at(at, self._beat_soon, execution)

    def close(self) -> None:
        """Break off."""
        for beat in self._beats:
            beat.cancel()

    def _beat_soon(self, execution: Execution) -> None:
        execution.beat_timer = None
        # Now, not when the beat is on its way: more progress may be said before that.
        execution.beaten_at = self._loop.time()
        beat = self._loop.create_task(self._beat(execution))
        self._beats.add(beat)
        beat.add_done_callback(self._beats.discard)

    async def _beat(self, execution: Execution) -> bool:
        """Whether it arrived."""
        if execution.is_over:
            return True
        execution.beaten_at = self._loop.time()
        attempt = execution.attempt
        try:
            # One that gets no answer, of an API that hangs, holds up the round: others' leases.
            async with asyncio.timeout(self._interval_seconds):
                await self._transport.once(
                    leases.heartbeat(attempt.lease_id, attempt.progress_json)
                )
        except NotFoundError:
            execution.cut(DELETED)
        except ConflictError as error:
            execution.cut(str(error.problem.get("outcome") or error.detail))
        except (RowlockError, TimeoutError) as error:
            reason = str(error) or "no answer in time"
            log.info("lease %s: the heartbeat failed: %s", attempt.lease_id, reason)
            return False
        return True
