"""What is of no use any more: counters at zero, counters of long past minutes, tags that no task
has, runs of schedules that are old, workers that were not seen for a day. Found by plain reads
along an index, a batch a call, and deleted by the primary key."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from app.mysql.connection import Connection, placeholders
from app.queue.deletion import delete_by_key
from app.queue.figures import counters
from app.queue.schedules import runs


class Walk(NamedTuple):
    """After which counter, tag and schedule to look on; None: that was the last one. Only tags that
    were there when the walk before began may go: the task that a new one was made for may be
    about to come."""

    counter: str | None = ""
    tag_id: int | None = 0
    schedule: str | None = ""
    last_tag_id: int = 0
    newest_tag_id: int = 0


NONE_YET: Final = Walk(None, None, None)
_UNSEEN: Final = "workers.last_seen_at < UTC_TIMESTAMP(6) - INTERVAL 1 DAY"


async def delete_counters(connection: Connection, *, after: str, limit: int) -> str | None:
    """Look at so many counters after a name, and delete those of no use; the last one's name, or
    None where it was the end. Whatever is added to one meanwhile begins it anew."""
    rows = await connection.fetch(
        "SELECT name, value FROM counters FORCE INDEX (PRIMARY) WHERE name > %s "
        "ORDER BY name LIMIT %s",
        (after, limit),
    )
    since = counters.since(await connection.now())
    over = [name for name, _ in rows if _is_over(name, since)]
    zero = [name for name, value in rows if value == 0 and not _is_over(name, since)]
    await delete_by_key(connection, table="counters", key="name", values=over)
    await delete_by_key(
        connection, table="counters", key="name", values=zero, only="counters.value = 0"
    )
    return rows[-1][0] if len(rows) == limit else None


async def newest_tag_id(connection: Connection) -> int:
    """The highest id that a tag has; 0 where there is none."""
    ((found,),) = await connection.fetch("SELECT COALESCE(MAX(id), 0) FROM tags")
    return int(found)


async def delete_tags(connection: Connection, *, after: int, last: int, limit: int) -> int | None:
    """Look at so many tags after an id and up to another, and delete those that no task has; the
    last one's id, or None where it was the end.

    A task that is being stored holds its tags' rows, and they are skipped. One that comes after
    the deletion finds no row to refer to (error 1452), and its process asks for the tag again.
    """
    rows = await connection.fetch(
        "SELECT id, EXISTS (SELECT 1 FROM task_tags FORCE INDEX (ix_task_tags_tag) "
        "WHERE tag_id = tags.id) FROM tags FORCE INDEX (PRIMARY) "
        "WHERE id > %s AND id <= %s ORDER BY id LIMIT %s",
        (after, last, limit),
    )
    free = await _lock([tag_id for tag_id, is_used in rows if not is_used], connection)
    # Once more, of those that nobody else can take any more.
    used = await _used(free, connection)
    ids = [tag_id for tag_id in free if tag_id not in used]
    await delete_by_key(connection, table="tags", key="id", values=ids)
    return int(rows[-1][0]) if len(rows) == limit else None


async def forget_workers(connection: Connection, *, limit: int) -> int:
    """Forget so many of the workers that have not polled for a day, the longest first; how many
    were found."""
    rows = await connection.fetch(
        "SELECT worker FROM workers FORCE INDEX (ix_workers_last_seen) "
        f"WHERE {_UNSEEN} ORDER BY last_seen_at LIMIT %s",
        (limit,),
    )
    # In the order in which processes write them.
    names = sorted(row[0] for row in rows)
    # Who is told of meanwhile stays.
    await delete_by_key(connection, table="workers", key="worker", values=names, only=_UNSEEN)
    return len(rows)


def _is_over(name: str, since: str) -> bool:
    return name.startswith(counters.FORMER) or counters.is_over(name, since)


async def delete_runs(connection: Connection, *, after: str) -> str | None:
    """Look at the schedule after a name, and delete the runs that are not kept of it; its name, or
    None where there is none."""
    found = await connection.fetch(
        "SELECT name FROM schedules FORCE INDEX (PRIMARY) WHERE name > %s ORDER BY name LIMIT 1",
        (after,),
    )
    if not found:
        return None
    await runs.delete_old(connection, name=found[0][0])
    return str(found[0][0])


async def _lock(ids: Sequence[int], connection: Connection) -> list[int]:
    if not ids:
        return []
    rows = await connection.fetch(
        f"SELECT id FROM tags FORCE INDEX (PRIMARY) WHERE id IN ({placeholders(ids)}) "
        "ORDER BY id FOR UPDATE SKIP LOCKED",
        ids,
    )
    return [row[0] for row in rows]


async def _used(ids: Sequence[int], connection: Connection) -> set[int]:
    if not ids:
        return set()
    rows = await connection.fetch(
        "SELECT DISTINCT tag_id FROM task_tags FORCE INDEX (ix_task_tags_tag) "
        f"WHERE tag_id IN ({placeholders(ids)})",
        ids,
    )
    return {row[0] for row in rows}
