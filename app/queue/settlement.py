"""What follows from all that a transaction has done, written before its commit."""

from collections import Counter

from app.mysql.connection import Connection
from app.queue import dependents, slot_changes, unique_keys
from app.queue.consequences import COUNTS, HISTORY
from app.queue.dependencies import settling
from app.queue.figures import counters, history
from app.queue.groups import settling as slots


async def settle(connection: Connection) -> None:
    """Write it, together with the commit where it can."""
    await settle_waits(connection)
    if (keys := connection.unsettled.pop(unique_keys.CHANGES, None)) is not None:
        await unique_keys.write_last(connection, keys)
    counts: Counter[str] = connection.unsettled.pop(COUNTS, Counter())
    figures: history.Figures = connection.unsettled.pop(HISTORY, {})
    deltas = {name: n for name, n in counts.items() if n}
    if deltas or figures:
        await counters.add_last(connection, deltas, figures)


async def settle_waits(connection: Connection) -> None:
    """Write what follows so far for those that wait for tasks, and then for those that wait for
    slots: who is freed may need one."""
    if dependents.CHANGES in connection.unsettled:
        await settling.settle(connection, dependents.changes_of(connection.unsettled))
        # With what became of those that were freed, which is that they wait no longer.
        del connection.unsettled[dependents.CHANGES]
    if slot_changes.CHANGES in connection.unsettled:
        await slots.settle(connection, slot_changes.changes_of(connection.unsettled))
        # With what became of those that were given a slot.
        del connection.unsettled[slot_changes.CHANGES]
        # None of these has ended, which is what others depend on.
        connection.unsettled.pop(dependents.CHANGES, None)
