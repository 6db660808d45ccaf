"""10. The sweeps, over 100,000 tasks in progress of which 1,000 have run out of time, or of
heartbeats; and when there is nothing to do."""

import asyncio
import time
from statistics import median
from typing import Final

import uvloop

from app.service.resources import Resources
from app.service.sweeping import SWEEPS
from bench.result import BenchError, Result
from bench.rows import IN_PROGRESS, inserts
from bench.session import Session
from bench.stack import Site

RUNNING, EXPIRED = 100_000, 1_000
MOST_FULL_SECONDS, MOST_EMPTY_MS = 1.0, 5.0
EMPTY_PASSES: Final = 20
# The first of those that run, told apart by id so that every round takes fresh ones.
_CHOSEN: Final = (
    "WHERE id IN (SELECT id FROM (SELECT id FROM tasks WHERE status = 'in_progress' "
    f"ORDER BY id LIMIT {EXPIRED}) AS chosen)"
)
_PAST: Final = "UTC_TIMESTAMP(6) - INTERVAL 1 SECOND"
# How each sweep gets something to do.
EXPIRE: Final = {
    "time_out": f"UPDATE tasks SET deadline_at = {_PAST}, sweep_at = {_PAST} {_CHOSEN}",
    "lost_leases": f"UPDATE tasks SET lease_seconds = 5, sweep_at = {_PAST} {_CHOSEN}",
}
# No lease counts as lost without an API that could have heard of its worker.
_API_ALL_ALONG: Final = (
    "INSERT INTO processes (id, kind, version, running_since, last_seen_at) VALUES "
    "(REPEAT('0', 32), 'api', '0', UTC_TIMESTAMP(6) - INTERVAL 1 YEAR, "
    "UTC_TIMESTAMP(6) + INTERVAL 1 YEAR)"
)


def run(session: Session) -> list[Result]:
    with session.site("sweep") as site:
        # Those that have run out do not come back while this lasts.
        columns = {**IN_PROGRESS, "retry_delay_seconds": "3600"}
        site.run(*inserts(columns, RUNNING), "ANALYZE TABLE tasks", _API_ALL_ALONG)
        full, empty = uvloop.run(_passes(site, session.options.rounds))
    shown = {
        "full_ms": {name: [round(1000 * s, 1) for s in times] for name, times in full.items()},
        "empty_ms": {name: round(1000 * median(times), 2) for name, times in empty.items()},
    }
    slowest = max(median(times) for times in full.values())
    idle = max(median(times) for times in empty.values())
    how = f"{RUNNING:,} tasks in progress; the slowest of the sweeps, its usual pass"
    return [
        Result(
            name=f"10 · a sweep of {EXPIRED:,} expired",
            figure=slowest,
            unit="s",
            target=f"≤ {MOST_FULL_SECONDS:.0f} s",
            ok=slowest <= MOST_FULL_SECONDS,
            how=f"{how} over {EXPIRED:,} of them that have run out of time, or of heartbeats.",
            details=shown,
        ),
        Result(
            name="10 · a sweep with nothing to do",
            figure=1000 * idle,
            unit="ms",
            target=f"≤ {MOST_EMPTY_MS:.0f} ms",
            ok=1000 * idle <= MOST_EMPTY_MS,
            how=f"{how}.",
            details=shown,
        ),
    ]


async def _passes(site: Site, rounds: int) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    resources = Resources(site.settings)
    full: dict[str, list[float]] = {name: [] for name in EXPIRE}
    empty: dict[str, list[float]] = {name: [] for name in SWEEPS}
    try:
        await _until_losses_count(resources)
        for _ in range(rounds):
            for name, statement in EXPIRE.items():
                site.run(statement)
                full[name].append(await _timed(resources, name, EXPIRED))
            for name in SWEEPS:
                empty[name] += [await _timed(resources, name, 0) for _ in range(EMPTY_PASSES)]
    finally:
        await resources.close()
    return full, empty


async def _until_losses_count(resources: Resources) -> None:
    """No lease counts as lost before Redis is known to have remembered for as long."""
    for _ in range(8):
        await SWEEPS["lost_leases"](resources)
        await asyncio.sleep(1)


async def _timed(resources: Resources, name: str, expected: int) -> float:
    began = time.perf_counter()
    moved = await SWEEPS[name](resources)
    seconds = time.perf_counter() - began
    if moved != expected:
        raise BenchError(f"{name} moved {moved:,} tasks, not {expected:,}")
    return seconds
