"""Time passes: not by waiting, but by moving what has happened into the past."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import orjson
import redis
from sqlalchemy import Connection, Engine, text

from app.queue.figures.counters import ENDED
from tests.support.redis_book import elapse_in_book

CLOCK_SLACK = timedelta(seconds=0.5)
MOMENTS = {
    "tasks": (
        "created_at",
        "updated_at",
        "completed_at",
        "available_at",
        "started_at",
        "turn_at",
        "deadline_at",
        "sweep_at",
    ),
    "task_tags": ("task_created_at",),
    "task_attempts": ("started_at", "finished_at"),
    "paused_queues": ("paused_at",),
    "schedules": (
        "starts_at",
        "ends_at",
        "paused_at",
        "considered_at",
        "next_at",
        "created_at",
        "updated_at",
    ),
    "schedule_runs": ("occurrence_at", "fired_at"),
    "queue_settings": ("updated_at", "adopts_from"),
    "task_groups": ("look_at", "paid_until", "turn_0", "turn_1", "turn_2"),
    "group_waits": ("turn_at",),
    "workers": ("first_seen_at", "last_seen_at"),
    "processes": ("running_since",),  # it is there all the time
}


# "Never" stays so.
_SHIFT = "{0} = IF({0} < '9000-01-01', {0} - INTERVAL :us MICROSECOND, {0})"


def elapse(engine: Engine, seconds: float) -> None:
    """Everything is as it would be after so many seconds in which nobody did anything; what
    ended in the last minutes is counted by ten seconds, and moves by as many of those."""
    with engine.begin() as connection:
        for table, columns in MOMENTS.items():
            shifts = ", ".join(_SHIFT.format(name) for name in columns)
            # In their order: some are part of a key, and none may meet one that stands still.
            statement = f"UPDATE {table} SET {shifts} ORDER BY {columns[0]}"
            connection.execute(text(statement), {"us": round(seconds * 1e6)})
        _elapse_in_counters(connection, timedelta(seconds=seconds // 10 * 10))


def _elapse_in_counters(connection: Connection, shift: timedelta) -> None:
    """The counters of the last minutes have their time in their names: what each has is added
    to an earlier one, and taken from it."""
    counts: Counter[str] = Counter()
    for name, value in connection.execute(text("SELECT name, value FROM counters")):
        counts[name] += value
    for deltas in connection.execute(text("SELECT deltas FROM counter_deltas")).scalars():
        for name, delta in orjson.loads(deltas).items():
            counts[name] += delta
    moved: Counter[str] = Counter()
    for name, value in counts.items():
        if name.startswith(ENDED) and value:
            _, queue, at, what = name.split("/")
            then = datetime.fromisoformat(f"{at}0") - shift
            moved[name] -= value
            moved[f"{ENDED}{queue}/{then.isoformat()[:-1]}/{what}"] += value
    if shift and moved:
        deltas = orjson.dumps(moved).decode()
        connection.execute(text("INSERT INTO counter_deltas (deltas) VALUES (:d)"), {"d": deltas})


def serve_all_along(engine: Engine) -> None:
    """An API process has been there for years, and goes on to be."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "REPLACE INTO processes (id, kind, version, running_since, last_seen_at) VALUES "
                "(REPEAT('0', 32), 'api', '0', UTC_TIMESTAMP(6) - INTERVAL 9 YEAR, "
                "UTC_TIMESTAMP(6) + INTERVAL 9 YEAR)"
            )
        )


def mysql_now(engine: Engine) -> datetime:
    """The platform's only clock."""
    with engine.connect() as connection:
        now = connection.exec_driver_sql("SELECT UTC_TIMESTAMP(6)").scalar_one()
    assert isinstance(now, datetime)
    return now


def is_between(since: datetime, found: datetime, until: datetime) -> bool:
    """Whether it happened then, by a clock that processes carry on between looks at MySQL's."""
    return since - CLOCK_SLACK <= found <= until + CLOCK_SLACK


def moment(text: str) -> datetime:
    """A time from a document or a query, as MySQL has it."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


def elapse_in_redis(connection: redis.Redis, seconds: float, prefix: str = "rowlock:") -> None:
    """Every key of the platform is as it would be after so many quiet seconds."""
    # While keys go, a scan may come by some of the others twice.
    for key in set(connection.scan_iter(f"{prefix}*")):
        left_ms = connection.pttl(key)
        if left_ms > seconds * 1000:
            connection.pexpire(key, left_ms - round(seconds * 1000))
        elif left_ms >= 0:
            connection.delete(key)
    elapse_in_book(connection, seconds, prefix)
