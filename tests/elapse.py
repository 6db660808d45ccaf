"""Time passes: not by waiting, but by moving what has happened into the past."""

import time
from datetime import datetime, timedelta

import redis
from sqlalchemy import Engine, text

CLOCK_SLACK = timedelta(seconds=0.5)
MOMENTS = (
    "created_at",
    "updated_at",
    "completed_at",
    "available_at",
    "started_at",
    "deadline_at",
    "sweep_at",
)


def elapse(engine: Engine, seconds: float) -> None:
    """Every task is as it would be after so many seconds in which nobody did anything."""
    shifts = ", ".join(f"{column} = {column} - INTERVAL :us MICROSECOND" for column in MOMENTS)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE tasks SET {shifts}"), {"us": round(seconds * 1e6)})


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
    """A time from a document, as MySQL has it."""
    return datetime.fromisoformat(text).replace(tzinfo=None)


def elapse_in_redis(connection: redis.Redis, seconds: float, prefix: str = "rowlock:") -> None:
    """Every key of the platform is as it would be after so many quiet seconds."""
    for key in connection.scan_iter(f"{prefix}*"):
        left_ms = connection.pttl(key)
        if left_ms > seconds * 1000:
            connection.pexpire(key, left_ms - round(seconds * 1000))
        elif left_ms >= 0:
            connection.delete(key)
    memory = connection.get(f"{prefix}memory")
    if memory is not None:
        assert isinstance(memory, bytes)
        run_id, since = memory.decode().split()
        connection.set(f"{prefix}memory", f"{run_id} {float(since) - seconds}")


def remember_for(connection: redis.Redis, seconds: float, prefix: str = "rowlock:") -> None:
    """Redis is as it would be had the platform used it for so long already."""
    run_id = connection.info("server")["run_id"]
    connection.set(f"{prefix}memory", f"{run_id} {time.time() - seconds}")
