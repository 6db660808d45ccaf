"""Reading one task, and waiting for its end: by many callers, in one statement."""

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Final

from app.domain.documents import task_document
from app.domain.errors import TaskNotFoundError, TooManyWaitingError
from app.domain.standing import Standing
from app.domain.task import Lease, Running, Task, leases_of
from app.mysql.connection import Connection
from app.queue.attempts import poll_checks
from app.queue.lists import reading
from app.redis.lease_book import Heard
from app.redis.link import RedisAwayError
from app.runtime import metrics
from app.runtime.light_event import LightEvent
from app.service.coalescer import Coalescer
from app.service.resources import Resources

# Together at most this many tasks are read in one batch.
READ_LIMIT: Final = 64


class ReadService:
    """What clients ask of one task."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._reads: Coalescer[int, bytes] = Coalescer(
            self._read,
            limit=READ_LIMIT,
            observe=metrics.BATCH_CALLS.labels("read").observe,
        )
        self._looks: Coalescer[int, bool] = Coalescer(
            self._look,
            limit=READ_LIMIT,
            observe=metrics.BATCH_CALLS.labels("wait").observe,
        )
        # Past the cache, which may not have been told yet.
        self._last_reads: Coalescer[int, bytes] = Coalescer(
            self._read_anew,
            limit=READ_LIMIT,
            observe=metrics.BATCH_CALLS.labels("last read").observe,
        )

    async def get(self, task_id: int) -> bytes:
        """The task's document. Raises `TaskNotFoundError`."""
        return await self._reads(task_id)

    async def wait(
        self, task_id: int, *, wait_seconds: float, gone: LightEvent | None = None
    ) -> bytes:
        """The task's document once it has ended, or as it is after `wait_seconds`, or when the
        caller has `gone`.

        Raises `TooManyWaitingError` where it has not, and there is no room to wait.
        """
        until = time.monotonic() + wait_seconds
        room = self._resources.endings
        try:
            waiter = room.enter([task_id])
        except TooManyWaitingError:
            if await self._looks(task_id):
                return await self._last_reads(task_id)
            raise
        try:
            while True:
                has_ended = await self._looks(task_id)
                remaining = until - time.monotonic()
                if has_ended:
                    return await self._last_reads(task_id)
                if remaining <= 0 or not room.is_open or (gone is not None and gone.is_set()):
                    return await self.get(task_id)
                await waiter.wait(remaining, gone)
        finally:
            room.leave(waiter)

    async def drain(self) -> None:
        """Return when everything accepted so far is answered."""
        await self._reads.drain()
        await self._looks.drain()
        await self._last_reads.drain()

    async def _read(self, ids: Sequence[int]) -> list[bytes | Exception]:
        wanted = set(ids)
        documents, slot = await self._resources.cache.tasks(wanted)
        missing = wanted - documents.keys()
        if missing:
            fresh = await self._fresh(missing)
            if slot is not None:
                await self._resources.cache.fill_tasks(slot, fresh)
            documents.update(fresh)
        return [documents.get(i) or TaskNotFoundError(task_id=i) for i in ids]

    async def _look(self, ids: Sequence[int]) -> list[bool]:
        # The poller's own look, so that both mean the same by an ended task.
        look = partial(poll_checks.ended, wanted=dict.fromkeys(ids, 1))
        ended = await self._resources.database.read(look)
        return [task_id in ended for task_id in ids]

    async def _read_anew(self, ids: Sequence[int]) -> list[bytes | Exception]:
        documents = await self._fresh(set(ids))
        return [documents.get(i) or TaskNotFoundError(task_id=i) for i in ids]

    async def _fresh(self, ids: Collection[int]) -> dict[int, bytes]:
        """The documents of those that exist, as they are in MySQL now."""
        tasks, now = await self._resources.database.read(partial(_rows, ids=ids))
        heard: Mapping[Lease, Heard] = {}
        with suppress(RedisAwayError):
            heard = await self._resources.lease_book.heard_of(leases_of(tasks.values()))
        return {t.id: task_document(t, _running(t, heard, now)) for t in tasks.values()}


async def _rows(
    connection: Connection, ids: Collection[int]
) -> tuple[dict[int, Task], datetime | None]:
    """And MySQL's time, if any of them is in progress."""
    tasks = await reading.get_tasks(connection, ids)
    return tasks, await connection.now() if leases_of(tasks.values()) else None


def _running(task: Task, heard: Mapping[Lease, Heard], now: datetime | None) -> Running | None:
    if task.lease_token is None:
        return None
    assert now is not None
    assert task.deadline_at is not None  # a CHECK ties it to in_progress
    standing = Standing(task, now, queue_paused_at=None, swept_at=None, is_swept=True)
    last = heard.get(Lease(task.id, task.lease_token))
    if last is None:
        return Running(None, task.deadline_at, standing.ends_at, None)
    standing = standing._replace(lease_seconds_left=last.seconds_left)
    return Running(last.progress, task.deadline_at, standing.ends_at, standing.heard_at)
