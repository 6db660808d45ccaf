"""The scheduler: runs each sweep about every second, until told to stop.

Any number may run against one database, with no leader. It has no logic: the sweeps are
`app.service.sweeping`.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, cast

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from app.domain.errors import DatabaseAwayError, RowBusyError
from app.queue import processes
from app.runtime.logging import configure_logging
from app.service.presence import Presence
from app.service.resources import Resources
from app.service.sweeping import SWEEP_SECONDS, SWEEPS, Sweeper
from app.settings import Settings

STOP_SECONDS: Final = 8
REPORT_SECONDS: Final = 5
# After what runs at the start: so soon it is known that there is a scheduler.
FIRST_REPORT_SECONDS: Final = 1

Job = Callable[[], Awaitable[None]]

log = structlog.get_logger("scheduler")


async def sweep(sweeper: Sweeper, name: str) -> None:
    """One run of one sweep. MySQL away is no reason to stop: the next run finds it back."""
    try:
        moved = await sweeper.run(name)
    except (DatabaseAwayError, RowBusyError) as error:
        log.warning("sweep_skipped", sweep=name, reason=str(error))
    except Exception:
        log.exception("sweep_failed", sweep=name)
    else:
        if moved:
            log.info("swept", sweep=name, moved=moved)


async def report(sweeper: Sweeper) -> None:
    """Tell MySQL how the sweeps go. What cannot be told is of no consequence."""
    with suppress(DatabaseAwayError, RowBusyError):
        await sweeper.report()


async def run(job: Job, stopped: asyncio.Event, under_way: set[asyncio.Task[None]]) -> None:
    """Run a job, to be waited for by whoever stops. What APScheduler begins in the very moment
    of the stop would not be, and does nothing."""
    if stopped.is_set():
        return
    this = cast("asyncio.Task[None]", asyncio.current_task())
    under_way.add(this)
    this.add_done_callback(under_way.discard)
    await job()


async def schedule(settings: Settings, stopped: asyncio.Event) -> None:
    """Sweep until `stopped`; what is under way then is waited for."""
    resources = Resources(settings)
    presence = Presence(resources.database, processes.SCHEDULER)
    presence.begin()
    sweeper = Sweeper(resources)
    scheduler = AsyncIOScheduler()
    under_way: set[asyncio.Task[None]] = set()
    jobs: dict[str, tuple[Job, float]] = {
        name: (
            partial(sweep, sweeper, name),
            SWEEP_SECONDS.get(name, settings.sweep_interval_seconds),
        )
        for name in SWEEPS
    }
    jobs["report"] = (partial(report, sweeper), REPORT_SECONDS)
    begin = datetime.now(UTC)
    for name, (job, seconds) in jobs.items():
        scheduler.add_job(
            run,
            "interval",
            seconds=seconds,
            args=(job, stopped, under_way),
            id=name,
            next_run_time=begin + timedelta(seconds=FIRST_REPORT_SECONDS * (name == "report")),
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
    scheduler.start()
    log.info("scheduler_started", sweeps=list(SWEEPS))
    try:
        await stopped.wait()
    finally:
        resources.close_doors()  # a sweep that goes on and on hears of it
        # APScheduler's own shutdown cancels coroutines, and with them a commit half-way.
        scheduler.pause()
        if under_way:
            await asyncio.wait(under_way, timeout=STOP_SECONDS)
        scheduler.shutdown()
        await report(sweeper)
        await presence.end()
        await resources.close()
        log.info("scheduler_stopped")


async def _run(settings: Settings) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await schedule(settings, stopped)


def main() -> None:
    """Run until SIGINT or SIGTERM."""
    settings = Settings()
    configure_logging(settings.log_level, settings.log_format)
    asyncio.run(_run(settings))
