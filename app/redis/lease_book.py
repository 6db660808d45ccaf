"""Heartbeats of leases, in Redis: who is alive, and how far the work has come.

MySQL says who holds a task; a line in a book here says until when the holder was heard of. That
there is none means something only if the book has been kept for longer than the lease. So that
stands in the book itself: whatever loses lines, a flush or an eviction, loses that too.
"""

import hashlib
import secrets
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from app.domain.task import Lease, PromisedLease, Task
from app.redis.calls import Call, Command, Script, Word
from app.redis.link import RedisAwayError, RedisLink

# A sorted set: each lease with the moment at which it expires, and the book's mark with the one
# since when it is kept, as a negative number. Moments are milliseconds by Redis' clock.
BOOK: Final = "leases"
# A clock that has gone further than ours by more than this was set.
CLOCK_TOLERANCE_SECONDS: Final = 1.0

_NOW: Final = """#!lua
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
"""
# One command for a batch, as in `app.redis.cache`.
_BEGIN: Final = f"""{_NOW}
for i = 1, #ARGV, 2 do redis.call('ZADD', KEYS[1], 'NX', now + ARGV[i + 1], ARGV[i]) end
"""
# For each lease: its name, for how long, whether it is in the book, its progress.
_BEAT: Final = f"""{_NOW}
local known = {{}}
for i = 2, #KEYS do
  local lease, left, is_promised, progress = unpack(ARGV, i * 4 - 7, i * 4 - 4)
  local expires = redis.call('ZSCORE', KEYS[1], lease)
  known[i - 1] = (expires and tonumber(expires) > now) and 1 or 0
  if is_promised == '1' then redis.call('ZADD', KEYS[1], now + left, lease) end
  if progress == '' then redis.call('DEL', KEYS[i])
  else redis.call('SET', KEYS[i], progress, 'PX', left) end
end
return known
"""
_LOOK: Final = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now)
local mark = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(0', 'WITHSCORES')
local expires = {{}}
for i = 1, #ARGV do expires[i] = redis.call('ZSCORE', KEYS[1], ARGV[i]) end
return {{now, mark[1] or false, mark[2] or false, expires}}
"""
_LEFT: Final = f"""{_NOW}
local left = {{}}
for i = 1, #ARGV do
  local expires = redis.call('ZSCORE', KEYS[1], ARGV[i])
  left[i] = expires and expires - now
end
return left
"""
_BEGIN_ANEW: Final = f"""{_NOW}
redis.call('DEL', KEYS[1])
redis.call('ZADD', KEYS[1], -now, ARGV[1])
"""


class Beat(NamedTuple):
    """One heartbeat to remember: for how long, and the progress as a JSON text."""

    lease: Lease
    remaining_seconds: float
    progress: str | None
    is_promised: bool


class Heard(NamedTuple):
    """Until a lease expires, by what was heard of its worker, below 0 where it has, None where it
    is not in the book; and the progress as a JSON text."""

    seconds_left: float | None
    progress: str | None


class _Book(NamedTuple):
    """What the book says: for how long it has been kept, when it was looked at, and when each
    lease that is in it expires."""

    kept_ms: int
    now_ms: int
    expires_ms: dict[Lease, int]


class LeaseBook:
    """The leases that Redis knows of."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        # Redis' clock in milliseconds, and ours before and after it was asked.
        self._last_look: tuple[int, float, float] | None = None

    def following(self, moves: Iterable[tuple[Task, Task]]) -> list[Call]:
        """What begins the leases that moves gave out, and ends those that they took away."""
        ended: list[Lease] = []
        begun: list[Word] = []
        for old, new in moves:
            if old.lease_token is not None and old.lease_token != new.lease_token:
                ended.append(Lease(old.id, old.lease_token))
            if new.lease_token is not None and new.lease_seconds is not None:
                begun += (str(Lease(new.id, new.lease_token)), new.lease_seconds * 1000)
        calls = self.ending(ended)
        if begun:
            calls.append(Script(_BEGIN, (BOOK,), begun))
        return calls

    def ending(self, leases: Collection[Lease]) -> list[Call]:
        """What forgets leases."""
        if not leases:
            return []
        return [
            Command("ZREM", (BOOK,), [str(lease) for lease in leases]),
            Command("DEL", [_progress_key(lease) for lease in leases]),
        ]

    def beating(self, beats: Sequence[Beat]) -> Call:
        """What remembers heartbeats. Its answer says of each whether the lease was known."""
        arguments: list[Word] = []
        for beat in beats:
            arguments += (
                str(beat.lease),
                max(1, int(beat.remaining_seconds * 1000)),
                int(beat.is_promised),
                beat.progress or "",
            )
        return Script(_BEAT, (BOOK, *(_progress_key(beat.lease) for beat in beats)), arguments)

    async def heard_of(self, leases: Sequence[Lease]) -> Mapping[Lease, Heard]:
        """What was heard last of the workers that hold them. Raises `RedisAwayError`."""
        if not leases:
            return {}
        lefts, values = await self._link.run(
            Script(_LEFT, (BOOK,), [str(lease) for lease in leases]),
            Command("MGET", [_progress_key(lease) for lease in leases]),
        )
        return {
            lease: Heard(
                None if left_ms is None else int(left_ms) / 1000,
                value.decode() if value else None,
            )
            for lease, left_ms, value in zip(leases, lefts, values, strict=True)
        }

    async def remember(self) -> None:
        """See to it that the book is kept, and that it says since when."""
        with suppress(RedisAwayError):  # while it is away only deadlines count
            await self._look([])

    async def remaining_seconds(
        self, promises: Sequence[PromisedLease]
    ) -> dict[Lease, float | None]:
        """For each lease, after how long to look again; None: it is lost.

        Lost needs proof: the lease is not in the book, and the book has been kept for longer than
        the lease. Without proof the answer is the rest of the time until there would be.
        """
        try:
            book = await self._look([p.lease for p in promises])
        except RedisAwayError:
            return {promise.lease: float(promise.lease_seconds) for promise in promises}
        return {promise.lease: _remaining_seconds(promise, book) for promise in promises}

    async def _look(self, leases: Sequence[Lease]) -> _Book:
        asked_at = time.monotonic()
        (answer,) = await self._link.run(Script(_LOOK, (BOOK,), [str(lease) for lease in leases]))
        now_ms, mark, since, expires = answer
        was_set = self._was_set(now_ms, asked_at, time.monotonic())
        # Only now: that this Redis knows the mark still says that it did when it was looked at.
        if was_set or not await self._is_proof(mark) or (kept_ms := now_ms + int(since)) < 0:
            await self._begin_anew()
            return _Book(0, now_ms, {})
        found = zip(leases, expires, strict=True)
        return _Book(kept_ms, now_ms, {lease: int(end) for lease, end in found if end is not None})

    def _was_set(self, now_ms: int, asked_at: float, answered_at: float) -> bool:
        """Whether Redis' clock went otherwise than ours since the last look."""
        last, self._last_look = self._last_look, (now_ms, asked_at, answered_at)
        if last is None:
            return False
        last_ms, last_asked_at, last_answered_at = last
        least_seconds = asked_at - last_answered_at - CLOCK_TOLERANCE_SECONDS
        most_seconds = answered_at - last_asked_at + CLOCK_TOLERANCE_SECONDS
        return not least_seconds <= (now_ms - last_ms) / 1000 <= most_seconds

    async def _is_proof(self, mark: bytes | None) -> bool:
        """Whether this Redis has not been started anew, from what it had saved, since the mark was
        made: of a script it then knows nothing."""
        if mark is None:
            return False
        digest = hashlib.sha1(mark_script(mark.decode()).encode(), usedforsecurity=False)
        ((is_known,),) = await self._link.run(
            Command("SCRIPT", arguments=("EXISTS", digest.hexdigest()))
        )
        return bool(is_known)

    async def _begin_anew(self) -> None:
        mark = secrets.token_hex(8)
        await self._link.run(
            Command("SCRIPT", arguments=("LOAD", mark_script(mark))),
            Script(_BEGIN_ANEW, (BOOK,), (mark,)),
        )


def mark_script(mark: str) -> str:
    """What a Redis that has made this mark has loaded."""
    return f"return '{mark}'"


def _remaining_seconds(promise: PromisedLease, book: _Book) -> float | None:
    expires_ms = book.expires_ms.get(promise.lease)
    if expires_ms is not None:
        return max(expires_ms - book.now_ms, 1) / 1000
    kept_seconds = book.kept_ms / 1000
    if kept_seconds > promise.lease_seconds:
        return None
    return promise.lease_seconds - kept_seconds + 0.1


def _progress_key(lease: Lease) -> str:
    return f"progress:{lease}"
