"""Heartbeats: remembered by Redis, and by MySQL where Redis cannot."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

from app.domain.errors import RowBusyError, RowlockError
from app.domain.task import Lease
from app.queue.attempts import heartbeats
from app.redis.lease_book import Beat
from app.redis.link import RedisAwayError
from app.runtime import metrics
from app.service.coalescer import Coalescer
from app.service.resources import Resources

# As many heartbeats at most are looked at together.
BEAT_LIMIT: Final = 1000


class HeartbeatAnswer(NamedTuple):
    """The answer to a heartbeat."""

    expires_at: datetime
    deadline: datetime


class Heartbeat(NamedTuple):
    """A worker lives, and says how far it has come: a JSON text."""

    lease: Lease
    progress: str | None


class Heartbeats:
    """Those of one process, many at a time."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._beats: Coalescer[Sequence[Heartbeat], Sequence[HeartbeatAnswer | RowlockError]] = (
            Coalescer(
                self._beat,
                limit=BEAT_LIMIT,
                weigh=len,
                observe=metrics.BATCH_CALLS.labels("heartbeats").observe,
            )
        )

    async def beat(self, beats: Sequence[Heartbeat]) -> Sequence[HeartbeatAnswer | RowlockError]:
        """Of each what it came to, or why its lease no longer counts. Raises `RowBusyError` where
        that of one cannot be told yet; to send all of them again does no harm."""
        answers = await self._beats(beats)
        for answer in answers:
            if isinstance(answer, RowBusyError):
                raise answer
        return answers

    async def drain(self) -> None:
        """Return when every heartbeat accepted so far is answered."""
        await self._beats.drain()

    async def _beat(
        self, calls: Sequence[Sequence[Heartbeat]]
    ) -> list[list[HeartbeatAnswer | RowlockError]]:
        answers = iter(await self._answers([beat for call in calls for beat in call]))
        return [list(islice(answers, len(call))) for call in calls]

    async def _answers(self, heard: Sequence[Heartbeat]) -> list[HeartbeatAnswer | RowlockError]:
        leases = [lease for lease, _ in heard]
        if not leases:
            return []
        now, active_leases = await self._resources.database.read(
            partial(heartbeats.active_leases, leases=leases)
        )
        beats: list[Beat] = []
        answers: list[HeartbeatAnswer | RowlockError] = []
        for lease, progress in heard:
            found = active_leases[lease]
            if isinstance(found, RowlockError):
                answers.append(found)
                continue
            expires_at = found.deadline_at
            if found.lease_seconds is not None:
                expires_at = min(expires_at, now + timedelta(seconds=found.lease_seconds))
            answers.append(HeartbeatAnswer(expires_at, found.deadline_at))
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
        resources = self._resources
        began = time.monotonic()
        try:
            known, _ = await resources.redis.run(
                resources.lease_book.beating(beats),
                # Of those without progress too: the heartbeat before may have had some.
                resources.cache.forgetting([beat.lease.task_id for beat in beats]),
            )
        except RedisAwayError:
            if resources.redis.is_absent:
                return {}
            await resources.cache.could_not_tell(since=began)
            unsure = [beat for beat in beats if beat.is_promised]
        else:
            # A lease that had run out there: a sweep may be taking it back at this moment.
            unsure = [b for b, k in zip(beats, known, strict=True) if b.is_promised and not k]
        if not unsure:
            return {}
        remaining = {beat.lease: beat.remaining_seconds for beat in unsure}
        put_off = partial(heartbeats.put_off, remaining_seconds=remaining)
        try:
            return await resources.database.transact(partial(put_off, skip_locked=False))
        except RowBusyError:
            # Whoever needs a row that somebody holds is told so; the others need not be.
            return await resources.database.transact(partial(put_off, skip_locked=True))
