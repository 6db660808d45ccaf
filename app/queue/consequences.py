"""What follows from a change of a task, besides its own row.

Each is a pure function of the row before and after. What they come to piles up on the connection
(`unsettled`) and is written once, by `settle`, before the commit: no transition can forget one,
since `Database` commits nothing while something is left.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from app.domain.task import Task
from app.mysql.connection import Connection
from app.queue import unique_keys
from app.queue.figures import counters, history

COUNTS: Final = "counts"
HISTORY: Final = "history"

Change = tuple[Task | None, Task | None]
"""A task before and after. None: it was not there, or is gone."""


def note(connection: Connection, changes: Iterable[Change]) -> None:
    """These rows were written; what follows from it is settled later, together."""
    counts = connection.unsettled.setdefault(COUNTS, Counter())
    figures = connection.unsettled.setdefault(HISTORY, defaultdict(Counter))
    for old, new in changes:
        counters.count(counts, old, new)
        history.record(figures, old, new)
        if (old is not None and old.flags) or (new is not None and new.flags):
            unique_keys.record(unique_keys.changes_of(connection.unsettled), old, new)


async def settle(connection: Connection) -> None:
    """Write what follows from all that this transaction has done, together with its commit."""
    if (keys := connection.unsettled.pop(unique_keys.CHANGES, None)) is not None:
        await unique_keys.write_last(connection, keys)
    counts: Counter[str] = connection.unsettled.pop(COUNTS, Counter())
    figures: history.Figures = connection.unsettled.pop(HISTORY, {})
    deltas = {name: n for name, n in counts.items() if n}
    if deltas or figures:
        await counters.add_last(connection, deltas, figures)
