"""What follows from a change of a task, besides its own row.

Each is a pure function of the row before and after. What they come to piles up on the connection
(`unsettled`) and is written once, by `settlement.settle`, before the commit: no transition can
forget one, since `Database` commits nothing while something is left.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from app.domain.dependency import OF_DEPENDENCIES
from app.domain.slots import OF_GROUPS
from app.domain.task import Task
from app.domain.unique import HOLDS
from app.mysql.connection import Connection
from app.queue import dependents, slot_changes, unique_keys
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
        flags = (0 if old is None else old.flags) | (0 if new is None else new.flags)
        if flags & HOLDS:
            unique_keys.record(unique_keys.changes_of(connection.unsettled), old, new)
        if flags & OF_DEPENDENCIES:
            dependents.record(dependents.changes_of(connection.unsettled), old, new)
        if flags & OF_GROUPS:
            slot_changes.record(slot_changes.changes_of(connection.unsettled), old, new)
