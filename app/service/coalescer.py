"""One transaction for many calls."""

import asyncio
import contextvars
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, Generic, TypeVar, cast

from app.domain.errors import DatabaseAwayError, RowBusyError

# Measured with 64 connections: 10 % more than a second batch for whoever comes first.
WORTH_A_BATCH: Final = 8
# Whoever has waited for a row longer than that has waited long enough.
BUSY_SECONDS: Final = 1.0

Call = TypeVar("Call")
Answer = TypeVar("Answer")

Run = Callable[[Sequence[Call]], Awaitable[Sequence[Answer | Exception]]]


class Coalescer(Generic[Call, Answer]):
    """Calls that arrive while a batch is under way form the next batch.

    A lone call goes at once, with no added delay. Up to `parallel` batches are under way: one
    more begins beside the others once enough calls wait to be worth a transaction of their own.
    `run` answers each call of a batch in its order, with an exception where one is due. Where
    `run` itself raises, nothing was committed, and each call of the batch is run alone, so that
    one bad call cannot fail its neighbours; but not when MySQL is away, which is everybody's
    answer, also of those who wait for the next batch; nor when they have waited for a row that
    somebody else holds, which is the answer of all that the batch has left.

    A caller that gives up before its batch began is left out of it; after that its call is
    carried out all the same, and its answer goes to `unclaimed`, if given.
    """

    def __init__(
        self,
        run: Run[Call, Answer],
        *,
        limit: int,
        parallel: int = 1,
        weigh: Callable[[Call], int] = lambda _: 1,
        observe: Callable[[int], object] = lambda _: None,
        unclaimed: Callable[[Call, Answer], Awaitable[None]] | None = None,
    ) -> None:
        self._run = run
        self._limit = limit
        self._parallel = parallel
        self._weigh = weigh
        self._observe = observe
        self._unclaimed = unclaimed
        self._waiting: deque[tuple[Call, asyncio.Future[Answer]]] = deque()
        # Before these, in their order: whoever went to the head of the one line could be stepped
        # over for ever, by those that come to the head after it.
        self._again: deque[tuple[Call, asyncio.Future[Answer]]] = deque()
        self._runners: set[asyncio.Task[None]] = set()

    async def __call__(self, call: Call, *, is_again: bool = False) -> Answer:
        """The answer to `call`, once its batch is committed; raises what its answer raises.

        `is_again`: its batch did not come to it, and it is in the next one before all others.
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        (self._again if is_again else self._waiting).append((call, answer))
        waiting = len(self._again) + len(self._waiting)
        is_worth_it = waiting >= WORTH_A_BATCH and len(self._runners) < self._parallel
        if not self._runners or is_worth_it:
            # A batch is nobody's in particular: not in the log context of who came first.
            self._runners.add(
                asyncio.create_task(self._run_batches(), context=contextvars.Context())
            )
        return await answer

    async def drain(self) -> None:
        """Return when every call accepted so far is answered."""
        while self._runners:
            await asyncio.wait(self._runners)

    async def _run_batches(self) -> None:
        try:
            while batch := self._next_batch():
                try:
                    self._observe(len(batch))
                    await self._answer(batch)
                except Exception as error:
                    # A bug: nobody waits for ever because of it.
                    for _, answer in batch:
                        if not answer.done():
                            answer.set_exception(error)
        finally:
            # At once, not by a callback later: a call that comes in between would wait for ever.
            self._runners.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    def _next_batch(self) -> list[tuple[Call, asyncio.Future[Answer]]]:
        batch: list[tuple[Call, asyncio.Future[Answer]]] = []
        weight = 0
        while line := self._again or self._waiting:
            call, answer = line[0]
            if answer.done():  # its caller has left
                line.popleft()
                continue
            weight += self._weigh(call)
            if batch and weight > self._limit:
                break
            batch.append(line.popleft())
        return batch

    async def _answer(self, batch: list[tuple[Call, asyncio.Future[Answer]]]) -> Exception | None:
        """Run a batch, and if need be its calls; what the last run that failed has raised."""
        until = time.monotonic() + BUSY_SECONDS
        failed = await self._try(batch)
        left = deque(batch if failed else ())
        while failed and len(batch) > 1 and left and not _is_for_all(failed, until):
            one = left.popleft()
            if error := await self._try([one]):
                failed = error
                await self._tell([one], [error])
        if failed:
            await self._tell(left, [failed] * len(left))
        while isinstance(failed, DatabaseAwayError) and (waiting := self._next_batch()):
            # Whoever waits behind this batch has waited as long: no second time-out for them.
            await self._tell(waiting, [failed] * len(waiting))
        return failed

    async def _try(self, batch: list[tuple[Call, asyncio.Future[Answer]]]) -> Exception | None:
        """Run them together and tell them; nothing is told where that fails."""
        try:
            answers = await self._run([call for call, _ in batch])
        except Exception as error:
            return error
        await self._tell(batch, answers)
        return None

    async def _tell(
        self,
        batch: Iterable[tuple[Call, asyncio.Future[Answer]]],
        answers: Sequence[Answer | Exception],
    ) -> None:
        for (call, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
            elif self._unclaimed is not None and not isinstance(answer, Exception):
                await self._unclaimed(call, answer)


def _is_for_all(error: Exception, until: float) -> bool:
    """Whether those who have not been tried are told the same."""
    is_late = time.monotonic() > until
    return isinstance(error, DatabaseAwayError) or (isinstance(error, RowBusyError) and is_late)
