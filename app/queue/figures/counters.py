"""How many tasks there are, by queue, status and priority and by tag, and what has ended lately.

Counting millions of rows takes seconds, and a counter that every transaction updates would make
them all wait for each other. So a transaction adds what it changes as one new row of
`counter_deltas`, which nobody waits for, and the scheduler folds those into `counters`. Readers
sum up both in one statement, and so see one moment.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, Protocol

import orjson
from pymysql import err

from app.domain.errors import RecountUnderWayError
from app.domain.states import WAITING, Status
from app.mysql.connection import Connection, placeholders
from app.queue.deletion import delete_by_key
from app.queue.figures import history

RECENT_MINUTES: Final = 5
CHUNK: Final = 200
RECOUNTED_AT_ONCE: Final = 10_000
# A fold of more counters than this might not end in time, nor would it when tried again.
FOLDED_AT_ONCE: Final = 10_000

# `queue/<queue>/<status>/<priority>`, `ended/<queue>/<ten seconds>/<done or failed>`, `tag/<name>`.
QUEUE, ENDED, TAG = "queue/", "ended/", "tag/"
# Before version 0003 what had ended was counted by names that began with the time.
FORMER: Final = "recent/"

_READ: Final = (
    "SELECT name, value, NULL FROM counters FORCE INDEX (PRIMARY) WHERE {} "
    "UNION ALL SELECT '', 1, deltas FROM counter_deltas"
)
_OF_STATES: Final = (
    "SELECT CONCAT('queue//', SUBSTRING_INDEX(name, '/', -2)), CAST(SUM(value) AS SIGNED), NULL "
    "FROM counters FORCE INDEX (PRIMARY) WHERE name >= %s AND name < %s GROUP BY 1 "
    "UNION ALL SELECT '', 1, deltas FROM counter_deltas"
)
_ADD: Final = (
    "INSERT INTO counters (name, value) SELECT name, delta FROM ({}) AS deltas "
    "ON DUPLICATE KEY UPDATE value = value + delta"
)
_RECOUNT: Final = (
    "SELECT CONCAT('queue/', queue, '/', status, '/', priority), COUNT(*), NULL "
    "FROM tasks GROUP BY queue, status, priority UNION ALL "
    "SELECT CONCAT('tag/', name), COUNT(*), NULL "
    "FROM task_tags JOIN tags ON tags.id = tag_id GROUP BY name UNION ALL "
    "SELECT name, -value, NULL FROM counters UNION ALL "
    "SELECT '', -1, deltas FROM counter_deltas"
)


class Counted(Protocol):
    """What the counters look at in a task."""

    @property
    def queue(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def priority(self) -> str: ...
    @property
    def tag_names(self) -> str | None: ...
    @property
    def current_retry_count(self) -> int: ...
    @property
    def updated_at(self) -> datetime: ...


def count(counts: Counter[str], old: Counted | None, new: Counted | None) -> None:
    """Add what a row's change means for the counters; None: it was not there, or is gone."""
    before, after = old and _place(old), new and _place(new)
    if before != after:
        if before:
            counts[before] -= 1
        if after:
            counts[after] += 1
    if (old and old.tag_names) != (new and new.tag_names):
        for task, one in ((old, -1), (new, 1)):
            for name in orjson.loads((task and task.tag_names) or "[]"):
                counts[f"{TAG}{name}"] += one
    if old and new and old.status == Status.IN_PROGRESS != new.status:
        if new.status == Status.DONE:
            counts[ended(new.queue, new.updated_at, "done")] += 1
        elif new.status == Status.FAILED or new.current_retry_count > old.current_retry_count:
            counts[ended(new.queue, new.updated_at, "failed")] += 1


@lru_cache(maxsize=64)  # a batch ends its tasks in one moment
def ended(queue: str, at: datetime, what: str) -> str:
    """The counter of what ended in a queue within the same ten seconds."""
    return f"{ENDED}{queue}/{_ten_seconds(at)}/{what}"


