"""How many tasks match, by status, as the counters know it."""

from collections import Counter

from app.mysql.connection import Connection
from app.queue.figures import counters
from app.queue.lists.filters import TaskFilter


async def by_status(connection: Connection, *, wanted: TaskFilter) -> Counter[str] | None:
    """However many there are; None where the filter asks for what is not counted."""
    asked = TaskFilter(status=wanted.status, priority=wanted.priority, queue=wanted.queue)
    if wanted != asked:
        return None
    found: Counter[str] = Counter()
    states = await counters.read_states(connection, wanted.queue)
    for (status, priority), count in states.items():
        is_asked = not wanted.status or status in wanted.status
        if is_asked and (not wanted.priority or priority in wanted.priority):
            found[status] += count
    return +found
