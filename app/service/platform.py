"""What every use case shares: the database, Redis, and what follows a commit."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

import structlog

from app.domain.errors import RowlockError
from app.domain.states import ENDED, Status
from app.domain.task import Lease, Task
from app.mysql.database import Database
from app.queue import consequences, deployment
from app.queue.attempts import poll_checks
from app.queue.attempts.claim_memory import ClaimMemory
from app.queue.figures import counters
from app.queue.requests import Move
from app.queue.sweeps import retention, unused
from app.queue.tags import Tags
from app.redis.cache import VOID, Cache
from app.redis.lease_book import LeaseBook
from app.redis.link import RedisLink
from app.runtime import metrics
from app.service.waiting import Seats, WaitingRoom
from app.service.work_look import WorkLook
from app.settings import Settings

EVERYBODY: Final = sys.maxsize
FOLD_COMMITS: Final = 1000
BATCHES: Final = 2

log = structlog.get_logger(__name__)


class Platform:
    """One process's share of the platform."""

    def __init__(self, settings: Settings, *, batches_under_way: int = BATCHES) -> None:
        self.settings = settings
        # Of submissions, and of the lease traffic: while one commits, the next is put together.
        self.batches_under_way = batches_under_way
        self.database = Database(settings, consequences.settle)
        self.redis = RedisLink(
            settings, name=partial(self.database.read, deployment.name), in_doubt=VOID
        )
        self.cache = Cache(self.redis, ttl_seconds=settings.cache_ttl_seconds)
        self.lease_book = LeaseBook(self.redis)
        self.tags = Tags(self.database)
        self.claims = ClaimMemory()
        self.database.on_server_change += (
            self.claims.forget,
            self.tags.forget,
            self.redis.doubt,
        )
        seats = Seats(settings.waiting_limit)
        self.work: WaitingRoom[str] = WaitingRoom(
            WorkLook(self.database, self.claims.marks),
            interval_seconds=settings.poll_interval_seconds,
            seats=seats,
        )
        # How far the walk through old tasks has come.
        self.retained = retention.FIRST
        # And the one through counters and tags.
        self.unused = unused.NONE_YET
        self._commits = 0
        self._fold: asyncio.Task[None] | None = None
        self.endings: WaitingRoom[int] = WaitingRoom(
            self._look_for_endings, interval_seconds=settings.poll_interval_seconds, seats=seats
        )

    async def submitted(self, tasks: Collection[Task]) -> None:
        """After the commit, before the answer: new tasks are in lists, and may be claimed."""
        async with self._committed():
            await self.cache.wrote([])
            metrics.TRANSITIONS.labels("", Status.TO_DO).inc(len(tasks))
            self._wake_workers(tasks)

    async def moved(self, moves: Collection[Move], *, told_again: Collection[int] = ()) -> None:
        """After the commit, before the answer: caches, leases and waiting callers follow.

        `told_again`: tasks whose callers are told of an earlier commit."""
        if not moves and not told_again:
            return
        async with self._committed():
            await self.cache.wrote(
                {new.id for _, new in moves}.union(told_again),
                also=self.lease_book.following(moves),
            )
            for (source, target), count in Counter(
                (old.status, new.status) for old, new in moves if old.status != new.status
            ).items():
                metrics.TRANSITIONS.labels(source, target).inc(count)
            claimable_again = [new for old, new in moves if new.claim_rank != old.claim_rank]
            for queue in {task.queue for task in claimable_again if task.claim_rank is not None}:
                self.claims.marks.forget(queue)
            self._wake_workers(new for old, new in moves if old.claim_rank is None)
            for _, new in moves:
                if new.status in ENDED:
                    self.endings.wake(new.id, EVERYBODY)

    async def removed(self, tasks: Collection[Task]) -> None:
        """After the commit, before the answer: the tasks are gone."""

        leases = [Lease(t.id, t.lease_token) for t in tasks if t.lease_token is not None]
        await self.cache.wrote([task.id for task in tasks], also=self.lease_book.ending(leases))
        for task in tasks:
            self.endings.wake(task.id, EVERYBODY)

    async def fold_counters(self) -> None:
        """Fold what transactions have added to the counters, to its end."""
        fold = partial(counters.fold_once, limit=FOLD_COMMITS)
        while await self.database.transact(fold) == FOLD_COMMITS:
            pass

    def close_doors(self) -> None:
        """Answer every long poll now: the process stops."""
        self.work.close()
        self.endings.close()

    async def close(self) -> None:
        if self._fold is not None:
            await asyncio.wait([self._fold])
        await self.cache.close()
        await self.redis.close()
        await self.database.close()

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
            await self.cache.could_not_tell(since=began)

    async def _fold_beside(self) -> None:
        """Should no scheduler do it: whoever reads figures reads all that is not folded."""
        with suppress(RowlockError):
            await self.fold_counters()

    def _wake_workers(self, tasks: Iterable[Task]) -> None:
        for queue, count in Counter(t.queue for t in tasks if t.claim_rank is not None).items():
            self.work.wake(queue, count)

    async def _look_for_endings(self, wanted: Mapping[int, int]) -> Mapping[int, int]:
        return await self.database.read(partial(poll_checks.ended, wanted=wanted))
