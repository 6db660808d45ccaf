"""The register of workers: who has asked for work lately, and who holds tasks.

An API process tells of the polls it has heard now and then (`app.service.workers`); a poll by
itself writes nothing. So the register is behind: by up to 10 s for a worker that is new, by up to
40 s for one that it knows. A worker that holds tasks is found by them, whether it is in the
register or not.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from app.domain.errors import WorkerNotFoundError
from app.domain.states import Status
from app.domain.worker import HeldTask, Registered, Running, Worker, order, shown, together
from app.mysql.connection import Connection, placeholders
from app.runtime.steady_clock import steady_seconds

TOLD_AT_ONCE: Final = 500
TOLD_BYTES: Final = 1024 * 1024
# Of a worker that holds more, those that began first are shown.
HELD_SHOWN: Final = 1000

_COLUMNS: Final = ", ".join(Registered._fields)
_POLL: Final = "SELECT %s, %s, %s, %s, UTC_TIMESTAMP(6) - INTERVAL %s MICROSECOND"
_FIRST_POLL: Final = (
    "SELECT %s AS name, %s AS its_queues, %s AS its_agent, %s AS its_address, "
    "UTC_TIMESTAMP(6) - INTERVAL %s MICROSECOND AS seen_at"
)
# Of two processes that have heard of the same worker, what was heard last counts.
_TELL: Final = (
    f"INSERT INTO workers ({_COLUMNS}) "
    "SELECT name, its_queues, its_agent, its_address, seen_at, seen_at FROM ({}) AS polls "
    "ON DUPLICATE KEY UPDATE "
    "queues = IF(seen_at >= last_seen_at, its_queues, queues), "
    "agent = IF(seen_at >= last_seen_at, its_agent, agent), "
    "address = IF(seen_at >= last_seen_at, its_address, address), "
    # The last one: the others look at what it was.
    "last_seen_at = GREATEST(seen_at, last_seen_at)"
)
# Names of queues have no quotes, so one is found in the JSON array as a text.
_POLLS_QUEUE: Final = "INSTR(queues, %s)"
_LAST_POLL: Final = (
    "SELECT last_seen_at FROM workers FORCE INDEX (ix_workers_last_seen) "
    f"WHERE queues IS NULL OR {_POLLS_QUEUE} ORDER BY last_seen_at DESC LIMIT 1"
)
_PAGE: Final = (
    f"SELECT {_COLUMNS} FROM workers FORCE INDEX (PRIMARY) WHERE {{}} ORDER BY worker LIMIT %s"
)
_NAMED: Final = f"SELECT {_COLUMNS} FROM workers FORCE INDEX (PRIMARY) WHERE worker IN ({{}})"
# No more than what runs, however many tasks there are. The names of tasks' workers are compared
# to the letter, as those of the register are.
_OF_WHAT_RUNS: Final = (
    "FROM tasks FORCE INDEX (ix_tasks_sweep) "
    f"WHERE status = '{Status.IN_PROGRESS}' AND worker IS NOT NULL"
)
_RUNNING: Final = (
    "SELECT worker COLLATE utf8mb4_bin AS name, queue, COUNT(*), MIN(started_at), MAX(started_at) "
    f"{_OF_WHAT_RUNS} GROUP BY name, queue ORDER BY NULL"
)
_HELD: Final = (
    "SELECT id, title, queue, attempt, started_at, deadline_at "
    f"{_OF_WHAT_RUNS} AND worker = %s COLLATE utf8mb4_bin"
)


class Poll(NamedTuple):
    """That a worker has asked for work: of which queues, as a JSON array, by what program, from
    where, and when by this process's steady clock."""

    worker: str
    queues: str
    agent: str | None
    address: str | None
    at: float


class Page(NamedTuple):
    """Some workers, and after which name there are more, if there are."""

    workers: list[Worker]
    last: str | None


def chunks(polls: Iterable[Poll]) -> Iterator[list[Poll]]:
    """The polls by name, as many together as one statement takes: every process locks the
    register's rows in one order, and none for long."""
    chunk: list[Poll] = []
    size = 0
    for poll in sorted(polls):
        weight = 256 + 4 * (len(poll.worker) + len(poll.agent or "")) + 2 * len(poll.queues)
        if chunk and (size + weight > TOLD_BYTES or len(chunk) == TOLD_AT_ONCE):
            yield chunk
            chunk, size = [], 0
        chunk.append(poll)
        size += weight
    if chunk:
        yield chunk


