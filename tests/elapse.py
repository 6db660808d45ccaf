"""Time passes: not by waiting, but by moving what has happened into the past."""

from datetime import datetime

from sqlalchemy import Engine, text

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


def moment(text: str) -> datetime:
    """A time from a document, as MySQL has it."""
    return datetime.fromisoformat(text).replace(tzinfo=None)
