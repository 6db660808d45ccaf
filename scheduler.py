"""The scheduler: runs each sweep about every second, until told to stop.

Any number may run against one database, with no leader. It has no logic: the sweeps are
`app.service.sweeping`.
"""

import asyncio
import signal
from contextlib import suppress
from typing import Final, cast

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from app.errors import DatabaseAwayError
from app.logging import configure_logging
from app.service.platform import Platform
from app.service.sweeping import SWEEPS, Sweeper
from app.settings import Settings

STOP_SECONDS: Final = 8
REPORT_SECONDS: Final = 5

log = structlog.get_logger("scheduler")


async def sweep(sweeper: Sweeper, name: str, under_way: set[asyncio.Task[None]]) -> None:
    """One run of one sweep. MySQL away is no reason to stop: the next run finds it back."""
    this = cast("asyncio.Task[None]", asyncio.current_task())
    under_way.add(this)
    this.add_done_callback(under_way.discard)
    try:
        moved = await sweeper.run(name)
    except DatabaseAwayError as error:
        log.warning("sweep_skipped", sweep=name, reason=str(error))
    except Exception:
        log.exception("sweep_failed", sweep=name)
    else:
        if moved:
            log.info("swept", sweep=name, moved=moved)


async def report(sweeper: Sweeper) -> None:
    """Tell MySQL how the sweeps go. What cannot be told is of no consequence."""
    with suppress(DatabaseAwayError):
        await sweeper.report()


async def schedule(settings: Settings, stopped: asyncio.Event) -> None:
    """Sweep until `stopped`; a sweep that is under way then is waited for."""
    platform = Platform(settings)
    sweeper = Sweeper(platform)
    scheduler = AsyncIOScheduler()
    under_way: set[asyncio.Task[None]] = set()
    for name in SWEEPS:
        scheduler.add_job(
            sweep,
            "interval",
            seconds=settings.sweep_interval_seconds,
            args=(sweeper, name, under_way),
            id=name,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
    scheduler.add_job(report, "interval", seconds=REPORT_SECONDS, args=(sweeper,), id="report")
    scheduler.start()
    log.info("scheduler_started", sweeps=list(SWEEPS))
    try:
        await stopped.wait()
    finally:
        # APScheduler's own shutdown cancels coroutines, and with them a commit half-way.
        scheduler.pause()
        if under_way:
            await asyncio.wait(under_way, timeout=STOP_SECONDS)
        scheduler.shutdown()
        await report(sweeper)
        await platform.close()
        log.info("scheduler_stopped")


async def _run() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await schedule(Settings(), stopped)


def main() -> None:
    """Run until SIGINT or SIGTERM."""
    configure_logging(Settings())
    asyncio.run(_run())


if __name__ == "__main__":
    # As `rowlock scheduler` does it, with its checks.
    from app.cli import app as rowlock

    rowlock(["scheduler"])