async def tell(connection: Connection, polls: Sequence[Poll]) -> None:
    """Write a chunk of polls down, of each worker one, each at its time by MySQL's clock."""
    selects = " UNION ALL ".join([_FIRST_POLL, *[_POLL] * (len(polls) - 1)])
    now = steady_seconds()
    values = [v for *what, at in polls for v in (*what, round((now - at) * 1_000_000))]
    await connection.execute(_TELL.format(selects), values)


async def last_poll(connection: Connection, queue: str) -> datetime | None:
    """When a worker has asked for tasks of this queue for the last time, as far as the register
    knows: it is up to 40 s behind, and forgets after a day. None: it knows of none."""
    rows = await connection.fetch(_LAST_POLL, (_quoted(queue),))
    return rows[0][0] if rows else None


async def page(
    connection: Connection,
    *,
    queues: Collection[str],
    seen_within_seconds: int | None,
    after: str | None,
    limit: int,
) -> Page:
    """Workers by name: those that poll one of the queues and have done so lately, and those that
    hold a task of one. Without `queues` any will do."""
    now = await connection.now()
    running = await _running(connection)
    holders = [
        name
        for name, held in running.items()
        if (not queues or not held.queues.isdisjoint(queues))
        and (after is None or order(name) > order(after))
    ]
    known = await _polling(connection, queues, seen_within_seconds, after, limit + 1)
    names = sorted({*known, *holders}, key=order)
    shown_names = names[:limit]
    known |= await _named(connection, [name for name in shown_names if name not in known])
    return Page(
        [shown(name, known.get(name), running.get(name), now) for name in shown_names],
        shown_names[-1] if len(names) > limit else None,
    )


async def find(connection: Connection, name: str) -> tuple[Worker, list[HeldTask]]:
    """A worker, and the tasks that it holds, the oldest first, `HELD_SHOWN` at most. Raises
    `WorkerNotFoundError`."""
    now = await connection.now()
    known = (await _named(connection, [name])).get(name)
    rows = await connection.fetch(_HELD, (name,))
    held = sorted(map(HeldTask._make, rows), key=lambda task: (task.started_at, task.task_id))
    running = None
    if held:
        queues = frozenset(task.queue for task in held)
        running = Running(len(held), queues, held[0].started_at, held[-1].started_at)
    if known is None and running is None:
        raise WorkerNotFoundError(worker=name)
    return shown(name, known, running, now), held[:HELD_SHOWN]


async def _running(connection: Connection) -> dict[str, Running]:
    found: dict[str, Running] = {}
    for name, queue, count, oldest, newest in await connection.fetch(_RUNNING):
        of_queue = Running(count, frozenset([queue]), oldest, newest)
        found[name] = together(found[name], of_queue) if name in found else of_queue
    return found


async def _polling(
    connection: Connection,
    queues: Collection[str],
    seen_within_seconds: int | None,
    after: str | None,
    limit: int,
) -> dict[str, Registered]:
    # No lower bound at first: to MySQL some names lie before the empty one.
    conditions, values = ["TRUE"], list[Any]()
    if after is not None:
        conditions.append("worker > %s")
        values.append(after)
    if seen_within_seconds is not None:
        conditions.append("last_seen_at >= UTC_TIMESTAMP(6) - INTERVAL %s SECOND")
        values.append(seen_within_seconds)
    if queues:
        conditions.append(f"(queues IS NULL OR {' OR '.join([_POLLS_QUEUE] * len(queues))})")
        values += map(_quoted, queues)
    statement = _PAGE.format(" AND ".join(conditions))
    return _by_name(await connection.fetch(statement, (*values, limit)))


async def _named(connection: Connection, names: Sequence[str]) -> dict[str, Registered]:
    if not names:
        return {}
    return _by_name(await connection.fetch(_NAMED.format(placeholders(names)), names))


def _by_name(rows: Iterable[Sequence[Any]]) -> dict[str, Registered]:
    return {
        name: Registered(name, None if queues is None else orjson.loads(queues), *what)
        for name, queues, *what in rows
    }


def _quoted(queue: str) -> str:
    return f'"{queue}"'
