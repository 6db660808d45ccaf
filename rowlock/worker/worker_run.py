"""One run of a worker, from the first claim to the last release."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, NamedTuple, TypeVar

from rowlock.errors import StuckHandlersError
from rowlock.http import flows
from rowlock.http.asynchronous import AsyncExchange, AsyncTransport
from rowlock.http.call import Call
from rowlock.http.retry import RetryBudget
from rowlock.http.target import Target
from rowlock.models import Lease
from rowlock.worker import supervised
from rowlock.worker.attempt import RELEASED
from rowlock.worker.claim_loop import ClaimLoop
from rowlock.worker.execution import ABANDON_SECONDS, Execution
from rowlock.worker.finishes import FinishItem
from rowlock.worker.handlers import Handlers
from rowlock.worker.heartbeater import Heartbeater
from rowlock.worker.leases import ClaimRequest
from rowlock.worker.log import log
from rowlock.worker.poll import Poll
from rowlock.worker.threads import Threads

T = TypeVar("T")

# For how long what a handler asks for is asked for again.
RETRY_SECONDS: Final = 15.0
# How long the last calls may take once nothing runs any more.
FAREWELL_SECONDS: Final = 5.0


class WorkerOptions(NamedTuple):
    """What a worker was told of how to work."""

    target: Target
    request: ClaimRequest
    concurrency: int
    grace_seconds: float
    poll_seconds: float
    timeout_seconds: float
    exchange: AsyncExchange | None
    max_tasks: int | None


class WorkerRun:
    """Runs tasks until told to stop, then lets them end, and gives back what does not. `begin` is
    awaited before the first claim."""

    def __init__(
        self,
        options: WorkerOptions,
        handlers: Handlers,
        *,
        drain: bool,
        begin: Callable[[], Awaitable[None]],
    ) -> None:
        self._options = options
        self._handlers = handlers
        self._before_claims = begin
        self._executions: set[Execution] = set()
        self._threads = Threads(options.concurrency, self._threads_are_stuck)
        self._transport = AsyncTransport(options.target, options.exchange)
        self._poll = Poll(
            options.target,
            options.request,
            timeout_seconds=options.timeout_seconds,
            exchange=options.exchange,
        )
        self._heartbeater = Heartbeater(
            self._transport,
            self._executions,
            self._threads,
            lease_seconds=options.request.lease_seconds,
        )
        self._claim_loop = ClaimLoop(
            self._transport,
            self._poll,
            options.request,
            timeout_seconds=options.timeout_seconds,
            concurrency=options.concurrency,
            poll_seconds=options.poll_seconds,
            drain=drain,
            max_tasks=options.max_tasks,
            server=str(options.target.url),
            start=self._start,
            leave=self._leave,
            spent=partial(supervised.tell, supervised.LEAVING),
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
        log.info("stopping: %d tasks are still running", len(self._executions))
        self._stopping.set()
        self._claim_loop.stop_claiming()

    async def run(self) -> None:
        """Return when told to stop and all work has ended or is given back.

        Raises what made going on pointless: a token that is not taken, say.
        """
        self._beat()
        beginning = asyncio.create_task(self._begin())
        beginning.add_done_callback(self._on_begun)
        try:
            await self._told_to_stop()
            beginning.cancel()
            await _first_of(
                self._claim_loop.is_quiet, self._hurried, seconds=self._options.grace_seconds
            )
            for execution in list(self._executions):
                execution.cut(RELEASED)
            await _first_of(self._claim_loop.is_quiet, seconds=ABANDON_SECONDS + FAREWELL_SECONDS)
            if not self._claim_loop.is_quiet.is_set():
                log.error("some outcomes could not be reported; their leases will expire")
        finally:
            self._is_over = True
            self._beating.cancel()
            self._heartbeater.close()
            self._claim_loop.close()
            self._threads.close()
            await self._poll.close()
            await self._transport.close()
        if self._error is not None:
            raise self._error

    async def _begin(self) -> None:
        await self._before_claims()
        supervised.tell(supervised.READY)
        self._claim_loop.kick()

    def _on_begun(self, beginning: "asyncio.Task[None]") -> None:
        if not beginning.cancelled() and beginning.exception() is not None:
            self._leave(beginning.exception())

    def _start(self, lease: Lease) -> None:
        work = self._handlers.work_for(lease.task, self._threads)
        self._executions.add(
            Execution(
                lease,
                work,
                ended=self._execution_ended,
                progressed=self._heartbeater.progressed,
                ask=self._ask,
            )
        )

    async def _ask(self, call: Call[T]) -> T:
        budget = RetryBudget(RETRY_SECONDS, self._options.timeout_seconds)
        return await self._transport.run(flows.ask(call, budget))

    def _execution_ended(self, execution: Execution, finish: FinishItem | None) -> None:
        self._executions.discard(execution)
        self._claim_loop.end(finish)

    def _leave(self, error: BaseException | None) -> None:
        self._error = self._error or error
        if not self._stopping.is_set():
            self.stop()

    def _threads_are_stuck(self, error: StuckHandlersError) -> None:
        if not self._stopping.is_set():
            log.error("%s; no more tasks are claimed", error)
            self._leave(error)

    async def _told_to_stop(self) -> None:
        try:
            await self._stopping.wait()
        except asyncio.CancelledError:
            # By whoever cancels all tasks: a handler, or an event loop that ends.
            self.stop()
            self.stop()

    def _beat(self) -> None:
        self._beating = asyncio.create_task(self._heartbeater.run())
        self._beating.add_done_callback(self._on_beating_end)

    def _on_beating_end(self, beating: "asyncio.Task[None]") -> None:
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
