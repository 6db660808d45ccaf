"""How it went, by minutes and by hours: what was submitted, started and ended, and how long tasks
waited and ran.

A transaction adds to its row of `counter_deltas` what it means for this, and the fold that adds
the row to the counters adds it here. Of a queue's minute there is one row, or more where several
fold at once: who finds the row locked makes another one, so nobody waits, and who finds several
makes one of them. Readers sum up all of them, and what is not folded yet.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Final, NamedTuple

import orjson

from app.domain.histogram import class_of, percentiles
from app.domain.states import Status
from app.domain.task import Task
from app.mysql.connection import Connection, placeholders
from app.queue.deletion import delete_by_key

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
# What can be asked for, and a margin for what is asked meanwhile.
KEPT: Final = {MINUTE: timedelta(minutes=90), HOUR: timedelta(days=14, hours=2)}
# No queue can be called that.
ALL_QUEUES: Final = ""
# With the number of a class: `wait/43`.
WAIT, RUN = "wait", "run"
CHUNK: Final = 200

_READ: Final = (
    "SELECT at, figures FROM history FORCE INDEX (ix_history_queue) "
    "WHERE queue = %s AND seconds = %s AND at >= %s "
    "UNION ALL SELECT NULL, history FROM counter_deltas"
)
_FIND: Final = (
    "SELECT queue, id, figures FROM history FORCE INDEX (ix_history_queue) "
    "WHERE queue IN ({}) AND seconds = %s AND at = %s FOR UPDATE SKIP LOCKED"
)
_WRITE: Final = (
    "INSERT INTO history (id, queue, seconds, at, figures) "
    "SELECT id, queue, %s, %s, new FROM ({}) AS folded "
    "ON DUPLICATE KEY UPDATE figures = new"
)
_OLD: Final = (
    "SELECT id FROM history FORCE INDEX (ix_history_at) WHERE seconds = %s AND at < %s "
    "ORDER BY seconds, at LIMIT %s FOR UPDATE SKIP LOCKED"
)

Figures = Mapping[str, Mapping[str, int]]
"""By `<queue>/<minute>`, and there by the names of counts and of classes."""


class Bucket(NamedTuple):
    """A minute or an hour of a queue, or of all. Times in seconds; None: nobody waited, or ran."""

    begins_at: datetime
    is_complete: bool
    submitted: int
    started: int
    done: int
    failed: int
    retried: int
    wait_p50: float | None
    wait_p95: float | None
    run_p50: float | None
    run_p95: float | None


class History(NamedTuple):
    """So many buckets, one after the other; the last one is now."""

    seconds: int
    buckets: list[Bucket]


class _Place(NamedTuple):
    seconds: int
    at: datetime
    queue: str


def record(figures: defaultdict[str, Counter[str]], old: Task | None, new: Task | None) -> None:
    """Add what a row's change means for its queue's history."""
    if new is None:
        return
    if old is None:
        figures[_key(new.queue, new.created_at)]["submitted"] += 1
    elif old.status == new.status:
        return
    elif new.status == Status.IN_PROGRESS:
        of = figures[_key(new.queue, new.updated_at)]
        of["started"] += 1
        of[_class(WAIT, new.updated_at, old.created_at, old.available_at)] += 1
    elif old.status == Status.IN_PROGRESS and (end := _end(old, new)):
        of = figures[_key(new.queue, new.updated_at)]
        of[end] += 1
        of[_class(RUN, new.updated_at, old.started_at)] += 1


async def read(connection: Connection, *, queue: str, minutes: int) -> History:
    """The buckets of a queue that have something of the last minutes: of a minute each where
    these are no more than an hour, else of an hour each."""
    size = MINUTE if minutes * MINUTE <= HOUR else HOUR
    now = await connection.now()
    begin, end = _begin(now - minutes * MINUTE, size), _begin(now, size)
    found: defaultdict[datetime, Counter[str]] = defaultdict(Counter)
    seconds = int(size.total_seconds())
    async for at, figures in connection.stream(_READ, (queue, seconds, begin), reads_on=True):
        if at is not None:
            found[at].update(orjson.loads(figures))
        elif figures is not None:
            for place, counts in _unfolded([figures], [size], [queue]).items():
                found[place.at].update(counts)
    times = [begin + place * size for place in range((end - begin) // size + 1)]
    return History(seconds, [_bucket(at, found[at], is_complete=at < end) for at in times])


async def fold(connection: Connection, texts: Iterable[str | None]) -> None:
    """Add to the history what transactions have added to their deltas."""
    changes = _unfolded([text for text in texts if text is not None], KEPT)
    for (seconds, at), group in groupby(sorted(changes), key=lambda place: place[:2]):
        places = list(group)
        for begin in range(0, len(places), CHUNK):
            chunk = {place.queue: changes[place] for place in places[begin : begin + CHUNK]}
            await _fold(connection, seconds, at, chunk)


async def delete_old(connection: Connection, *, limit: int) -> int:
    """Delete so many rows of minutes, and of hours, that can be asked for no more; how many
    there were."""
    now = await connection.now()
    ids: list[int] = []
    for size, kept in KEPT.items():
        values = (int(size.total_seconds()), now - kept, limit - len(ids))
        ids += [row[0] for row in await connection.fetch(_OLD, values)]
    return await delete_by_key(connection, table="history", key="id", values=sorted(ids))


async def _fold(
    connection: Connection, seconds: int, at: datetime, changes: Mapping[str, Counter[str]]
) -> None:
    """Add to one bucket of some queues."""
    find = _FIND.format(placeholders(changes))
    keys: dict[str, int] = {}
    others: list[int] = []
    for queue, key, figures in await connection.fetch(find, (*changes, seconds, at)):
        if keys.setdefault(queue, key) != key:
            others.append(key)
        changes[queue].update(orjson.loads(figures))
    values: list[object] = [seconds, at]
    for queue, counts in changes.items():
        values += (keys.get(queue), queue, orjson.dumps(counts).decode())
    selects = [
        "SELECT %s AS id, %s AS queue, %s AS new",
        *["SELECT %s, %s, %s"] * (len(changes) - 1),
    ]
    await connection.execute(_WRITE.format(" UNION ALL ".join(selects)), values)
    await delete_by_key(connection, table="history", key="id", values=sorted(others))


def _unfolded(
    texts: Iterable[str], sizes: Collection[timedelta], queues: Sequence[str] | None = None
) -> dict[_Place, Counter[str]]:
    """What transactions have added, by the buckets of those sizes; of these queues, or of each
    and of all together."""
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for text in texts:
        for key, counts in orjson.loads(text).items():
            sums[key].update(counts)
    changes: defaultdict[_Place, Counter[str]] = defaultdict(Counter)
    for key, counts in sums.items():
        name, _, minute = key.partition("/")
        at = datetime.fromisoformat(minute)
        for queue in (name, ALL_QUEUES):
            if queues is None or queue in queues:
                for size in sizes:
                    place = _Place(int(size.total_seconds()), _begin(at, size), queue)
                    changes[place].update(counts)
    return changes


def _end(old: Task, new: Task) -> str | None:
    """How an attempt ended; None: it was given back, or called off."""
    if new.status == Status.DONE:
        return "done"
    if new.status == Status.FAILED:
        return "failed"
    return "retried" if new.current_retry_count > old.current_retry_count else None


@lru_cache(maxsize=64)  # a batch moves its tasks in one moment
def _key(queue: str, at: datetime) -> str:
    return f"{queue}/{at.isoformat(timespec='minutes')}"


def _class(kind: str, until: datetime, *since: datetime | None) -> str:
    begin = max(at for at in since if at is not None)
    return f"{kind}/{class_of((until - begin).total_seconds())}"


def _begin(at: datetime, size: timedelta) -> datetime:
    """When the bucket begins in which that was."""
    whole = at.replace(second=0, microsecond=0)
    return whole if size == MINUTE else whole.replace(minute=0)


def _bucket(at: datetime, counts: Mapping[str, int], *, is_complete: bool) -> Bucket:
    classes: dict[str, dict[int, int]] = {WAIT: {}, RUN: {}}
    for name, n in counts.items():
        kind, slash, number = name.partition("/")
        if slash:
            classes[kind][int(number)] = n
    wait_p50, wait_p95 = percentiles(classes[WAIT], (50, 95))
    run_p50, run_p95 = percentiles(classes[RUN], (50, 95))
    return Bucket(
        begins_at=at,
        is_complete=is_complete,
        submitted=counts.get("submitted", 0),
        started=counts.get("started", 0),
        done=counts.get("done", 0),
        failed=counts.get("failed", 0),
        retried=counts.get("retried", 0),
        wait_p50=wait_p50,
        wait_p95=wait_p95,
        run_p50=run_p50,
        run_p95=run_p95,
    )
