"""The unique keys that tasks hold now: a row each, written and deleted with the task's own.

Who takes a key locks, before all else, one of a few rows by the hash of the key, and looks once
more: so none is taken twice, and nobody waits at a row of the keys' own, which may not be there
yet, and would have them stand in each other's way if it went.
"""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from app.domain.task import Task
from app.domain.unique import HOLDS, hash_of
from app.mysql.connection import Connection, placeholders

CHANGES: Final = "unique keys"
# Some hundred bytes each.
CHUNK: Final = 1000
LOCK: Final = (
    "SELECT id FROM unique_key_locks FORCE INDEX (PRIMARY) WHERE id IN ({}) ORDER BY id FOR UPDATE"
)
_DIGITS: Final = 2
FIND: Final = (
    "SELECT key_hash, task_id FROM unique_keys FORCE INDEX (PRIMARY) WHERE key_hash IN ({})"
)
RELEASE: Final = (
    "DELETE unique_keys FROM unique_keys FORCE INDEX (PRIMARY) "
    "WHERE key_hash IN ({}) AND task_id IN ({})"
)
TAKE: Final = "INSERT INTO unique_keys (key_hash, task_id) VALUES {}"


class Changes(NamedTuple):
    """Keys, by their hashes, and who has held or will hold them."""

    released: set[tuple[str, int]]
    taken: dict[str, int]


def record(changes: Changes, old: Task | None, new: Task | None) -> None:
    """A task took its key when it was made, or gives it back."""
    held, holds = _holds(old), _holds(new)
    if old is not None and held and not holds:
        changes.released.add((_hash(old), old.id))
    elif new is not None and holds and not held:
        changes.taken[_hash(new)] = new.id


async def find(connection: Connection, hashes: Collection[str]) -> dict[str, int]:
    """Who holds these keys, as far as they are held. A plain read."""
    rows = await connection.fetch(FIND.format(placeholders(hashes)), tuple(hashes))
    found: dict[str, int] = dict(rows)  # type: ignore[arg-type]
    # By this transaction, earlier.
    taken = changes_of(connection.unsettled).taken if CHANGES in connection.unsettled else {}
    return found | {of_key: taken[of_key] for of_key in hashes if of_key in taken}


async def lock(connection: Connection, hashes: Collection[str]) -> dict[str, int]:
    """The same, and until the commit nobody else takes one of them. Before any task is locked."""
    ids = sorted({int(of_key[:_DIGITS], 16) for of_key in hashes})
    await connection.fetch_ahead(LOCK.format(placeholders(ids)), ids)
    return await find(connection, hashes)


async def write_last(connection: Connection, changes: Changes) -> None:
    """Write the changes together with the commit. A key that another one has taken all the same
    (the rows to lock were not there) is an IntegrityError."""
    released = sorted(changes.released)
    for begin in range(0, len(released), CHUNK):
        chunk = released[begin : begin + CHUNK]
        hashes, ids = zip(*chunk, strict=True)
        statement = RELEASE.format(placeholders(hashes), placeholders(ids))
        # What goes last may go in another order, and one of these keys may be taken anew.
        write = connection.execute if changes.taken else connection.execute_last
        await write(statement, (*hashes, *ids))
    taken = sorted(changes.taken.items())
    for begin in range(0, len(taken), CHUNK):
        pairs = taken[begin : begin + CHUNK]
        values = [value for pair in pairs for value in pair]
        await connection.execute_last(TAKE.format(placeholders(pairs, "(%s, %s)")), values)


def _holds(task: Task | None) -> bool:
    return task is not None and bool(task.flags & HOLDS)


def _hash(task: Task) -> str:
    assert task.unique_key is not None
    return hash_of(task.queue, task.unique_key)


def changes_of(unsettled: dict[str, Any]) -> Changes:
    """Those of a transaction, so far."""
    found: Changes = unsettled.setdefault(CHANGES, Changes(set(), {}))
    return found
