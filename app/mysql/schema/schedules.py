"""Recurring schedules, and what came of each of their occurrences."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer
from sqlalchemy.dialects.mysql import MEDIUMTEXT, VARCHAR
from sqlalchemy.orm import Mapped, mapped_column

from app.mysql.schema.columns import CHARSET, Key, Model, Moment, Name


class Schedule(Model):
    """Submits a task at each of its occurrences (`app.queue.schedules`)."""

    __tablename__ = "schedules"

    name: Mapped[str] = mapped_column(Key, primary_key=True)
    cron: Mapped[str | None] = mapped_column(
        VARCHAR(255, charset="utf8mb4", collation="utf8mb4_bin")
    )
    interval_seconds: Mapped[int | None] = mapped_column(Integer)
    timezone: Mapped[str] = mapped_column(VARCHAR(64, charset="ascii", collation="ascii_bin"))
    # A JSON text (`app.domain.schedule.text_of`).
    task: Mapped[str] = mapped_column(MEDIUMTEXT)
    catch_up: Mapped[str] = mapped_column(Name)
    overlap: Mapped[str] = mapped_column(Name)
    jitter_seconds: Mapped[int] = mapped_column(Integer)
    starts_at: Mapped[datetime | None] = mapped_column(Moment)
    ends_at: Mapped[datetime | None] = mapped_column(Moment)
    paused_at: Mapped[datetime | None] = mapped_column(Moment)
    # Each occurrence up to here has been decided, each after it has not.
    considered_at: Mapped[datetime] = mapped_column(Moment)
    # The next one to decide; NULL while it is paused, and when none comes any more.
    next_at: Mapped[datetime | None] = mapped_column(Moment)
    last_task_id: Mapped[int | None] = mapped_column(BigInteger)
    queued_task_id: Mapped[int | None] = mapped_column(BigInteger)
    # From the first to the last occurrence whose run is not kept any more.
    forgotten_from: Mapped[datetime | None] = mapped_column(Moment)
    forgotten_until: Mapped[datetime | None] = mapped_column(Moment)
    revision: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__: Any = (
        Index("ix_schedules_next", "next_at"),
        CheckConstraint("(cron IS NULL) <> (interval_seconds IS NULL)", name="one_rhythm"),
        CheckConstraint("paused_at IS NULL OR next_at IS NULL", name="paused_waits"),
        CHARSET,
    )


class ScheduleRun(Model):
    """What came of one occurrence, written with the task that it submitted."""

    __tablename__ = "schedule_runs"

    schedule: Mapped[str] = mapped_column(Key, primary_key=True)
    occurrence_at: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    kind: Mapped[str] = mapped_column(Name)
    outcome: Mapped[str] = mapped_column(Name)
    # How many occurrences a row of `skipped_late` stands for, 0 for the others.
    skipped: Mapped[int] = mapped_column(Integer)
    task_id: Mapped[int | None] = mapped_column(BigInteger)
    fired_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__: Any = (Index("ix_schedule_runs_fired", "schedule", "fired_at"), CHARSET)
