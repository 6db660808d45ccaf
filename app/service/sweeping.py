"""The sweeps, each to its end: batches until one comes back short. The scheduler calls these.

Any number of processes may run them at once, with no leader. Each returns how many tasks it
moved.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from app import metrics
from app.queue import sweep
from app.queue.calls import Move
from app.service.platform import Platform
from app.states import Status

Sweep = Callable[[Platform], Awaitable[int]]


async def promote(platform: Platform) -> int:
    """Make tasks claimable whose wait is over: delayed ones, and retries."""
    return sum([await _promote(platform, status) for status in (Status.TO_DO, Status.RETRYING)])


async def time_out(platform: Platform) -> int:
    """End attempts that ran into their deadline."""
    limit = platform.settings.sweep_batch_size
    return await _in_batches(
        platform,
        lambda: platform.database.transact(
            lambda connection: sweep.time_out_once(connection, limit=limit)
        ),
    )


async def take_back_lost_leases(platform: Platform) -> int:
    """End attempts whose worker promised heartbeats and was not heard of."""
    await platform.leases.remember()
    limit = platform.settings.sweep_batch_size
    moved = 0
    while True:
        async with platform.database.read() as connection:
            due = await sweep.due_leases(connection, limit=limit)
        if not due:
            return moved
        remaining = await platform.leases.remaining_seconds(due)
        moves = await platform.database.transact(
            lambda connection, remaining=remaining: sweep.settle_leases(  # type: ignore[misc]
                connection, remaining_seconds=remaining
            )
        )
        await platform.moved(moves)
        moved += len(moves)
        if len(due) < limit:
            return moved


async def run(platform: Platform, name: str) -> int:
    """Run one sweep by name, measured."""
    began = time.perf_counter()
    moved = await SWEEPS[name](platform)
    metrics.SWEEP_SECONDS.labels(name).observe(time.perf_counter() - began)
    metrics.SWEEPS.labels(name).inc()
    metrics.SWEPT.labels(name).inc(moved)
    return moved


async def _promote(platform: Platform, status: Status) -> int:
    limit = platform.settings.sweep_batch_size
    return await _in_batches(
        platform,
        lambda: platform.database.transact(
            lambda connection: sweep.promote_once(connection, status=status, limit=limit)
        ),
    )


async def _in_batches(platform: Platform, once: Callable[[], Awaitable[list[Move]]]) -> int:
    total = 0
    while True:
        moves = await once()
        await platform.moved(moves)
        total += len(moves)
        if len(moves) < platform.settings.sweep_batch_size:
            return total


SWEEPS: Final[Mapping[str, Sweep]] = {
    "promote": promote,
    "time_out": time_out,
    "lost_leases": take_back_lost_leases,
}
