"""The sweeps, each to its end: batches until one comes back short. The scheduler calls these.

Any number of processes may run them at once, with no leader. Each returns how many tasks it
moved.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from app.domain.states import Status
from app.domain.task import PromisedLease
from app.mysql.database import Database
from app.queue.figures import counters, history, stats
from app.queue.requests import Move
from app.queue.sweeps import deadlines, retention, unused, waits
from app.service import after_commit
from app.service.auditing import AUDIT_SECONDS, AUDITS
from app.service.firing import fire_due
from app.service.limiting import adopt, give_slots
from app.service.resources import Resources
from app.settings import Settings

RECOUNT_SECONDS: Final = 3600.0
# Less than the sweep's interval, or every second run would be left out.
RETENTION_SECONDS: Final = 4.0
RETENTION_BATCH: Final = 50
RETENTION_PAUSE_SECONDS: Final = 0.02
UNUSED_SECONDS: Final = 4.0
UNUSED_BATCH: Final = 1000

Sweep = Callable[[Resources], Awaitable[int]]


async def promote(resources: Resources) -> int:
    """Make tasks claimable whose wait is over: delayed ones, and retries.

    Batch by batch in turn, and of a backlog from both ends: however many became due at one moment,
    what becomes due after them waits for a few batches, not for all of them.
    """
    limit = resources.settings.sweep_batch_size
    total = 0
    while True:
        is_over = True
        for status in (Status.TO_DO, Status.RETRYING):
            for is_newest_first in (False, True):
                once = partial(
                    deadlines.promote_once,
                    status=status,
                    limit=limit,
                    is_newest_first=is_newest_first,
                )
                moves = await resources.database.transact(once)
                await resources.after_commit.moved(moves)
                total += len(moves)
                if len(moves) < limit:
                    break
                is_over = False
        if is_over:
            return total


async def time_out(resources: Resources) -> int:
    """End attempts that ran into their deadline."""
    return await _in_batches(resources, deadlines.time_out_once)


async def take_back_lost_leases(resources: Resources) -> int:
    """End attempts whose worker promised heartbeats and was not heard of."""
    await resources.lease_book.remember()
    limit = resources.settings.sweep_batch_size
    moved = 0
    seen: list[PromisedLease] = []
    while True:
        due = await resources.database.read(partial(deadlines.due_leases, limit=limit))
        if not due or due == seen:  # others hold all of them: the next run's
            return moved
        seen = due
        remaining = await resources.lease_book.remaining_seconds(due)
        moves = await resources.database.transact(
            partial(deadlines.settle_leases, remaining_seconds=remaining)
        )
        await resources.after_commit.moved(moves)
        moved += len(moves)
        if len(due) < limit:
            return moved


async def end_waits(resources: Resources) -> int:
    """Free tasks that have waited for others, and cancel those that would wait in vain, with all
    that wait for them; the rows that nobody else holds."""
    database, limit = resources.database, resources.settings.sweep_batch_size
    if await database.read(waits.is_to_tell):
        while await database.transact(waits.tell_bit_by_bit):
            pass
    moved = 0
    seen: Mapping[int, int | None] = {}
    while True:
        due = await database.read(partial(waits.due, limit=limit))
        if not due or due == seen:  # others hold all of them: the next run's
            return moved
        seen = due
        moves = await database.transact(partial(waits.look_at, waits=due))
        await resources.after_commit.moved(moves)
        moved += len(moves)


async def fold_counters(resources: Resources) -> int:
    """Fold what transactions have added to the counters. Moves no task."""
    await after_commit.fold_counters(resources.database)
    return 0


async def delete_old(resources: Resources) -> int:
    """Delete tasks that ended longer ago than they are to be kept. A few seconds of it; the
    next run goes on from there."""
    days = resources.settings.retention_days
    if days is None:
        return 0
    until = time.monotonic() + RETENTION_SECONDS
    deleted = 0
    while True:
        found = await resources.database.read(
            partial(retention.look, days=days, after=resources.retained, limit=RETENTION_BATCH)
        )
        if found.ids:
            tasks = await resources.database.transact(
                partial(retention.delete_ended, ids=found.ids, days=days)
            )
            await resources.after_commit.removed(tasks)
            deleted += len(tasks)
        resources.retained = found.next or retention.FIRST
        if found.next is None or time.monotonic() >= until or not resources.work.is_open:
            return deleted
        # Claims go first: half of the time the disk is theirs alone.
        await asyncio.sleep(RETENTION_PAUSE_SECONDS)


async def delete_unused(resources: Resources) -> int:
    """Delete counters, tags, runs of schedules, history and workers that are of no use any more.
    A few seconds of it; the next run goes on from there. Moves no task."""
    until = time.monotonic() + UNUSED_SECONDS
    database, walk = resources.database, resources.unused

    def has_time() -> bool:
        return time.monotonic() < until and resources.work.is_open

    if walk[:3] == unused.NONE_YET[:3]:
        newest = await database.read(unused.newest_tag_id)
        walk = unused.Walk(last_tag_id=walk.newest_tag_id, newest_tag_id=newest)
    while walk.counter is not None and has_time():
        look = partial(unused.delete_counters, after=walk.counter, limit=UNUSED_BATCH)
        walk = walk._replace(counter=await database.transact(look))
    while walk.tag_id is not None and has_time():
        look_at_tags = partial(
            unused.delete_tags, after=walk.tag_id, last=walk.last_tag_id, limit=UNUSED_BATCH
        )
        walk = walk._replace(tag_id=await database.transact(look_at_tags))
    while walk.schedule is not None and has_time():
        look_at_runs = partial(unused.delete_runs, after=walk.schedule)
        walk = walk._replace(schedule=await database.transact(look_at_runs))
    resources.unused = walk
    forget_history = partial(history.delete_old, limit=UNUSED_BATCH)
    while has_time() and await database.transact(forget_history) == UNUSED_BATCH:
        pass
    forget = partial(unused.forget_workers, limit=UNUSED_BATCH)
    while has_time() and await database.transact(forget) == UNUSED_BATCH:
        pass
    return 0


async def _in_batches(resources: Resources, once: Callable[..., Awaitable[list[Move]]]) -> int:
    limit = resources.settings.sweep_batch_size
    total = 0
    while True:
        moves = await resources.database.transact(partial(once, limit=limit))
        await resources.after_commit.moved(moves)
        total += len(moves)
        if len(moves) < limit:
            return total


async def recount(settings: Settings) -> dict[str, int]:
    """Set the counters right; by how much each was wrong. Raises `RecountUnderWayError`."""
    database = Database(settings.model_copy(update={"database_timeout_seconds": RECOUNT_SECONDS}))
    try:
        return await database.read(counters.recount)
    finally:
        await database.close()


SWEEPS: Final[Mapping[str, Sweep]] = {
    "promote": promote,
    "time_out": time_out,
    "lost_leases": take_back_lost_leases,
    "waits": end_waits,
    "slots": give_slots,
    "adopt": adopt,
    "fire_due": fire_due,
    "fold_counters": fold_counters,
    "retention": delete_old,
    "unused": delete_unused,
    **AUDITS,
}
# Those that need not run as often as the others.
SWEEP_SECONDS: Final = {"retention": 5.0, "unused": 60.0, **dict.fromkeys(AUDITS, AUDIT_SECONDS)}


class Sweeper:
    """Runs sweeps by name, and tells MySQL now and then how often and with what success, so
    that `/metrics` can show it. Not each time: three commits a second for nothing."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._runs: Counter[str] = Counter()
        self._moved: Counter[str] = Counter()

    async def run(self, name: str) -> int:
        """Run one sweep to its end; how many tasks it moved."""
        moved = await SWEEPS[name](self._resources)
        self._runs[name] += 1
        self._moved[name] += moved
        return moved

    async def report(self) -> None:
        """Tell of the runs since the last report."""
        for name, runs in sorted(self._runs.items()):
            moved = self._moved[name]
            await self._resources.database.transact(
                partial(stats.report_sweep, sweep=name, runs=runs, moved=moved)
            )
            # Only now: what could not be told is told next time.
            self._runs[name] -= runs
            self._moved[name] -= moved
