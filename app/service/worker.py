"""The worker door's use cases: claim, heartbeat, finish."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from redis.asyncio.client import Pipeline

from app import metrics
from app.coalesce import Coalescer
from app.errors import (
    DatabaseAwayError,
    GuardFailedError,
    RowBusyError,
    RowlockError,
    TooManyWaitingError,
)
from app.leases import Beat
from app.queue import heartbeats, lifecycle
from app.queue.calls import Claim, Ending, Finish, Turn, Turned, Turns
from app.redis import RedisAwayError
from app.service.give_back import GiveBack
from app.service.platform import Platform
from app.task import Lease, Task

# Together at most this many tasks move in one transaction of the lease traffic.
TURN_LIMIT: Final = 400
BEAT_LIMIT: Final = 1000
# A task that has to be read may be long, and counts as so many; a result as one more for each so
# many characters.
UNKNOWN_WEIGHT: Final = 8
WEIGHTY_CHARACTERS: Final = 16_384


class Pulse(NamedTuple):
    """The answer to a heartbeat."""

    expires_at: datetime
    deadline: datetime


class WorkerService:
    """What workers do."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._memory = platform.claims
        self._returns = GiveBack(self._release)
        self._turns: Coalescer[Turn, Turned] = Coalescer(
            self._take_turns,
            limit=TURN_LIMIT,
            weigh=self._weight,
            observe=metrics.BATCH_CALLS.labels("leases").observe,
            parallel=platform.batches_under_way,
            unclaimed=self._return_unclaimed,
        )
        self._beats: Coalescer[tuple[Lease, str | None], Pulse] = Coalescer(
            self._beat,
            limit=BEAT_LIMIT,
            observe=metrics.BATCH_CALLS.labels("heartbeats").observe,
        )

    async def turn(
        self,
        finishes: Sequence[Finish],
        claim: Claim | None,
        *,
        wait_seconds: float = 0,
        is_gone: Callable[[], Awaitable[bool]] | None = None,
        only_waits: Callable[[], None] = lambda: None,
    ) -> Turned:
        """End attempts and take the next work, in one transaction; with nothing to take, wait.

        `is_gone` says whether the caller has hung up; then nothing is claimed for it. `only_waits`
        is called when all but the wait is over.
        Raises `TooManyWaitingError` where there is nothing to take, nor room to wait.
        """
        if claim is None or wait_seconds <= 0:
            return await self._take_turn(Turn(finishes, claim))
        until = time.monotonic() + wait_seconds
        room = self._platform.work
        # In before looking, so that nothing that comes after the look is missed.
        try:
            waiter = room.enter(claim.queues)
        except TooManyWaitingError:
            turned = await self._look(finishes, claim)
            if not finishes and not turned.claimed:
                raise
            return turned
        try:
            turned = await self._look(finishes, claim)
            only_waits()
            while not turned.claimed and (remaining := until - time.monotonic()) > 0:
                if not await waiter.wait(remaining) or not room.is_open:
                    return turned
                if is_gone is not None and await is_gone():
                    waiter.wake()  # what woke it goes on to the next
                    return turned
                try:
                    claimed = (await self._take_turn(Turn((), claim))).claimed
                except BaseException:
                    waiter.wake()  # likewise
                    raise
                turned = turned._replace(claimed=claimed)
            # A poll may be hung up on at any time, in its first moment too.
            if turned.claimed and is_gone is not None and await is_gone():
                await self.give_back(turned.claimed)
                return turned._replace(claimed=[])
            return turned
        finally:
            room.leave(waiter)

    async def _look(self, finishes: Sequence[Finish], claim: Claim) -> Turned:
        """A poll's first look; none where somebody waits who has found nothing either."""
        if not self._platform.work.is_dry(claim.queues):
            return await self._take_turn(Turn(finishes, claim))
        if finishes:
            return await self._take_turn(Turn(finishes))
        return Turned([], [])

    async def _take_turn(self, turn: Turn) -> Turned:
        """In a batch with others; and in another one, if that one did not come to its claim."""
        turned = await self._turns(turn)
        while not turned.is_served:
            again = await self._turns(Turn((), turn.claim))
            turned = again._replace(finished=turned.finished)
        return turned

    async def finish(self, finish: Finish) -> Task:
        """End one attempt. Raises `StaleLeaseError` or `TaskNotFoundError`."""
        (answer,) = (await self._turns(Turn([finish]))).finished
        if isinstance(answer, RowlockError):
            raise answer
        return answer

    async def heartbeat(self, lease: Lease, progress: str | None) -> Pulse:
        """The worker lives. Raises `StaleLeaseError` or `TaskNotFoundError`."""
        return await self._beats((lease, progress))

    async def give_back(self, tasks: Sequence[Task]) -> None:
        """Release what was claimed for a caller that is no longer there."""
        self._returns.put(_leases_of(tasks))

    async def drain(self) -> None:
        """Return when everything accepted so far is answered."""
        await self._turns.drain()
        await self._returns.drain()
        await self._beats.drain()

    async def _take_turns(self, turns: Sequence[Turn]) -> list[Turned | Exception]:
        given_out: list[Lease] = []
        try:
            are_free, done = await self._transact(turns, given_out)
        except DatabaseAwayError:
            # They may be committed all the same, and nobody will hear of them.
            self._returns.put(given_out)
            raise
        finally:
            self._forget(turns)
        claimed = [task for answer in done.answers for task in answer.claimed]
        self._memory.leased.keep(claimed)
        # An end told again too: whoever was told it first may have died before it told the cache.
        ended = {t.id for a in done.answers for t in a.finished if isinstance(t, Task)}
        await self._platform.moved(done.moves, told_again=ended)
        for queue, count in Counter(task.queue for task in claimed).items():
            metrics.CLAIMS.labels(queue).inc(count)
        answers = iter(done.answers)
        return [next(answers) if is_free else RowBusyError() for is_free in are_free]

    async def _transact(
        self, turns: Sequence[Turn], given_out: list[Lease]
    ) -> tuple[list[bool], Turns]:
        """Which of the turns could be taken, and those, taken."""
        database = self._platform.database
        take_turns = partial(
            lifecycle.take_turns, turns=turns, memory=self._memory, given_out=given_out
        )
        take_free_turns = partial(
            lifecycle.take_free_turns, turns=turns, memory=self._memory, given_out=given_out
        )
        all_free = [True] * len(turns)
        try:
            return all_free, await database.transact(take_turns)
        except GuardFailedError:
            # A client has changed one of the tasks, or the sweep or management have ended it.
            self._forget(turns)
            return all_free, await database.transact(take_turns)
        except RowBusyError:
            # Somebody holds a row. Whoever needs it is told so, and all have waited long enough.
            self._forget(turns)
            return await database.transact(take_free_turns)

    def _forget(self, turns: Sequence[Turn]) -> None:
        for turn in turns:
            self._memory.leased.forget(turn.finishes)

    async def _return_unclaimed(self, _turn: Turn, turned: Turned) -> None:
        self._returns.put(_leases_of(turned.claimed))

    async def _release(self, leases: Sequence[Lease]) -> None:
        await self._turns(Turn([Finish(lease, Ending.RELEASE) for lease in leases]))

    async def _beat(self, calls: Sequence[tuple[Lease, str | None]]) -> list[Pulse | Exception]:
        leases = [lease for lease, _ in calls]
        now, held = await self._platform.database.read(partial(heartbeats.held, leases=leases))
        beats: list[Beat] = []
        answers: list[Pulse | Exception] = []
        for lease, progress in calls:
            found = held[lease]
            if isinstance(found, RowlockError):
                answers.append(found)
                continue
            expires_at = found.deadline_at
            if found.lease_seconds is not None:
                expires_at = min(expires_at, now + timedelta(seconds=found.lease_seconds))
            answers.append(Pulse(expires_at, found.deadline_at))
            beats.append(
                Beat(
                    lease,
                    (expires_at - now).total_seconds(),
                    progress,
                    is_promised=found.lease_seconds is not None,
                )
            )
        refused = await self._remember(beats)
        return [refused.get(lease, answer) for lease, answer in zip(leases, answers, strict=True)]

    async def _remember(self, beats: Sequence[Beat]) -> Mapping[Lease, RowlockError]:
        """In Redis; what it cannot take, or did not know, is told to the sweep in MySQL. The
        leases that MySQL then refuses, with the reason."""
        if not beats:
            return {}
        platform = self._platform

        def remember(pipe: Pipeline) -> None:
            platform.leases.beat(pipe, beats)
            # Of those without progress too: the heartbeat before may have had some.
            platform.cache.forget_tasks(pipe, [beat.lease.task_id for beat in beats])

        began = time.monotonic()
        try:
            known = await platform.redis.run(remember)
        except RedisAwayError:
            if platform.redis.is_absent:
                return {}
            await platform.cache.could_not_tell(since=began)
            unsure = list(beats)
        else:
            # A lease that had run out there: a sweep may be taking it back at this moment.
            unsure = [b for b, k in zip(beats, known, strict=False) if b.is_promised and k is None]
        if not unsure:
            return {}
        remaining = {beat.lease: beat.remaining_seconds for beat in unsure}
        return await platform.database.transact(
            partial(heartbeats.put_off, remaining_seconds=remaining)
        )

    def _weight(self, turn: Turn) -> int:
        finishes = sum(
            (1 if self._memory.leased.has(finish.lease) else UNKNOWN_WEIGHT)
            + len(finish.result or "") // WEIGHTY_CHARACTERS
            for finish in turn.finishes
        )
        return finishes + (turn.claim.limit + len(turn.claim.queues) if turn.claim else 0)


def _leases_of(tasks: Iterable[Task]) -> list[Lease]:
    return [Lease(task.id, task.lease_token) for task in tasks if task.lease_token is not None]
