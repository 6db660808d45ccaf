"""Every statement that moves a task, one named function each.

All take the connection first and leave the commit to their caller. Rows are locked by
primary key in ascending order, or skipped where locked (SKIP LOCKED), so that claims,
finishers, sweeps and management cannot deadlock by their order.
"""

import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from app.domain.errors import GuardFailedError
from app.domain.states import Status
from app.domain.task import (
    LIGHT_ROW,
    ROW,
    EndedAttempt,
    NewTask,
    Task,
    task_of,
    texts_of,
    without_texts,
)
from app.domain.transitions import begun
from app.mysql.connection import Connection, placeholders
from app.queue.consequences import note
from app.queue.deletion import delete_by_key
from app.queue.tags import TagIds

CLAIM: Final = (
    f"SELECT {ROW} FROM tasks FORCE INDEX (ix_tasks_claim) "
    "WHERE queue = %s AND claim_rank = %s AND turn_at >= %s "
    "AND NOT EXISTS (SELECT 1 FROM paused_queues WHERE queue = %s) "
    "ORDER BY queue, claim_rank, turn_at, id LIMIT %s FOR UPDATE SKIP LOCKED"
)
# On a table that is small, or whose statistics say so, MySQL would rather scan, and a scan
# waits at every row that somebody else holds.
_BY_ID: Final = "tasks FORCE INDEX (PRIMARY)"
_LOCK: Final = (
    f"SELECT {{columns}} FROM {_BY_ID} WHERE id IN ({{placeholders}}) ORDER BY id{{lock}}"
)
_FOR_UPDATE: Final = " FOR UPDATE"
_OVERDUE: Final = "AND deadline_at <= %s "
_LOCK_DUE: Final = (
    f"SELECT {LIGHT_ROW} FROM tasks FORCE INDEX (ix_tasks_sweep) "
    "WHERE status = %s AND sweep_at <= %s {overdue}ORDER BY sweep_at {way}, id {way} LIMIT %s "
    "FOR UPDATE SKIP LOCKED"
)
_FIRST_COLUMNS: Final = (
    *("title", "description", "priority", "queue", "tag_names", "due_date", "timeout_seconds"),
    *("retry_limit", "retry_delay_seconds", "retry_backoff", "available_at", "payload"),
    *("traceparent", "claim_rank", "sweep_at"),
)
_FIRST_VALUES: Final = attrgetter(*_FIRST_COLUMNS)
# Few tasks have these, and the others do not pay for them.
_RARE: Final = ("origin", "flags", "unique_key", "group_key", "turn_at")
_RARE_VALUES: Final = attrgetter(*_FIRST_COLUMNS, *_RARE)
_INSERT_TASK: Final = (
    f"INSERT INTO tasks ({', '.join(_FIRST_COLUMNS)}{{rare}}, "
    "status, created_at, updated_at{turn}, current_retry_count, attempt, result_bytes, "
    "payload_bytes) VALUES "
)
_SIZE: Final = "COALESCE(LENGTH({}), 0)"
_SIZED: Final = ("payload", "result")


async def insert_tasks(
    connection: Connection, tasks: Sequence[NewTask], *, now: datetime
) -> list[Task]:
    """Insert tasks that begin now; the rows as they stand then, in order.

    The ids of one multi-row INSERT are consecutive in every innodb_autoinc_lock_mode, and
    LAST_INSERT_ID is the first of them (MySQL manual, "AUTO_INCREMENT Handling in InnoDB").
    """
    stored: list[Task] = []
    for chunk in _chunks(tasks, connection.statement_bytes):
        rows = [begun(task, now=now) for task in chunk]
        has_rare = any(row.origin is not None or row.flags or row.group_key for row in rows)
        values_of = _RARE_VALUES if has_rare else _FIRST_VALUES
        values = [value for row in rows for value in values_of(row)]
        # What is the same in every row is written out once a batch, not escaped once a row.
        size = _SIZE.format("payload")
        rare, turn = (_RARE, "") if has_rare else ((), f", '{now}'")
        same = f"'{Status.TO_DO}', '{now}', '{now}'{turn}, 0, 0, 0, {size}"
        row = f"({placeholders((*_FIRST_COLUMNS, *rare))}, {same})"
        head = _INSERT_TASK.format(
            rare="".join(f", {column}" for column in rare), turn=turn and ", turn_at"
        )
        result = await connection.execute(head + placeholders(chunk, row), values)
        _expect("insert_tasks", result.matched, len(chunk))
        stored += [
            row._replace(id=result.first_id + index * connection.id_step)
            for index, row in enumerate(rows)
        ]
    note(connection, ((None, task) for task in stored))
    return stored


