"""How many tasks there are, by queue, status and priority and by tag, and what has ended lately.

Counting millions of rows takes seconds, and a counter that every transaction updates would make
them all wait for each other. So a transaction adds what it changes as one new row of
`counter_deltas`, which nobody waits for, and the scheduler folds those into `counters`. Readers
sum up both in one statement, and so see one moment.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Protocol

import orjson

from app.db import Connection, marks
from app.states import Status

RECENT_MINUTES: Final = 5
CHUNK: Final = 200
RECOUNTED_AT_ONCE: Final = 10_000

# In the order of their names: `queue/…` and `recent/…` lie below `tag/…`.
QUEUE, RECENT, TAG = "queue/", "recent/", "tag/"

_READ: Final = (
    "SELECT name, value, NULL FROM counters WHERE name {} "
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
            counts[recent(new.queue, new.updated_at, "done")] += 1
        elif new.status == Status.FAILED or new.current_retry_count > old.current_retry_count:
            counts[recent(new.queue, new.updated_at, "failed")] += 1


@lru_cache(maxsize=64)  # a batch ends its tasks in one moment
def recent(queue: str, at: datetime, what: str) -> str:
    """The counter of what ended in a queue within the same ten seconds."""
    return f"{_ten_seconds(at)}/{queue}/{what}"


def since(now: datetime) -> str:
    """Where the counters of the last minutes begin."""
    return _ten_seconds(now - timedelta(minutes=RECENT_MINUTES))


async def read_queues(connection: Connection) -> Counter[str]:
    """The counters of queues, and of what has ended lately."""
    counts = _summed(await connection.fetch(_READ.format("< %s"), (TAG,)))
    return Counter({name: count for name, count in counts.items() if name < TAG})


async def read_tags(connection: Connection) -> Counter[str]:
    """The counters of tags."""
    counts = _summed(await connection.fetch(_READ.format(">= %s"), (TAG,)))
    return Counter({name: count for name, count in counts.items() if name >= TAG})


async def read_some_tags(connection: Connection, names: Sequence[str]) -> Counter[str]:
    """The counters of these tags, and others by the way."""
    wanted = [f"{TAG}{name}" for name in names]
    return _summed(await connection.fetch(_READ.format(f"IN ({marks(names)})"), wanted))


async def fold_once(connection: Connection, *, limit: int) -> int:
    """Fold so many transactions' deltas into the counters; how many there were."""
    rows = await connection.fetch(
        "SELECT id, deltas FROM counter_deltas ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED",
        (limit,),
    )
    if not rows:
        return 0
    changes = sorted(_summed([("", 1, deltas) for _, deltas in rows]).items())
    for begin in range(0, len(changes), CHUNK):
        chunk = changes[begin : begin + CHUNK]
        values = [value for change in chunk for value in change]
        selects = ["SELECT %s AS name, %s AS delta", *["SELECT %s, %s"] * (len(chunk) - 1)]
        await connection.execute(_ADD.format(" UNION ALL ".join(selects)), values)
        # By name, in order: two that fold at once would wait for each other over a range.
        await connection.execute(
            f"DELETE FROM counters WHERE name IN ({marks(chunk)}) AND value = 0 AND name < %s",
            [*(name for name, _ in chunk), TAG],
        )
    await connection.execute(
        "DELETE FROM counters WHERE name >= %s AND name < %s",
        (RECENT, since(await connection.now())),
    )
    await connection.execute(
        f"DELETE FROM counter_deltas WHERE id IN ({marks(rows)})", [row[0] for row in rows]
    )
    return len(rows)


async def recount(connection: Connection) -> dict[str, int]:
    """Count every task and set the counters right, whoever writes meanwhile; by how much each
    was wrong. Takes as long as it takes to read the tables."""
    counts = _summed(await connection.fetch(_RECOUNT))
    wrong = {name: n for name, n in counts.items() if n and not name.startswith(RECENT)}
    names = sorted(wrong)
    for begin in range(0, len(names), RECOUNTED_AT_ONCE):
        chunk = {name: wrong[name] for name in names[begin : begin + RECOUNTED_AT_ONCE]}
        await connection.add_to_counters(chunk)
    return wrong


def _place(task: Counted) -> str:
    return _name(task.queue, task.status, task.priority)


@lru_cache(maxsize=1024)
def _name(queue: str, status: str, priority: str) -> str:
    return f"{QUEUE}{queue}/{status}/{priority}"


def _ten_seconds(at: datetime) -> str:
    return f"{RECENT}{at.isoformat(timespec='seconds')[:-1]}"


def _summed(rows: Sequence[Sequence[Any]]) -> Counter[str]:
    """Of rows of (name, value, NULL), or (anything, how often, deltas)."""
    counts: Counter[str] = Counter()
    for name, value, deltas in rows:
        if deltas is None:
            counts[name] += value
        else:
            for changed, delta in orjson.loads(deltas).items():
                counts[changed] += value * delta
    return counts