def since(now: datetime) -> str:
    """The first ten seconds of the last minutes, as in the counters' names."""
    return _ten_seconds(now - timedelta(minutes=RECENT_MINUTES))


def is_over(name: str, since: str) -> bool:
    """Whether it counts what ended before the last minutes."""
    return name.startswith(ENDED) and name.split("/")[2] < since


async def add(connection: Connection, deltas: Mapping[str, int]) -> None:
    """One row with these deltas by the counters' names, which nobody waits for."""
    await connection.execute(*_row(deltas, {}))


async def add_last(
    connection: Connection, deltas: Mapping[str, int], figures: history.Figures
) -> None:
    """The same, and what it means for the history, together with the commit."""
    await connection.execute_last(*_row(deltas, figures))


def _row(deltas: Mapping[str, int], figures: history.Figures) -> tuple[str, tuple[str, str | None]]:
    texts = orjson.dumps(deltas).decode(), orjson.dumps(figures).decode() if figures else None
    return "INSERT INTO counter_deltas (deltas, history) VALUES (%s, %s)", texts


async def read_queues(connection: Connection) -> Counter[str]:
    """The counters of all queues."""
    rows = await connection.fetch(_READ.format("name >= %s AND name < %s"), span(QUEUE))
    return Counter({name: n for name, n in summed(rows).items() if name.startswith(QUEUE)})


async def read_some_queues(connection: Connection, queues: Sequence[str]) -> Counter[str]:
    """The counters of these queues, and of what has ended in them lately; of each queue as they
    are at one moment."""
    begin = since(await connection.now())
    counts: Counter[str] = Counter()
    # Twice as many ranges take a server four times as long.
    for place in range(0, len(queues), CHUNK):
        found = await _read_chunk(connection, queues[place : place + CHUNK])
        counts.update({name: n for name, n in found.items() if not is_over(name, begin)})
    return counts


async def _read_chunk(
    connection: Connection, queues: Sequence[str], kinds: Sequence[str] = (QUEUE, ENDED)
) -> Counter[str]:
    prefixes = {f"{kind}{queue}/" for queue in queues for kind in kinds}
    spans = [bound for prefix in sorted(prefixes) for bound in span(prefix)]
    condition = " OR ".join(["name >= %s AND name < %s"] * len(prefixes))
    return await _sum_up(
        connection.stream(_READ.format(condition), spans, reads_on=True),
        lambda name: "/".join(name.split("/", 2)[:2]) + "/" in prefixes,
    )


async def read_all_queues_together(connection: Connection) -> tuple[int, int]:
    """How many tasks wait, and how many are in progress, in however many queues."""
    by_status: Counter[str] = Counter()
    for (status, _), n in (await read_states(connection)).items():
        by_status[status] += n
    return sum(by_status[status] for status in WAITING), by_status[Status.IN_PROGRESS]


async def read_states(
    connection: Connection, queues: Sequence[str] = ()
) -> Counter[tuple[str, str]]:
    """How many tasks there are by status and priority, of these queues or of all."""
    found: Counter[str] = Counter()
    for place in range(0, len(queues), CHUNK):
        found.update(await _read_chunk(connection, queues[place : place + CHUNK], (QUEUE,)))
    if not queues:
        rows = connection.stream(_OF_STATES, span(QUEUE), reads_on=True)
        found = await _sum_up(rows, lambda name: name.startswith(QUEUE))
    by_state: Counter[tuple[str, str]] = Counter()
    for name, n in found.items():
        _, _, status, priority = name.split("/")
        by_state[status, priority] += n
    return by_state


async def read_some_tags(connection: Connection, names: Sequence[str]) -> Counter[str]:
    """The counters of these tags."""
    if not names:
        return Counter()
    wanted = {f"{TAG}{name}" for name in names}
    statement = _READ.format(f"name IN ({placeholders(wanted)})")
    rows = connection.stream(statement, sorted(wanted), reads_on=True)
    return await _sum_up(rows, wanted.__contains__)