async def insert_task_tags(
    connection: Connection, ties: Sequence[tuple[int, str, datetime]], tag_ids: TagIds
) -> None:
    """Tie tasks to tags, given as (task_id, the tag's name, the task's created_at), together with
    the commit. Raises `TagMissingError`; where it was deleted a moment later the commit is an
    IntegrityError."""
    ids = await tag_ids.of(connection, (name for _, name, _ in ties))
    await _insert_last(
        connection,
        "INSERT INTO task_tags (task_id, tag_id, task_created_at) VALUES ",
        [(task_id, ids[name], created_at) for task_id, name, created_at in ties],
    )


async def replace_task_tags(
    connection: Connection, task: Task, names: Sequence[str], tag_ids: TagIds
) -> None:
    """Tie the task, which is locked, to these tags and no others. Raises likewise."""
    await connection.execute("DELETE FROM task_tags WHERE task_id = %s", (task.id,))
    ties = [(task.id, name, task.created_at) for name in names]
    await insert_task_tags(connection, ties, tag_ids)


async def insert_idempotency_keys(
    connection: Connection, rows: Sequence[tuple[str, int, str, int]]
) -> None:
    """Remember (key, item, body hash, task id), together with the commit. With a key that another
    transaction has committed that is an IntegrityError; the batch is then run again and finds
    it."""
    await _insert_last(
        connection,
        "INSERT INTO idempotency_keys (idempotency_key, item, body_hash, task_id) VALUES ",
        sorted(rows),
    )


async def insert_attempts(connection: Connection, attempts: Sequence[EndedAttempt]) -> None:
    """Record attempts that ended other than in success."""
    columns = ", ".join(EndedAttempt._fields)
    await insert_rows(connection, f"INSERT INTO task_attempts ({columns}) VALUES ", attempts)


async def lock_claimable(
    connection: Connection,
    *,
    queue: str,
    rank: int,
    begins_at: datetime,
    limit: int,
    limit_bytes: int,
) -> tuple[list[Task], int]:
    """The next tasks of a queue's rank, locked; those that others hold are skipped. None of a
    paused queue. They end early where they are large; and what is left of the bytes."""
    tasks: list[Task] = []
    rows = connection.stream(CLAIM, (queue, rank, begins_at, queue, limit), reads_on=True)
    async with aclosing(rows):
        async for (row,) in rows:
            if limit_bytes <= 0:
                break
            task = task_of(row)
            tasks.append(task)
            limit_bytes -= sum(sys.getsizeof(text) for text in texts_of(task))
    return tasks, limit_bytes


async def lock_tasks(
    connection: Connection,
    ids: Iterable[int],
    *,
    whole: bool = True,
    skip_locked: bool = False,
) -> dict[int, Task]:
    """The rows of those ids that exist, locked. Without `whole` the long texts are left out."""
    columns = ROW if whole else LIGHT_ROW
    lock = _FOR_UPDATE + " SKIP LOCKED" * skip_locked
    locked = _rows(connection, ids, columns, lock=lock)
    return {task.id: task async for task in locked}


async def lock_within(
    connection: Connection, ids: Iterable[int], *, limit_bytes: int
) -> tuple[dict[int, Task], frozenset[int]]:
    """The same, whole until they come to so many bytes; and those without their long texts."""
    return await _within(_rows(connection, ids, ROW, lock=_FOR_UPDATE), limit_bytes)


async def read_within(
    connection: Connection, ids: Iterable[int], *, limit_bytes: int
) -> tuple[dict[int, Task], frozenset[int]]:
    """The same without locks."""
    return await _within(_rows(connection, ids, ROW, lock=""), limit_bytes)


async def _within(
    rows: AsyncIterator[Task], limit_bytes: int
) -> tuple[dict[int, Task], frozenset[int]]:
    tasks: dict[int, Task] = {}
    cut: set[int] = set()
    async for task in rows:
        limit_bytes -= sum(sys.getsizeof(text) for text in texts_of(task))
        if limit_bytes < 0:
            cut.add(task.id)
        tasks[task.id] = without_texts(task) if limit_bytes < 0 else task
    return tasks, frozenset(cut)


async def _rows(
    connection: Connection, ids: Iterable[int], columns: str, *, lock: str
) -> AsyncIterator[Task]:
    wanted = sorted(set(ids))
    if not wanted:
        return
    statement = _LOCK.format(columns=columns, placeholders=placeholders(wanted), lock=lock)
    # One by one: a hundred rows may be as large as their tasks.
    async for (row,) in connection.stream(statement, tuple(wanted), reads_on=True):
        yield task_of(row)


