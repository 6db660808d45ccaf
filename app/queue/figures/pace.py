"""How fast a queue moves on, roughly."""

from datetime import datetime
from typing import Final

from app.domain.standing import Pace
from app.domain.states import Status
from app.mysql.connection import Connection
from app.queue.figures.counters import ENDED, QUEUE, RECENT_MINUTES, since, span, summed

# What is folded each second is seldom more.
UNFOLDED: Final = 1000

_PACE: Final = (
    "SELECT name, value, NULL FROM counters FORCE INDEX (PRIMARY) "
    "WHERE name >= %s AND name < %s OR name >= %s AND name < %s "
    "UNION ALL (SELECT '', 1, deltas FROM counter_deltas FORCE INDEX (PRIMARY) "
    "ORDER BY id LIMIT %s)"
)


async def read_pace(connection: Connection, queue: str, *, now: datetime) -> Pace | None:
    """How it goes with a queue. None where more has to be added up than is done in passing."""
    ended, running = f"{ENDED}{queue}/", f"{QUEUE}{queue}/{Status.IN_PROGRESS}/"
    first = f"{ended}{since(now)}"
    values = (first, span(ended)[1], *span(running), UNFOLDED + 1)
    rows = await connection.fetch(_PACE, values)
    if sum(deltas is not None for _, _, deltas in rows) > UNFOLDED:
        return None
    counts = summed(rows)
    return Pace(
        ended=sum(n for name, n in counts.items() if name.startswith(ended) and name >= first),
        minutes=RECENT_MINUTES,
        in_progress=sum(n for name, n in counts.items() if name.startswith(running)),
    )
