"""One run of a worker, from the first claim to the last release."""

import asyncio
from typing import Final, NamedTuple

import httpx

from rowlock.http.target import Target
from rowlock.http.transport import AsyncWire
from rowlock.models import Lease
from rowlock.worker.attempt import RELEASED
from rowlock.worker.claim_loop import Exchange
from rowlock.worker.execution import ABANDON_SECONDS, Job
from rowlock.worker.finishes import Ending
from rowlock.worker.handlers import Handlers
from rowlock.worker.heartbeater import Pulse
from rowlock.worker.leases import Claimant
from rowlock.worker.log import log
from rowlock.worker.poll import Poll
from rowlock.worker.threads import Threads

# How long the last calls may take once nothing runs any more.
FAREWELL_SECONDS: Final = 5.0


class Terms(NamedTuple):
    """What a worker was told of how to work."""

    target: Target
    claimant: Claimant
    concurrency: int
    grace_seconds: float
    poll_seconds: float
    timeout_seconds: float
    transport: httpx.AsyncBaseTransport | None


class Shift:
    """Runs jobs until told to stop, then lets them end, and gives back what does not."""

    def __init__(self, terms: Terms, handlers: Handlers, *, drain: bool) -> None:
        self._terms = terms
        self._handlers = handlers
        self._jobs: set[Job] = set()
        self._threads = Threads()
        self._wires = [self._wire(), self._wire()]
        self._pulse = Pulse(self._wires[0], self._jobs, lease_seconds=terms.claimant.lease_seconds)
        self._exchange = Exchange(
            self._wires[0],
            Poll(self._wires[1], terms.claimant),
            terms.claimant,
            concurrency=terms.concurrency,
            poll_seconds=terms.poll_seconds,
            drain=drain,
            start=self._start,
            leave=self._leave,
        )
        self._stopping = asyncio.Event()
        self._hurried = asyncio.Event()
        self._error: BaseException | None = None
        self._is_over = False

    def stop(self) -> None:
        """No more claims, and `grace_seconds` for what runs; told again, none of these."""
        if self._stopping.is_set():
            self._hurried.set()
            return
        log.info("stopping: %d tasks still run", len(self._jobs))
        self._stopping.set()
        self._exchange.stop_claiming()

    async def run(self) -> None:
        """Return when told to stop and all work has ended or is given back.

        Raises what made going on pointless: a token that is not taken, say.
        """
        self._beat()
        self._exchange.kick()
        try:
            await self._told_to_stop()
            await _first_of(
                self._exchange.is_quiet, self._hurried, seconds=self._terms.grace_seconds
            )
            for job in list(self._jobs):
                job.cut(RELEASED)
            await _first_of(self._exchange.is_quiet, seconds=ABANDON_SECONDS + FAREWELL_SECONDS)
            if not self._exchange.is_quiet.is_set():
                log.error("the server could not be told of everything; it will notice by itself")
        finally:
            self._is_over = True
            self._beating.cancel()
            self._pulse.close()
            self._exchange.close()
            self._threads.close()
            for wire in self._wires:
                await wire.close()
        if self._error is not None:
            raise self._error

    def _wire(self) -> AsyncWire:
        terms = self._terms
        return AsyncWire(
            terms.target, timeout_seconds=terms.timeout_seconds, transport=terms.transport
        )

    def _start(self, lease: Lease) -> None:
        work = self._handlers.work_for(lease.task, self._threads)
        self._jobs.add(Job(lease, work, ended=self._job_ended, progressed=self._pulse.progressed))

    def _job_ended(self, job: Job, ending: Ending | None) -> None:
        self._jobs.discard(job)
        self._exchange.end(ending)

    def _leave(self, error: BaseException | None) -> None:
        self._error = self._error or error
        if not self._stopping.is_set():
            self.stop()

    async def _told_to_stop(self) -> None:
        try:
            await self._stopping.wait()
        except asyncio.CancelledError:
            # By whoever cancels all tasks: a handler, or an event loop that ends.
            self.stop()
            self.stop()

    def _beat(self) -> None:
        self._beating = asyncio.create_task(self._pulse.run())
        self._beating.add_done_callback(self._on_pulse_end)

    def _on_pulse_end(self, beating: "asyncio.Task[None]") -> None:
        if not beating.cancelled():
            self._leave(beating.exception())
        elif not self._is_over:  # cancelled by a handler: there are attempts that live by it
            self._beat()


async def _first_of(*events: asyncio.Event, seconds: float) -> None:
    """Return when one of them is set, or after that long."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
