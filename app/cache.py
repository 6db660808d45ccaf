"""Query results as ready-made JSON bytes, in Redis, for a few seconds.

No read after an acknowledged write is stale:
- a write puts a tombstone over its tasks after the commit and before the answer, and a fill
  never overwrites one (`SET NX`), so that a reader who saw the row before the commit cannot
  store it after;
- lists carry a version, which each committed batch moves on once;
- every value carries the epoch under which it was read. A process that could not tell Redis
  of a write has the epoch deleted, which voids every value (`app.untold`), and reads past the
  cache until that is done; so does a process that has just lost and found Redis, for others.
"""

import secrets
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from redis.asyncio.client import Pipeline

from app.metrics import CACHE_READS
from app.redis import RedisAwayError, RedisLink
from app.untold import Untold

# Larger ones would fill Redis for leases and tombstones too.
LARGEST_VALUE_BYTES: Final = 256 * 1024

# One command for a batch: a command each costs this process thirty times as much.
_FORGET: Final = """
for i = 2, #KEYS do redis.call('SET', KEYS[i], '', 'PX', ARGV[1]) end
redis.call('INCR', KEYS[1])
"""
_FORGET_TASKS: Final = """
for i = 1, #KEYS do redis.call('SET', KEYS[i], '', 'PX', ARGV[1]) end
"""
_FILL: Final = """
for i = 1, #KEYS do redis.call('SET', KEYS[i], ARGV[i + 1], 'PX', ARGV[1], 'NX') end
"""


class Slot(NamedTuple):
    """Where and under which stamp a result that was not found may be stored."""

    stamp: bytes
    read_at: float


class Cache:
    """The cache of one process."""

    def __init__(self, link: RedisLink, *, ttl_seconds: float) -> None:
        self._link = link
        self._ttl_ms = int(ttl_seconds * 1000)
        self._epoch_key = f"{link.prefix}epoch"
        self._version_key = f"{link.prefix}lists"
        # Who read before a change may store it for a while after.
        self._untold = Untold(link, self._epoch_key, lifetime_seconds=2 * ttl_seconds)

    async def tasks(self, ids: Collection[int]) -> tuple[dict[int, bytes], Slot | None]:
        """The documents found, and where to put those that were not; None: nowhere."""
        wanted = list(ids)
        keys = [self._epoch_key, *(self._task_key(task_id) for task_id in wanted)]
        read_at = time.monotonic()
        values = await self._read(keys)
        if values is None:
            return {}, None
        epoch, *documents = values
        found = {
            task_id: value[len(epoch) :]
            for task_id, value in zip(wanted, documents, strict=True)
            if value and value.startswith(epoch)
        }
        CACHE_READS.labels("task", "yes").inc(len(found))
        CACHE_READS.labels("task", "no").inc(len(wanted) - len(found))
        return found, Slot(epoch, read_at)

    async def fill_tasks(self, slot: Slot, documents: Mapping[int, bytes]) -> None:
        """Store documents read after `slot` was handed out."""
        await self._fill(
            slot, {self._task_key(i): slot.stamp + document for i, document in documents.items()}
        )

    async def result_of(self, query: str) -> tuple[bytes | None, Slot | None]:
        """The result of a list query, and where to put it if it was not found."""
        read_at = time.monotonic()
        values = await self._read([self._epoch_key, self._version_key, self._query_key(query)])
        if values is None:
            return None, None
        epoch, version, value = values
        stamp = epoch + (version or b"0") + b";"
        found = value[len(stamp) :] if value and value.startswith(stamp) else None
        CACHE_READS.labels("list", "no" if found is None else "yes").inc()
        return found, Slot(stamp, read_at)

    async def fill_result(self, slot: Slot, query: str, *parts: bytes | bytearray) -> None:
        """Store a result read after `slot` was handed out."""
        # Put together only now: it may be large.
        if self._is_fresh(slot) and sum(map(len, parts)) <= LARGEST_VALUE_BYTES:
            key, value = self._query_key(query), b"".join((slot.stamp, *parts))
            await self._try(lambda pipe: pipe.set(key, value, px=self._ttl_ms))

    async def wrote(
        self, ids: Collection[int], *, also: Callable[[Pipeline], object] = lambda _: None
    ) -> None:
        """Forget these tasks and every list: their change is committed. Returns before anybody
        is told of the write. `also` rides on the same round trip."""

        untold = self._untold.count
        began = time.monotonic()

        def forget(pipe: Pipeline) -> None:
            if self._untold.is_pending:
                pipe.set(self._epoch_key, _new_epoch())
            keys = [self._version_key, *(self._task_key(task_id) for task_id in ids)]
            pipe.execute_command("EVAL", _FORGET, len(keys), *keys, self._ttl_ms)
            also(pipe)

        if self._link.is_absent:
            return
        try:
            await self._link.run(forget)
        except RedisAwayError:
            await self.could_not_tell(since=began)
        else:
            self._untold.made_good(untold)

    def forget_tasks(self, pipe: Pipeline, ids: Collection[int]) -> None:
        """Put tombstones over tasks, as part of somebody else's round trip."""
        keys = [self._task_key(task_id) for task_id in ids]
        pipe.execute_command("EVAL", _FORGET_TASKS, len(keys), *keys, self._ttl_ms)

    async def could_not_tell(self, *, since: float) -> None:
        """Redis could not be told of a change, for which it has been waited `since` then."""
        await self._untold.add(since=since)

    async def close(self) -> None:
        """Nothing is made good any more."""
        await self._untold.close()

    async def _move_epoch(self) -> None:
        untold = self._untold.count
        await self._link.run(lambda pipe: pipe.set(self._epoch_key, _new_epoch()))
        # Not what could not be told while this was under way.
        self._untold.made_good(untold)

    async def _read(self, keys: list[str]) -> list[Any] | None:
        """The values, the first of which is the epoch; None: the cache is not to be used."""
        try:
            if self._untold.is_pending:
                await self._move_epoch()
                if self._untold.is_pending:
                    return None
            (values,) = await self._link.run(lambda pipe: pipe.mget(keys))
            if not self._link.is_settled:
                return None
            if values[0] is None:
                # Redis is new or was emptied. Random, so that no older value matches it.
                await self._link.run(lambda pipe: pipe.set(self._epoch_key, _new_epoch(), nx=True))
                return None
        except RedisAwayError:
            return None
        return list(values)

    async def _fill(self, slot: Slot, values: Mapping[str, bytes]) -> None:
        def fill(pipe: Pipeline) -> None:
            pipe.execute_command(
                "EVAL", _FILL, len(values), *values, self._ttl_ms, *values.values()
            )

        values = {k: v for k, v in values.items() if len(v) <= LARGEST_VALUE_BYTES}
        if values and self._is_fresh(slot):
            await self._try(fill)

    def _is_fresh(self, slot: Slot) -> bool:
        # A tombstone set since has to be there still, or a read from before it could be stored.
        return (time.monotonic() - slot.read_at) * 1000 < self._ttl_ms / 2

    async def _try(self, fill: Callable[[Pipeline], object]) -> None:
        with suppress(RedisAwayError):  # a result that is not stored is read again
            await self._link.run(fill)

    def _task_key(self, task_id: int) -> str:
        return f"{self._link.prefix}task:{task_id}"

    def _query_key(self, query: str) -> str:
        return f"{self._link.prefix}list:{query}"


def _new_epoch() -> bytes:
    return secrets.token_hex(8).encode() + b";"