async def fold_once(connection: Connection, *, limit: int) -> int:
    """Fold so many transactions' deltas into the counters and the history; how many there were.
    Those of transactions that are open, or that somebody else folds, are left for the next time,
    and so are the last ones where all of them change too many counters."""
    found = await connection.fetch(
        "SELECT id, deltas, history FROM counter_deltas FORCE INDEX (PRIMARY) "
        "ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED",
        (limit,),
    )
    rows = _few(found)
    ids = [row[0] for row in rows]
    changes = sorted(summed([("", 1, deltas) for _, deltas, _ in rows]).items())
    for begin in range(0, len(changes), CHUNK):
        chunk = changes[begin : begin + CHUNK]
        values = [value for change in chunk for value in change]
        selects = ["SELECT %s AS name, %s AS delta", *["SELECT %s, %s"] * (len(chunk) - 1)]
        await connection.execute(_ADD.format(" UNION ALL ".join(selects)), values)
    await history.fold(connection, [row[2] for row in rows])
    await delete_by_key(connection, table="counter_deltas", key="id", values=ids)
    return len(found)


def _few(rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """So many of the first that they do not change too many counters, but one in any case."""
    names: set[str] = set()
    for place, (_, *texts) in enumerate(rows):
        names.update(*(orjson.loads(text) for text in texts if text is not None))
        if place and len(names) > FOLDED_AT_ONCE:
            return rows[:place]
    return rows


async def recount(connection: Connection) -> dict[str, int]:
    """Count every task and set the counters right, whoever writes meanwhile; by how much each
    was wrong. Takes as long as it takes to read the tables. Every statement is committed by
    itself: what one recount adds, the next one has to see.

    Raises `RecountUnderWayError` where another one does so in this database: each would add what
    the other one adds.
    """
    ((database,),) = await connection.fetch("SELECT DATABASE()")
    # Names of locks are the whole server's, and short.
    lock = f"rowlock.recount.{sha256(database.encode()).hexdigest()[:32]}"
    ((is_ours,),) = await connection.fetch("SELECT GET_LOCK(%s, 0)", (lock,))
    if not is_ours:
        raise RecountUnderWayError
    try:
        counts = summed(await connection.fetch(_RECOUNT))
        wrong = {name: n for name, n in counts.items() if n and name.startswith((QUEUE, TAG))}
        names = sorted(wrong)
        for begin in range(0, len(names), RECOUNTED_AT_ONCE):
            chunk = {name: wrong[name] for name in names[begin : begin + RECOUNTED_AT_ONCE]}
            await add(connection, chunk)
        return wrong
    finally:
        # It is the connection's, which goes back to its pool; a lost one has lost it.
        with suppress(err.MySQLError):
            await connection.fetch("SELECT RELEASE_LOCK(%s)", (lock,))


def _place(task: Counted) -> str:
    return _name(task.queue, task.status, task.priority)


@lru_cache(maxsize=1024)
def _name(queue: str, status: str, priority: str) -> str:
    return f"{QUEUE}{queue}/{status}/{priority}"


def _ten_seconds(at: datetime) -> str:
    return at.isoformat(timespec="seconds")[:-1]


def span(prefix: str) -> tuple[str, str]:
    """From the first name with a prefix that ends with a slash until after the last."""
    return prefix, f"{prefix[:-1]}0"


def summed(rows: Sequence[Sequence[Any]]) -> Counter[str]:
    """Of rows of (name, value, NULL), or (anything, how often, deltas)."""
    counts: Counter[str] = Counter()
    for name, value, deltas in rows:
        if deltas is None:
            counts[name] += value
        else:
            for changed, delta in orjson.loads(deltas).items():
                counts[changed] += value * delta
    return counts


async def _sum_up(
    rows: AsyncIterator[Sequence[Any]], is_wanted: Callable[[str], bool]
) -> Counter[str]:
    """The same of what is wanted of rows as they come: of deltas there may be many megabytes."""
    counts: Counter[str] = Counter()
    async for row in rows:
        for name, n in summed([row]).items():
            if row[2] is None or is_wanted(name):
                counts[name] += n
    return counts
