"""The worker's traffic: finishes go out and work comes in, in as few calls as can be."""

import asyncio
import random
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final

from rowlock.errors import NotAllowedError, RowlockError
from rowlock.http.asynchronous import AsyncTransport
from rowlock.http.retry import Backoff
from rowlock.models import FinishedItem, Lease
from rowlock.worker import clock, finishes, leases
from rowlock.worker.execution import seconds_of
from rowlock.worker.finishes import FinishItem
from rowlock.worker.leases import ClaimRequest
from rowlock.worker.log import log
from rowlock.worker.outage import Outage, is_servers_refusal
from rowlock.worker.poll import Poll
from rowlock.worker.unsent_finishes import CALL_LIMIT, UnsentFinishes

# While one call is under way another may follow; what ends meanwhile waits, and goes together.
FLIGHT_LIMIT: Final = 2
# What a server, or whoever answers in its place, may ask for at most: finishes have deadlines.
LONGEST_PAUSE_SECONDS: Final = 30.0

_OK: Final = 200


class ClaimLoop:
    """Knows which slots are free. For each that becomes free it tells the server how the
    attempt ended and asks for the next, in one call; what is free then waits by long poll.

    `start` is called with each lease, and `spent` after that of the last of `max_tasks`. `leave`
    is called when going on is pointless: with the error, or with None when it is to drain and
    nothing is left, or when the last of `max_tasks` has ended. While the `server` is away,
    finishes are kept and told again until their deadlines.
    """

    def __init__(
        self,
        transport: AsyncTransport,
        poll: Poll,
        request: ClaimRequest,
        *,
        timeout_seconds: float,
        concurrency: int,
        poll_seconds: float,
        drain: bool,
        max_tasks: int | None,
        server: str,
        start: Callable[[Lease], None],
        leave: Callable[[BaseException | None], None],
        spent: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._poll = poll
        self._request = request
        self._timeout_seconds = timeout_seconds
        self._poll_seconds = 0 if drain else poll_seconds
        self._is_draining = drain
        self._start = start
        self._leave = leave
        self._spent = spent
        # Slots that neither have an attempt nor are asked for.
        self._free = concurrency
        self._slots = concurrency
        self._running = 0
        # How many tasks may still be started.
        self._tasks_left = sys.maxsize if max_tasks is None else max_tasks
        self._unsent = UnsentFinishes()
        self._flights: set[asyncio.Task[None]] = set()
        self._polling: asyncio.Task[None] | None = None
        self._is_open = True
        self._is_claiming = True
        # The last look for work found less than was asked for.
        self._is_dry = False
        self._is_kicked = False
        self._outage = Outage(server, is_draining=drain)
        self._pause: asyncio.TimerHandle | None = None
        # Set while nothing runs, nothing is to be told and nothing is under way.
        self.is_quiet = asyncio.Event()

    def end(self, finish: FinishItem | None) -> None:
        """A slot is free again; `finish`, if any, is to be told."""
        self._running -= 1
        self._free += 1
        if finish is not None:
            self._unsent.put(finish)
        self.kick()

    def stop_claiming(self) -> None:
        """Ask for no more work. What was asked for and still arrives is given back."""
        self._is_claiming = False
        self._poll.hang_up()
        self.kick()

    def kick(self) -> None:
        """See what there is to do, once all that ends at this moment has ended."""
        if self._is_open and not self._is_kicked:
            self._is_kicked = True
            self._loop.call_soon(self._go)

    def close(self) -> None:
        """Break off."""
        self._is_open = False
        for task in (*self._flights, *([self._polling] if self._polling else [])):
            task.cancel()
        if self._pause is not None:
            self._pause.cancel()

    def _go(self) -> None:
        self._is_kicked = False
        if not self._is_open:
            return
        if self._pause is None:
            while self._unsent and len(self._flights) < FLIGHT_LIMIT:
                batch, limit = self._load()
                self._flights.add(self._spawn(self._tell(batch, limit), batch, limit))
            # While the server is away one call at a time finds out whether it is back.
            is_probing = bool(self._outage.failures and self._flights)
            if not (self._polling or self._unsent or is_probing) and (limit := self._ask_for()):
                self._polling = self._spawn(self._wait_for_work(limit), [], limit)
        if self._running or self._unsent or self._flights or self._polling:
            self.is_quiet.clear()
            return
        self.is_quiet.set()
        if (self._is_draining and self._is_dry) or not self._tasks_left:
            self._leave(None)

    def _load(self) -> tuple[list[FinishItem], int]:
        """The finishes of the next call, and for how many tasks it asks."""
        batch = self._unsent.load()
        # A poll that is out knows of no work, and will be the first to hear of some. And a call
        # whose answer may be lost must not take work that nobody would then hear of.
        if self._polling is not None or self._outage.failures or batch[0].is_alone:
            return batch, 0
        self._is_dry = False
        return batch, self._ask_for()

    def _ask_for(self) -> int:
        """Take free slots for a claim."""
        if not self._is_claiming or (self._is_draining and self._is_dry):
            return 0
        is_asked_for = self._slots - self._free - self._running
        limit = min(self._free, CALL_LIMIT, self._tasks_left - is_asked_for)
        self._free -= limit
        return limit

    async def _tell(self, batch: list[FinishItem], limit: int) -> None:
        claim = self._request.body(limit) if limit else None
        try:
            call = leases.finish((e.item for e in batch), claim)
            finished = await self._transport.once(call, self._timeout_seconds)
        except RowlockError as error:
            self._free += limit
            self._unsent.put_back(batch, error, now=clock.now())
            if isinstance(error, NotAllowedError):
                self._leave(error)
            if not is_servers_refusal(error):
                self._try_later(error)
        else:
            self._outage.ends()
            for told, item in zip(batch, finished.items, strict=False):
                self._note(told, item)
            # Of what these ends have freed, that claim knew nothing yet.
            self._take(finished.leases, limit, is_dry=False)

    async def _wait_for_work(self, limit: int) -> None:
        try:
            arrived = await self._poll.claim(limit, self._poll_seconds)
        except RowlockError as error:
            self._free += limit
            if is_servers_refusal(error) or isinstance(error, NotAllowedError):
                self._leave(error)
            else:
                self._try_later(error)
        else:
            self._outage.ends()
            self._take(arrived, limit, is_dry=len(arrived) < limit)

    def _take(self, arrived: list[Lease], limit: int, *, is_dry: bool) -> None:
        self._free += limit - len(arrived)
        self._is_dry = is_dry
        for lease in arrived:
            if self._is_claiming:
                self._running += 1
                self._tasks_left -= 1
                self._start(lease)
            else:
                self._free += 1
                deadline = clock.now() + seconds_of(lease)
                self._unsent.put(finishes.released(lease.lease_id, deadline))
        if arrived and not self._tasks_left:
            self._spent()

    def _note(self, told: FinishItem, item: FinishedItem) -> None:
        if item.is_refused:
            self._unsent.refuse(told, item.detail or "")
        elif item.status != _OK:
            log.warning("lease %s: %s", item.lease_id, item.detail)

    def _try_later(self, error: BaseException) -> None:
        if self._pause is not None:
            return
        give_up = self._outage.goes_on(error, has_work=bool(self._running or self._unsent))
        if give_up is not None:
            self._leave(give_up)
        wish: float | None = getattr(error, "retry_after_seconds", None)
        pause = Backoff().pause_seconds(
            max(1, self._outage.failures),
            jitter=random.random(),  # noqa: S311  (spreads load, keeps no secret)
            retry_after_seconds=min(wish or 0.0, LONGEST_PAUSE_SECONDS),
        )
        self._pause = self._loop.call_later(pause, self._try_again)

    def _try_again(self) -> None:
        self._pause = None
        self.kick()

    def _spawn(
        self, work: Coroutine[Any, Any, None], batch: list[FinishItem], limit: int
    ) -> "asyncio.Task[None]":
        task = self._loop.create_task(work)
        task.add_done_callback(lambda task: self._landed(task, batch, limit))
        return task

    def _landed(self, task: "asyncio.Task[None]", batch: list[FinishItem], limit: int) -> None:
        self._flights.discard(task)
        if task is self._polling:
            self._polling = None
        error = None if task.cancelled() else task.exception()
        if task.cancelled() or error is not None:
            # Some handler cancels whatever runs, or the fault is ours. It may not even have begun.
            self._free += limit
            self._unsent.keep(batch)
        if error is not None:
            self._try_later(error)
            self._leave(error)
        self.kick()
