"""Workers, as API processes have heard of them."""

from datetime import datetime
from typing import Final

from app.mysql.connection import Connection

# Names of queues have no quotes, so one is found in the JSON array as a text.
_LAST_POLL: Final = (
    "SELECT last_seen_at FROM workers FORCE INDEX (ix_workers_last_seen) "
    "WHERE queues IS NULL OR INSTR(queues, %s) ORDER BY last_seen_at DESC LIMIT 1"
)


async def last_poll(connection: Connection, queue: str) -> datetime | None:
    """When a worker last asked for tasks of the queue; None: none is known."""
    rows = await connection.fetch(_LAST_POLL, (f'"{queue}"',))
    return rows[0][0] if rows else None
