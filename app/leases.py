"""Heartbeats of leases, in Redis: who is alive, and how far the work has come.

MySQL says who holds a task; a key here says that the holder was heard of lately. Its absence
means something only if Redis has remembered things for longer than the lease.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from redis.asyncio.client import Pipeline

from app.redis import RedisAwayError, RedisLink
from app.task import Lease, PromisedLease, Task

# One command for a batch, as in `app.cache`.
_BEGIN: Final = """
for i = 1, #KEYS do redis.call('SET', KEYS[i], '', 'PX', ARGV[i], 'NX') end
"""
_MISSING: Final = -2  # PTTL of a key that does not exist


class Beat(NamedTuple):
    """One heartbeat to remember: for how long, and the progress as a JSON text."""

    lease: Lease
    remaining_seconds: float
    progress: str | None
    is_promised: bool


class Leases:
    """The leases that Redis knows of."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._memory_key = f"{link.prefix}memory"

    def follow(self, pipe: Pipeline, moves: Iterable[tuple[Task, Task]]) -> None:
        """Begin the leases that moves gave out, and end those that they took away."""
        ended: list[str] = []
        begun: dict[str, int] = {}
        for old, new in moves:
            if old.lease_token is not None and old.lease_token != new.lease_token:
                ended.append(self._key(Lease(old.id, old.lease_token)))
            if new.lease_token is not None and new.lease_seconds is not None:
                begun[self._key(Lease(new.id, new.lease_token))] = new.lease_seconds * 1000
        if ended:
            pipe.delete(*ended)
        if begun:
            pipe.execute_command("EVAL", _BEGIN, len(begun), *begun, *begun.values())

    def end(self, pipe: Pipeline, lease: Lease) -> None:
        """Forget a lease."""
        pipe.delete(self._key(lease))

    def beat(self, pipe: Pipeline, beats: Iterable[Beat]) -> None:
        """Remember heartbeats. One answer each: what was known of the lease, None for nothing."""
        for beat in beats:
            pipe.set(
                self._key(beat.lease),
                (beat.progress or "").encode(),
                px=max(1, int(beat.remaining_seconds * 1000)),
                get=True,
            )

    async def progress_of(self, leases: Sequence[Lease]) -> Mapping[int, str]:
        """The last progress of each task, as JSON texts, where there is one."""
        if not leases:
            return {}
        try:
            (values,) = await self._link.run(
                lambda pipe: pipe.mget([self._key(lease) for lease in leases])
            )
        except RedisAwayError:
            return {}
        return {
            lease.task_id: value.decode()
            for lease, value in zip(leases, values, strict=True)
            if value
        }

    async def remember(self) -> None:
        """See to it that Redis knows since when it remembers."""
        with suppress(RedisAwayError):  # while it is away only deadlines count
            await self._memory_seconds_and_ttls([])

    async def remaining_seconds(
        self, promises: Sequence[PromisedLease]
    ) -> dict[Lease, float | None]:
        """For each lease, after how long to look again; None: it is lost.

        Lost needs proof: the key is gone, and Redis has remembered things for longer than
        the lease. Without proof the answer is the rest of the time until there would be.
        """
        try:
            memory, ttls = await self._memory_seconds_and_ttls([p.lease for p in promises])
        except RedisAwayError:
            return {promise.lease: float(promise.lease_seconds) for promise in promises}
        remaining: dict[Lease, float | None] = {}
        for promise, ttl_ms in zip(promises, ttls, strict=True):
            if ttl_ms != _MISSING:
                remaining[promise.lease] = max(ttl_ms, 1) / 1000
            elif memory > promise.lease_seconds:
                remaining[promise.lease] = None
            else:
                remaining[promise.lease] = promise.lease_seconds - memory + 0.1
        return remaining

    async def _memory_seconds_and_ttls(self, leases: Sequence[Lease]) -> tuple[float, list[int]]:
        def ask(pipe: Pipeline) -> None:
            pipe.time()
            pipe.info("server")
            for lease in leases:
                pipe.pttl(self._key(lease))
            # Last: what is forgotten while the leases are looked at is no proof.
            pipe.get(self._memory_key)

        (seconds, microseconds), server, *ttls, memory = await self._link.run(ask)
        now = seconds + microseconds / 1e6
        run_id, _, since = (memory or b"").decode().partition(" ")
        if run_id != server["run_id"]:
            # Fresh, emptied, or started anew with what it had saved, which may be old: from
            # now on it remembers.
            known = f"{server['run_id']} {now}"
            await self._link.run(lambda pipe: pipe.set(self._memory_key, known))
            return 0.0, ttls
        return now - float(since), ttls

    def _key(self, lease: Lease) -> str:
        return f"{self._link.prefix}lease:{lease}"
