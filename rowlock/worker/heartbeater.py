"""The heartbeats of a worker's running attempts."""

import asyncio
from collections.abc import Collection
from typing import Final

from rowlock.errors import ConflictError, NotFoundError, RowlockError
from rowlock.http.transport import AsyncWire
from rowlock.worker import clock, leases
from rowlock.worker.execution import Job
from rowlock.worker.log import log

# An attempt that says its progress often is heard of this often.
PROGRESS_SECONDS: Final = 1.0
# After heartbeats that did not arrive.
AGAIN_SECONDS: Final = 1.0
# How soon it is noticed that the machine has been suspended.
LOOK_SECONDS: Final = 1.0
DELETED: Final = "deleted"


class Pulse:
    """Beats for every job, three times a lease; one whose lease is gone is cut short."""

    def __init__(self, wire: AsyncWire, jobs: Collection[Job], *, lease_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._wire = wire
        self._jobs = jobs
        self._interval_seconds = lease_seconds / 3
        self._beats: set[asyncio.Task[bool]] = set()

    async def run(self) -> None:
        """Beat until cancelled."""
        pause = self._interval_seconds
        while True:
            await self._rest(pause)
            arrived = await asyncio.gather(*(self._beat(job) for job in list(self._jobs)))
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
            for job in list(self._jobs):
                job.cut_if_late()

    def _explain(self, *, suspended: float, stood_still: float) -> None:
        if suspended > LOOK_SECONDS:
            log.warning(
                "this machine was suspended for %.0f s, and no heartbeat could be sent", suspended
            )
        if stood_still > self._interval_seconds:
            log.error(
                "the event loop stood still for %.1f s, and no heartbeat could be sent: a handler "
                "that is `async` waits or computes without `await`, or this process was stopped",
                stood_still,
            )

    def progressed(self, job: Job) -> None:
        """The job has something to show: beat now, or as soon as the last is a while ago."""
        if job.is_over or job.beat_timer is not None:
            return
        at = max(self._loop.time(), job.beaten_at + PROGRESS_SECONDS)
        job.beat_timer = self._loop.call_at(at, self._beat_soon, job)

    def close(self) -> None:
        """Break off."""
        for beat in self._beats:
            beat.cancel()

    def _beat_soon(self, job: Job) -> None:
        job.beat_timer = None
        # Now, not when the beat is on its way: more progress may be said before that.
        job.beaten_at = self._loop.time()
        beat = self._loop.create_task(self._beat(job))
        self._beats.add(beat)
        beat.add_done_callback(self._beats.discard)

    async def _beat(self, job: Job) -> bool:
        """Whether it arrived."""
        if job.is_over:
            return True
        job.beaten_at = self._loop.time()
        attempt = job.attempt
        try:
            # One that gets no answer, of an API that hangs, holds up the round: others' leases.
            async with asyncio.timeout(self._interval_seconds):
                await self._wire.once(leases.heartbeat(attempt.lease_id, attempt.progress_json))
        except NotFoundError:
            job.cut(DELETED)
        except ConflictError as error:
            job.cut(str(error.problem.get("outcome") or error.detail))
        except (RowlockError, TimeoutError) as error:
            reason = str(error) or "no answer in time"
            log.info("lease %s: no heartbeat: %s", attempt.lease_id, reason)
            return False
        return True
