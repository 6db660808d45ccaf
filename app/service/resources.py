"""What every use case shares: the database, Redis, the memories, and whoever waits."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from app.mysql.database import Database
from app.queue import deployment, settlement
from app.queue.attempts import poll_checks
from app.queue.attempts.claim_memory import ClaimMemory
from app.queue.sweeps import retention, unused
from app.queue.tags import Tags
from app.redis.cache import VOID, Cache
from app.redis.lease_book import LeaseBook
from app.redis.link import RedisLink
from app.service.after_commit import AfterCommit
from app.service.waiting import Seats, WaitingRoom
from app.service.work_look import WorkLook
from app.settings import Settings

BATCHES: Final = 2


class Resources:
    """One process's."""

    def __init__(self, settings: Settings, *, batches_under_way: int = BATCHES) -> None:
        self.settings = settings
        # Of submissions, and of the lease traffic: while one commits, the next is put together.
        self.batches_under_way = batches_under_way
        self.database = Database(settings, settlement.settle)
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
        interval_seconds, seats = settings.poll_interval_seconds, Seats(settings.waiting_limit)
        self.work: WaitingRoom[str] = WaitingRoom(
            WorkLook(self.database, self.claims.marks),
            interval_seconds=interval_seconds,
            seats=seats,
        )
        self.endings: WaitingRoom[int] = WaitingRoom(
            self._look_for_endings, interval_seconds=interval_seconds, seats=seats
        )
        self.after_commit = AfterCommit(
            database=self.database,
            cache=self.cache,
            lease_book=self.lease_book,
            claims=self.claims,
            work=self.work,
            endings=self.endings,
        )
        self.database.on_also_moved.append(self.after_commit.moved)
        # How far the walk through old tasks has come.
        self.retained = retention.FIRST
        # And the one through counters and tags.
        self.unused = unused.NONE_YET
        # Whether this process has computed anew when schedules occur.
        self.schedules_are_renewed = False

    def close_doors(self) -> None:
        """Answer every long poll now: the process stops."""
        self.work.close()
        self.endings.close()

    async def close(self) -> None:
        await self.after_commit.close()
        await self.cache.close()
        await self.redis.close()
        await self.database.close()

    async def _look_for_endings(self, wanted: Mapping[int, int]) -> Mapping[int, int]:
        return await self.database.read(partial(poll_checks.ended, wanted=wanted))
