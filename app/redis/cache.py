"""Query results as ready-made JSON bytes, in Redis, for a few seconds.

No read after an acknowledged write is stale (`docs/decisions/0011-cache.md` has the cases):
- a write puts a tombstone over its tasks after the commit and before the answer. A fill never
  overwrites one, and is refused when it comes so late that one may be gone already;
- lists carry a version, which each committed batch moves on once;
- every value carries the epoch under which it was read. To forget the epoch is to void all.
"""

import secrets
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import Final, NamedTuple

from app.redis.calls import Call, Command, Script, Word
from app.redis.invalidation import PendingInvalidation
from app.redis.link import RedisAwayError, RedisLink
from app.runtime.metrics import CACHE_READS

# Larger ones would fill Redis for leases and tombstones too.
LARGEST_VALUE_BYTES: Final = 256 * 1024

# The epoch, and the version of lists: gone together, or not at all.
_STATE: Final = "cache"

VOID: Final = Command("DEL", (_STATE,))

# One command for a batch: a command each costs this process thirty times as much.
_FORGET: Final = """#!lua
for i = 2, #KEYS do redis.call('SET', KEYS[i], '', 'PX', ARGV[1]) end
redis.call('HINCRBY', KEYS[1], 'lists', 1)
"""
_FORGET_TASKS: Final = """#!lua
for i = 1, #KEYS do redis.call('SET', KEYS[i], '', 'PX', ARGV[1]) end
"""
# A tombstone set since the read began has to be there still. What is stored is gone, whenever it
# comes, a lifetime after that moment. It takes the place of a value of another stamp.
_FILL: Final = """#!lua
local clock = redis.call('TIME')
local age = clock[1] * 1000 + math.floor(clock[2] / 1000) - ARGV[2]
if age < 0 or age > ARGV[1] / 2 then return end
for i = 1, #KEYS do
  local is_new = redis.call('SET', KEYS[i], ARGV[i + 2], 'PX', ARGV[1] - age, 'NX')
  if not is_new and redis.call('STRLEN', KEYS[i]) > 0 then
    redis.call('SET', KEYS[i], ARGV[i + 2], 'PX', ARGV[1] - age)
  end
end
"""


class Slot(NamedTuple):
    """Under which stamp a result that was not found may be stored, and when, by Redis' clock, it
    was not found."""

    stamp: bytes
    read_at_ms: int


class Cache:
    """The cache of one process."""

    def __init__(self, link: RedisLink, *, ttl_seconds: float) -> None:
        self._link = link
        self._ttl_ms = int(ttl_seconds * 1000)
        self._pending = PendingInvalidation(link, lifetime_seconds=ttl_seconds)

    async def tasks(self, ids: Collection[int]) -> tuple[dict[int, bytes], Slot | None]:
        """The documents found, and where to put those that were not; None: nowhere."""
        wanted = list(ids)
        try:
            read_at_ms, epoch, _, documents = await self._read(map(_task_key, wanted))
        except RedisAwayError:
            return {}, None
        found = {
            task_id: value[len(epoch) :]
            for task_id, value in zip(wanted, documents, strict=True)
            if value and value.startswith(epoch)
        }
        CACHE_READS.labels("task", "yes").inc(len(found))
        CACHE_READS.labels("task", "no").inc(len(wanted) - len(found))
        return found, Slot(epoch, read_at_ms)

    async def fill_tasks(self, slot: Slot, documents: Mapping[int, bytes]) -> None:
        """Store documents read after `slot` was handed out."""
        values = {
            _task_key(task_id): slot.stamp + document
            for task_id, document in documents.items()
            if len(document) <= LARGEST_VALUE_BYTES
        }
        if values:
            await self._fill(slot, values)

    async def result_of(self, query: str) -> tuple[bytes | None, Slot | None]:
        """The result of a list query, and where to put it if it was not found."""
        try:
            read_at_ms, epoch, version, (value,) = await self._read([_query_key(query)])
        except RedisAwayError:
            return None, None
        stamp = epoch + version + b";"
        found = value[len(stamp) :] if value and value.startswith(stamp) else None
        CACHE_READS.labels("list", "no" if found is None else "yes").inc()
        return found, Slot(stamp, read_at_ms)

    async def fill_result(self, slot: Slot, query: str, *parts: bytes | bytearray) -> None:
        """Store a result read after `slot` was handed out."""
        # Put together only now: it may be large.
        if sum(map(len, parts)) <= LARGEST_VALUE_BYTES:
            value = b"".join((slot.stamp, *parts))
            await self._fill(slot, {_query_key(query): value})

    async def wrote(self, ids: Collection[int], *, also: Collection[Call] = ()) -> None:
        """Forget these tasks and every list: their change is committed. Returns before anybody
        is told of the write. `also` rides on the same round trip."""
        if self._link.is_absent:
            return
        began = time.monotonic()
        keys = (_STATE, *map(_task_key, ids))
        try:
            await self._link.run(Script(_FORGET, keys, (self._ttl_ms,)), *also)
        except RedisAwayError:
            await self.could_not_tell(since=began)

    def forgetting(self, ids: Collection[int]) -> Call:
        """Tombstones over tasks, as part of somebody else's round trip."""
        return Script(_FORGET_TASKS, [_task_key(task_id) for task_id in ids], (self._ttl_ms,))

    async def could_not_tell(self, *, since: float) -> None:
        """Redis could not be told of a change, for which it has been waited `since` then."""
        await self._pending.add(since=since)

    async def close(self) -> None:
        """Nothing is made good any more."""
        await self._pending.close()

    async def _read(self, keys: Iterable[str]) -> tuple[int, bytes, bytes, list[bytes | None]]:
        # Random, so that nothing that was ever stored matches it.
        new_epoch = secrets.token_hex(8) + ";"
        # It begins with a write, though mostly there is nothing to be written: a Redis that takes
        # no writes cannot be told of changes, and has to refuse reads too.
        _, (seconds, microseconds), (epoch, version), values = await self._link.run(
            Command("HSETNX", (_STATE,), ("epoch", new_epoch)),
            Command("TIME"),
            Command("HMGET", (_STATE,), ("epoch", "lists")),
            Command("MGET", tuple(keys)),
        )
        if epoch is None:
            raise RedisAwayError  # made void just now
        return int(seconds) * 1000 + int(microseconds) // 1000, epoch, version or b"0", values

    async def _fill(self, slot: Slot, values: Mapping[str, bytes]) -> None:
        arguments: list[Word] = [self._ttl_ms, slot.read_at_ms, *values.values()]
        with suppress(RedisAwayError):  # a result that is not stored is read again
            await self._link.run(Script(_FILL, tuple(values), arguments))


def _task_key(task_id: int) -> str:
    return f"task:{task_id}"


def _query_key(query: str) -> str:
    return f"list:{query}"
