"""Structures beside `tasks`, compared with its rows and set right where they differ.

They are written with the rows they follow from, in the same transaction. So nothing is found,
unless rows were changed by SQL, or by a version that does not know of the structure. One batch a
call.
"""

from typing import Generic, NamedTuple, TypeVar

from app.domain.task import holds_key
from app.mysql.connection import Connection
from app.queue.unique_keys import Changes, write_last

After = TypeVar("After")


class Audited(NamedTuple, Generic[After]):
    """After what to look on, None: that was the end; and how much was set right."""

    after: After | None
    repaired: int


async def unique_keys(connection: Connection, *, after: str, limit: int) -> Audited[str]:
    """Look at so many keys after a hash, and delete those that no task holds. No task takes a key
    again, so what was seen once stays so; and a key that another one has taken over meanwhile
    stays."""
    rows = await connection.fetch(
        "SELECT key_hash, task_id, flags, status, attempt "
        "FROM unique_keys FORCE INDEX (PRIMARY) "
        "LEFT JOIN tasks FORCE INDEX (PRIMARY) ON tasks.id = task_id "
        "WHERE key_hash > %s ORDER BY key_hash LIMIT %s",
        (after, limit),
    )
    left = {
        (key_hash, task_id)
        for key_hash, task_id, *of_task in rows
        if of_task[0] is None or not holds_key(*of_task)
    }
    await write_last(connection, Changes(left, {}))
    return Audited(str(rows[-1][0]) if len(rows) == limit else None, len(left))