async def lock_due(
    connection: Connection,
    *,
    status: Status,
    now: datetime,
    limit: int,
    is_newest_first: bool = False,
) -> list[Task]:
    """Tasks in `status` that the sweep has to look at by now, locked, in the order in which they
    became due, or the other way round. Of those in progress only whose deadline has passed:
    leases are looked at without locks."""
    is_running = status is Status.IN_PROGRESS
    statement = _LOCK_DUE.format(
        overdue=_OVERDUE if is_running else "", way="DESC" if is_newest_first else "ASC"
    )
    values = (str(status), now, now, limit) if is_running else (str(status), now, limit)
    rows = await connection.fetch(statement, values)
    return [task_of(row) for (row,) in rows]


async def move(connection: Connection, moves: Sequence[tuple[Task, Task]]) -> None:
    """Write what changed between each old row and its new one, by primary key.

    Guarded by the old status, attempt and `updated_at` of every row. Where the rows are locked by
    this very transaction, a guard that does not match is a bug: `GuardFailedError`, rolled back.
    """
    for chunk in _chunks(moves, connection.statement_bytes, weigh=lambda pair: _weight(pair[1])):
        olds, news = zip(*chunk, strict=True)
        assignments, values = _assignments(olds, news)
        if not assignments:
            continue
        statement = (
            f"UPDATE {_BY_ID} SET {', '.join(assignments)} "
            f"WHERE id IN ({placeholders(chunk)}) "
            f"AND (id, status, attempt, updated_at) IN ({placeholders(chunk, '(%s, %s, %s, %s)')})"
        )
        values += [task.id for task in olds]
        values += [v for t in olds for v in (t.id, t.status, t.attempt, t.updated_at)]
        result = await connection.execute(statement, tuple(values))
        _expect("move", result.matched, len(chunk))
    note(connection, moves)


async def delete_tasks(connection: Connection, tasks: Sequence[Task]) -> None:
    """Delete tasks, which are locked, with their tags, attempts and keys."""
    ids = sorted(task.id for task in tasks)
    deleted = await delete_by_key(connection, table="tasks", key="id", values=ids)
    _expect("delete_tasks", deleted, len(ids))
    note(connection, ((task, None) for task in tasks))


def _assignments(olds: Sequence[Task], news: Sequence[Task]) -> tuple[list[str], list[Any]]:
    assignments: list[str] = []
    values: list[Any] = []
    for index, column in enumerate(Task._fields):
        after = [task[index] for task in news]
        if all(old[index] == new for old, new in zip(olds, after, strict=True)):
            continue
        if all(value == after[0] for value in after):
            assignments.append(f"{column} = %s")
            values.append(after[0])
        else:
            assignments.append(f"{column} = CASE id {'WHEN %s THEN %s ' * len(after)}END")
            for task, value in zip(news, after, strict=True):
                values += (task.id, value)
        if column in _SIZED:
            # From left to right: it is of the new one.
            assignments.append(f"{column}_bytes = {_SIZE.format(column)}")
    return assignments, values


async def insert_rows(connection: Connection, head: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of some table; `head` is the statement up to its VALUES."""
    for statement, values, count in _inserts(connection, head, rows):
        result = await connection.execute(statement, values)
        _expect(head, result.matched, count)


async def _insert_last(connection: Connection, head: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """The same, together with the commit: nothing reads them before."""
    for statement, values, _ in _inserts(connection, head, rows):
        await connection.execute_last(statement, values)


def _inserts(
    connection: Connection, head: str, rows: Sequence[tuple[Any, ...]]
) -> Iterator[tuple[str, list[Any], int]]:
    for chunk in _chunks(
        rows,
        connection.statement_bytes,
        weigh=lambda row: 64 + sum(len(v) for v in row if isinstance(v, str)) * 3,
    ):
        statement = head + placeholders(chunk, f"({placeholders(chunk[0])})")
        yield statement, [value for row in chunk for value in row], len(chunk)


def _weight(task: Task | NewTask) -> int:
    names = "".join(task.tag_names or ())
    return 1024 + sum(3 * len(text) for text in (task.title, names, *texts_of(task)))


def _chunks(rows: Sequence[Any], limit: int, weigh: Any = _weight) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    total = 0
    for row in rows:
        total += weigh(row)
        if chunk and total > limit:
            yield chunk
            chunk, total = [], weigh(row)
        chunk.append(row)
    if chunk:
        yield chunk


def _expect(statement: str, matched: int, expected: int) -> None:
    if matched != expected:
        raise GuardFailedError(statement=statement, expected=expected, matched=matched)
