"""Processes say in MySQL that they are there, and since when without a gap.

A worker can be heard of only where an API process is there to hear it: so this is a part of the
proof that one is lost.
"""

from datetime import datetime
from typing import Final, Literal, NamedTuple

from app.mysql.connection import Connection

ProcessState = Literal["running", "silent"]

API: Final = "api"
SCHEDULER: Final = "scheduler"
# So often it is said.
SEEN_SECONDS: Final = 2.0
# Who has said nothing for so long was not there in between: hung, or cut off from MySQL.
GAP_SECONDS: Final = 5

_SEEN: Final = (
    "INSERT INTO processes (id, kind, version, running_since, last_seen_at) "
    "VALUES (%s, %s, %s, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE "
    # In this order: the first looks at what the second is about to change.
    f"running_since = IF(last_seen_at < UTC_TIMESTAMP(6) - INTERVAL {GAP_SECONDS} SECOND, "
    "UTC_TIMESTAMP(6), running_since), last_seen_at = UTC_TIMESTAMP(6)"
)


# Those that died leave their rows for a day: of a crash loop the last ones are enough.
PROCESSES_SHOWN: Final = 1000
_PROCESSES: Final = (
    "SELECT id, kind, version, running_since, last_seen_at, "
    f"last_seen_at >= UTC_TIMESTAMP(6) - INTERVAL {GAP_SECONDS} SECOND FROM processes "
    f"ORDER BY last_seen_at DESC LIMIT {PROCESSES_SHOWN}"
)
_SWEEPS: Final = "SELECT sweep, runs, moved, last_run_at FROM sweep_reports ORDER BY sweep"


class Process(NamedTuple):
    """A process, as it last said that it is there."""

    id: str
    kind: str
    version: str
    running_since: datetime
    last_seen_at: datetime
    state: ProcessState


class Sweep(NamedTuple):
    """What all schedulers together have done of a sweep."""

    sweep: str
    runs: int
    moved: int
    last_run_at: datetime


class Reach(NamedTuple):
    """A time in which workers could reach an API process, up to the last that is known of it."""

    since: datetime
    until: datetime


async def say_seen(connection: Connection, *, process_id: str, kind: str, version: str) -> None:
    """This process is there."""
    await connection.execute(_SEEN, (process_id, kind, version))


async def say_gone(connection: Connection, *, process_id: str) -> None:
    """It is not there any more. Those that could not say so are forgotten after a day."""
    await connection.execute("DELETE FROM processes WHERE id = %s", (process_id,))
    await connection.execute(
        "DELETE FROM processes WHERE last_seen_at < UTC_TIMESTAMP(6) - INTERVAL 1 DAY"
    )


async def reach(connection: Connection) -> Reach | None:
    """Of the API processes that are there now, the one that has been for longest."""
    rows = await connection.fetch(
        "SELECT running_since, last_seen_at FROM processes WHERE kind = %s "
        f"AND last_seen_at >= UTC_TIMESTAMP(6) - INTERVAL {GAP_SECONDS} SECOND "
        "ORDER BY running_since LIMIT 1",
        (API,),
    )
    return Reach(*rows[0]) if rows else None


async def present(connection: Connection) -> list[Process]:
    """The processes, those that were seen last first."""
    rows = await connection.fetch(_PROCESSES)
    return [Process._make([*row[:5], "running" if row[5] else "silent"]) for row in rows]


async def sweeps(connection: Connection) -> list[Sweep]:
    """Every sweep that has been reported."""
    return [Sweep(*row) for row in await connection.fetch(_SWEEPS)]
