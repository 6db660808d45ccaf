"""What a worker's schedules are made on the server, before its first claim."""

import asyncio
import random
from collections.abc import Mapping

from rowlock.client import schedule_calls
from rowlock.errors import NotAllowedError, NotFoundError, ProblemError, RowlockError, ScheduleError
from rowlock.http.asynchronous import AsyncTransport
from rowlock.http.retry import Backoff
from rowlock.http.target import Target
from rowlock.worker import supervised
from rowlock.worker.claim_loop import LONGEST_PAUSE_SECONDS
from rowlock.worker.log import log
from rowlock.worker.outage import Outage, is_servers_refusal
from rowlock.worker.worker_run import WorkerOptions


async def put_schedules(
    schedules: Mapping[str, bytes], target: Target, options: WorkerOptions, *, drain: bool
) -> None:
    """Have the server keep these, encoded already, by name; of several processes of a worker the
    first does so. While the server is away this waits, and with `drain` not for long.

    Raises `ScheduleError` for one that it refuses, and what an outage ends with.
    """
    if not schedules or not supervised.is_first():
        return
    outage = Outage(str(target.url), is_draining=drain)
    transport = AsyncTransport(target, options.exchange)
    try:
        for name, encoded in schedules.items():
            await _keep_on(name, encoded, transport, outage, options.timeout_seconds)
    finally:
        if options.exchange is None:  # else the worker goes on with it
            await transport.close()


async def _keep_on(
    name: str, encoded: bytes, transport: AsyncTransport, outage: Outage, timeout_seconds: float
) -> None:
    while True:
        try:
            await _put(name, encoded, transport, timeout_seconds)
        except RowlockError as error:
            if is_servers_refusal(error) or isinstance(error, NotAllowedError):
                raise ScheduleError(_refusal(name, error)) from error
            await _pause(outage, error)
        else:
            outage.ends()
            return


async def _put(
    name: str, encoded: bytes, transport: AsyncTransport, timeout_seconds: float
) -> None:
    before = None
    try:
        before = await transport.once(schedule_calls.get(name), timeout_seconds)
    except NotFoundError as error:
        if not is_servers_refusal(error):
            raise
    schedule = await transport.once(schedule_calls.put(name, encoded, None), timeout_seconds)
    if before is not None and before.revision == schedule.revision:
        return
    following = "paused" if schedule.paused_at else f"next at {schedule.next_at}"
    log.info(
        "schedule %r %s: %s",
        name,
        "made" if before is None else "changed",
        following,
        extra={"schedule": name, "revision": schedule.revision, "next_at": schedule.next_at},
    )


async def _pause(outage: Outage, error: RowlockError) -> None:
    give_up = outage.goes_on(error, has_work=False)
    if give_up is not None:
        raise give_up
    wish: float | None = getattr(error, "retry_after_seconds", None)
    pause = Backoff().pause_seconds(
        max(1, outage.failures),
        jitter=random.random(),  # noqa: S311  (spreads load, keeps no secret)
        retry_after_seconds=min(wish or 0.0, LONGEST_PAUSE_SECONDS),
    )
    await asyncio.sleep(pause)


def _refusal(name: str, error: RowlockError) -> str:
    said = str(error)
    if isinstance(error, ProblemError) and error.errors:
        said = "; ".join(f"{wrong.field}: {wrong.message}" for wrong in error.errors)
    if isinstance(error, NotAllowedError):
        said += " Schedules are a client's: set ROWLOCK_CLIENT_TOKEN."
    if isinstance(error, NotFoundError):
        said += ". The server may be older, and have no schedules."
    return f"the schedule {name!r} was refused: {said}"
