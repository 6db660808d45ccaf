"""What follows a commit, before its answer: the cache, the leases and whoever waits hear of it."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

import structlog

from app.domain.errors import RowlockError
from app.domain.states import ENDED, Status
from app.domain.task import Lease, Task
from app.mysql.database import Database
from app.queue.attempts.claim_memory import ClaimMemory
from app.queue.figures import counters
from app.queue.requests import Move, Submitted
from app.redis.cache import Cache
from app.redis.lease_book import LeaseBook
from app.runtime import metrics
from app.service.waiting import WaitingRoom

EVERYBODY: Final = sys.maxsize
FOLD_COMMITS: Final = 1000

log = structlog.get_logger(__name__)


class AfterCommit:
    """One process's."""

    def __init__(
        self,
        *,
        database: Database,
        cache: Cache,
        lease_book: LeaseBook,
        claims: ClaimMemory,
        work: WaitingRoom[str],
        endings: WaitingRoom[int],
    ) -> None:
        self._database = database
        self._cache = cache
        self._lease_book = lease_book
        self._claims = claims
        self._work = work
        self._endings = endings
        self._commits = 0
        self._fold: asyncio.Task[None] | None = None

    async def stored(self, answers: Iterable[Submitted]) -> None:
        """Tasks were submitted: they are new, or have changed those that hold their unique keys."""
        made: list[Task] = []
        moves: dict[int, Move] = {}
        for answer in answers:
            made += answer.made
            for old, new in answer.moves:
                moves[new.id] = (moves[new.id][0] if new.id in moves else old, new)
        if made:
            await self.submitted(made)
        await self.moved(moves.values())

    async def submitted(self, tasks: Collection[Task]) -> None:
        """New tasks are in lists, and may be claimed."""
        async with self._committed():
            await self._cache.wrote([])
            metrics.TRANSITIONS.labels("", Status.TO_DO).inc(len(tasks))
            self._wake_workers(tasks)

    async def moved(self, moves: Collection[Move], *, told_again: Collection[int] = ()) -> None:
        """Tasks have changed.

        `told_again`: tasks whose callers are told of an earlier commit."""
        if not moves and not told_again:
            return
        async with self._committed():
            await self._cache.wrote(
                {new.id for _, new in moves}.union(told_again),
                also=self._lease_book.following(moves),
            )
            for (source, target), count in Counter(
                (old.status, new.status) for old, new in moves if old.status != new.status
            ).items():
                metrics.TRANSITIONS.labels(source, target).inc(count)
            claimable_again = [new for old, new in moves if new.claim_rank != old.claim_rank]
            for queue in {task.queue for task in claimable_again if task.claim_rank is not None}:
                self._claims.marks.forget(queue)
            self._wake_workers(new for old, new in moves if old.claim_rank is None)
            for _, new in moves:
                if new.status in ENDED:
                    self._endings.wake(new.id, EVERYBODY)

    async def removed(self, tasks: Collection[Task]) -> None:
        """Tasks are gone."""
        leases = [Lease(t.id, t.lease_token) for t in tasks if t.lease_token is not None]
        await self._cache.wrote([task.id for task in tasks], also=self._lease_book.ending(leases))
        for task in tasks:
            self._endings.wake(task.id, EVERYBODY)

    async def close(self) -> None:
        """Wait for what was begun beside."""
        if self._fold is not None:
            await asyncio.wait([self._fold])

    @asynccontextmanager
    async def _committed(self) -> AsyncIterator[None]:
        """What is committed must not look as if it were not: whatever goes wrong here is a bug
        that is logged, and no reason to tell the caller of a failure, or to store it again."""
        self._commits += 1
        if self._commits % FOLD_COMMITS == 0 and (self._fold is None or self._fold.done()):
            self._fold = asyncio.create_task(self._fold_beside())
        began = time.monotonic()
        try:
            yield
        except Exception:
            log.exception("after_commit")
            await self._cache.could_not_tell(since=began)

    async def _fold_beside(self) -> None:
        """Should no scheduler do it: whoever reads figures reads all that is not folded."""
        with suppress(RowlockError):
            await fold_counters(self._database)

    def _wake_workers(self, tasks: Iterable[Task]) -> None:
        for queue, count in Counter(t.queue for t in tasks if t.claim_rank is not None).items():
            self._work.wake(queue, count)


async def fold_counters(database: Database) -> None:
    """Fold what transactions have added to the counters, to its end."""
    fold = partial(counters.fold_once, limit=FOLD_COMMITS)
    while await database.transact(fold) == FOLD_COMMITS:
        pass
