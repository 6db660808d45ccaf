"""The worker door's use cases: claim, heartbeat, finish."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import compress
from typing import Final

from app.domain.errors import (
    DatabaseAwayError,
    GuardFailedError,
    RowBusyError,
    RowlockError,
    TaskNotFoundError,
    TooManyWaitingError,
)
from app.domain.task import Lease, Task, leases_of, texts_of, without_texts
from app.queue.attempts import lifecycle
from app.queue.lists.reading import get_tasks
from app.queue.requests import Claim, Finish, FinishAction, LeaseAnswer, LeaseBatch, LeaseCall
from app.runtime import metrics
from app.runtime.light_event import LightEvent
from app.service.coalescer import Coalescer
from app.service.give_back import GiveBack
from app.service.heartbeats import Heartbeat, HeartbeatAnswer, Heartbeats
from app.service.resources import Resources
from app.service.successors import Successors

# Together at most this many tasks move in one transaction of the lease traffic.
BATCH_LIMIT: Final = 400
# A task that has to be read may be long, and counts as so many; a result as one more for each so
# many characters.
UNKNOWN_WEIGHT: Final = 8
WEIGHTY_CHARACTERS: Final = 16_384
# What one answer shows of the long texts of finished tasks; and what is kept of it for somebody
# who waits, with ten thousand others.
ANSWER_BYTES: Final = 1024 * 1024
WAITING_BYTES: Final = 64 * 1024


class LeaseService:
    """What workers do."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._memory = resources.claims
        self._returns = GiveBack(self._release)
        self._batches: Coalescer[LeaseCall, LeaseAnswer] = Coalescer(
            self._finish_and_claim,
            limit=BATCH_LIMIT,
            weigh=self._weight,
            observe=metrics.BATCH_CALLS.labels("leases").observe,
            parallel=resources.batches_under_way,
            unclaimed=self._return_unclaimed,
        )
        self._successors = Successors(resources)
        self._heartbeats = Heartbeats(resources)

    async def finish_and_claim(
        self,
        finishes: Sequence[Finish],
        claim: Claim | None,
        *,
        wait_seconds: float = 0,
        gone: LightEvent | None = None,
        only_waits: Callable[[], None] = lambda: None,
    ) -> LeaseAnswer:
        """End attempts and take the next work, in one transaction; with nothing to take, wait.

        `gone` is set when the caller hangs up: its wait is over then, and nothing claimed for it.
        `only_waits` is called when all but the wait is over.
        Raises `TooManyWaitingError` where there is nothing to take, nor room to wait.
        """
        if claim is None or wait_seconds <= 0:
            return await self._call(LeaseCall(finishes, claim))
        until = time.monotonic() + wait_seconds
        room = self._resources.work
        # In before looking, so that nothing that comes after the look is missed.
        try:
            waiter = room.enter(claim.queues)
        except TooManyWaitingError:
            answered = await self._look(finishes, claim)
            if not finishes and not answered.claimed:
                raise
            return answered
        try:
            answered = await self._look(finishes, claim)
            if not answered.claimed:
                answered = _within(answered, WAITING_BYTES)
            only_waits()
            finishes = ()  # which may be 16 MiB
            while not answered.claimed and (remaining := until - time.monotonic()) > 0:
                if not await waiter.wait(remaining, gone) or not room.is_open:
                    return answered
                if gone is not None and gone.is_set():
                    waiter.wake()  # what woke it goes on to the next
                    return answered
                try:
                    claimed = (await self._call(LeaseCall((), claim))).claimed
                except BaseException:
                    waiter.wake()  # likewise
                    raise
                answered = answered._replace(claimed=claimed)
            # A poll may be hung up on at any time, in its first moment too.
            if answered.claimed and gone is not None and gone.is_set():
                self.give_back(leases_of(answered.claimed))
                return answered._replace(claimed=[])
            return answered
        finally:
            room.leave(waiter)

    async def _look(self, finishes: Sequence[Finish], claim: Claim) -> LeaseAnswer:
        """A poll's first look; none where somebody waits who has found nothing either."""
        if not self._resources.work.is_dry(claim.queues):
            return await self._call(LeaseCall(finishes, claim))
        if finishes:
            return await self._call(LeaseCall(finishes))
        return LeaseAnswer([], [])

    async def _call(self, call: LeaseCall) -> LeaseAnswer:
        """In a batch with others; and in another one, if that one did not come to its claim."""
        if any(finish.submit for finish in call.finishes):
            return await self._submit_and_call(call)
        answered = _within(await self._batches(call), ANSWER_BYTES)
        while not answered.is_served:
            again = await self._batches(LeaseCall((), call.claim), is_again=True)
            answered = answered._replace(claimed=again.claimed, is_served=again.is_served)
        return answered

    async def _submit_and_call(self, call: LeaseCall) -> LeaseAnswer:
        """First what submits: the claim may find it."""
        submits = [bool(finish.submit) for finish in call.finishes]
        ended = await self._successors.end([*compress(call.finishes, submits)])
        others = [finish for finish in call.finishes if not finish.submit]
        rest = LeaseAnswer([], [])
        if others or call.claim is not None:
            rest = await self._call(LeaseCall(others, call.claim))
        by_turn = {True: iter(ended.finished), False: iter(rest.finished)}
        finished = [next(by_turn[is_first]) for is_first in submits]
        merged = rest._replace(finished=finished, cut=rest.cut | ended.cut)
        return _within(merged._replace(submitted=ended.submitted), ANSWER_BYTES)

    async def finish(self, finish: Finish) -> tuple[Task, Sequence[int] | None]:
        """End one attempt; with what it has submitted, if that is asked. Raises `StaleLeaseError`
        or `TaskNotFoundError`, and as `TaskService.submit_task` does where it submits."""
        if finish.submit:
            answered = await self._successors.end([finish])
        else:
            answered = await self._batches(LeaseCall([finish]))
        (answer,) = answered.finished
        if isinstance(answer, RowlockError):
            raise answer
        if answer.id in answered.cut:
            tasks = await self._resources.database.read(partial(get_tasks, ids=[answer.id]))
            if answer.id not in tasks:
                raise TaskNotFoundError(task_id=answer.id)
            answer = tasks[answer.id]
        return answer, answered.submitted.get(finish.lease)

    async def heartbeat(self, heartbeat: Heartbeat) -> HeartbeatAnswer:
        """The worker lives. Raises `StaleLeaseError` or `TaskNotFoundError`."""
        (answer,) = await self._heartbeats.beat([heartbeat])
        if isinstance(answer, RowlockError):
            raise answer
        return answer

    async def heartbeats(
        self, heartbeats: Sequence[Heartbeat]
    ) -> Sequence[HeartbeatAnswer | RowlockError]:
        """The same of many, in their order."""
        return await self._heartbeats.beat(heartbeats)

    def give_back(self, leases: Iterable[Lease]) -> None:
        """Release what was handed out to a caller that is no longer there."""
        self._returns.put(leases)

    async def drain(self) -> None:
        """Return when everything accepted so far is answered."""
        await self._successors.drain()
        await self._batches.drain()
        await self._returns.drain()
        await self._heartbeats.drain()

    async def _finish_and_claim(self, calls: Sequence[LeaseCall]) -> list[LeaseAnswer | Exception]:
        given_out: list[Lease] = []
        try:
            are_free, done = await self._transact(calls, given_out)
        except DatabaseAwayError:
            # They may be committed all the same, and nobody will hear of them.
            self._returns.put(given_out)
            raise
        finally:
            self._forget(calls)
        claimed = [task for answer in done.answers for task in answer.claimed]
        self._memory.leased.keep(claimed)
        # An end told again too: whoever was told it first may have died before it told the cache.
        ended = {t.id for a in done.answers for t in a.finished if isinstance(t, Task)}
        await self._resources.after_commit.moved(done.moves, told_again=ended)
        for queue, count in Counter(task.queue for task in claimed).items():
            metrics.CLAIMS.labels(metrics.queue_label(queue)).inc(count)
        answers = iter(done.answers)
        return [next(answers) if is_free else RowBusyError() for is_free in are_free]

    async def _transact(
        self, calls: Sequence[LeaseCall], given_out: list[Lease]
    ) -> tuple[list[bool], LeaseBatch]:
        """Which of the calls could be taken, and those, taken."""
        database = self._resources.database
        finish_and_claim = partial(
            lifecycle.finish_and_claim, calls=calls, memory=self._memory, given_out=given_out
        )
        finish_and_claim_free = partial(
            lifecycle.finish_and_claim_free, calls=calls, memory=self._memory, given_out=given_out
        )
        all_free = [True] * len(calls)
        try:
            return all_free, await database.transact(finish_and_claim)
        except GuardFailedError:
            # A client has changed one of the tasks, or the sweep or management have ended it.
            self._forget(calls)
            return all_free, await database.transact(finish_and_claim)
        except RowBusyError:
            # Somebody holds a row. Whoever needs it is told so, and all have waited long enough.
            self._forget(calls)
            return await database.transact(finish_and_claim_free)

    def _forget(self, calls: Sequence[LeaseCall]) -> None:
        for call in calls:
            self._memory.leased.forget(call.finishes)

    async def _return_unclaimed(self, _call: LeaseCall, answered: LeaseAnswer) -> None:
        self._returns.put(leases_of(answered.claimed))

    async def _release(self, leases: Sequence[Lease]) -> list[Lease]:
        """Those whose tasks somebody else holds. By itself: nobody has to wait for them."""
        calls = [LeaseCall([Finish(lease, FinishAction.RELEASE)]) for lease in leases]
        self._forget(calls)
        release = partial(
            lifecycle.finish_and_claim_free, calls=calls, memory=self._memory, given_out=[]
        )
        are_free, done = await self._resources.database.transact(release)
        await self._resources.after_commit.moved(done.moves)
        return [lease for lease, is_free in zip(leases, are_free, strict=True) if not is_free]

    def _weight(self, call: LeaseCall) -> int:
        finishes = sum(
            (1 if self._memory.leased.has(finish.lease) else UNKNOWN_WEIGHT)
            + len(finish.result or "") // WEIGHTY_CHARACTERS
            for finish in call.finishes
        )
        return finishes + (call.claim.limit + len(call.claim.queues) if call.claim else 0)


def _within(answered: LeaseAnswer, limit_bytes: int) -> LeaseAnswer:
    """What is shown of finished tasks comes to no more than that."""
    finished: list[Task | RowlockError] = []
    cut = set(answered.cut)
    for answer in answered.finished:
        task = answer if isinstance(answer, Task) else answer.facts.get("task")
        shown = answer
        if isinstance(task, Task):
            if task.id not in cut:
                limit_bytes -= sum(map(sys.getsizeof, texts_of(task)))
            if task.id in cut or limit_bytes < 0:
                cut.add(task.id)
                shown = _light(answer, task)
        finished.append(shown)
    return answered._replace(finished=finished, cut=frozenset(cut))


def _light(answer: Task | RowlockError, task: Task) -> Task | RowlockError:
    if isinstance(answer, Task):
        return without_texts(task)
    answer.facts["task"] = without_texts(task)
    return answer
