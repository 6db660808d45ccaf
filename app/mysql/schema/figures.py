"""Counters, history, and what the sweeps have done."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, text
from sqlalchemy.dialects.mysql import MEDIUMTEXT, VARCHAR
from sqlalchemy.orm import Mapped, mapped_column

from app.mysql.schema.columns import CHARSET, Model, Moment, QueueName


class SweepReport(Model):
    """What the schedulers have done so far, all together; they have no HTTP to be asked by."""

    __tablename__ = "sweep_reports"

    sweep: Mapped[str] = mapped_column(
        VARCHAR(32, charset="ascii", collation="ascii_bin"), primary_key=True
    )
    runs: Mapped[int] = mapped_column(BigInteger)
    moved: Mapped[int] = mapped_column(BigInteger)
    last_run_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__: Any = (CHARSET,)


class CounterValue(Model):
    """A counter as of the last fold (`app.queue.figures.counters`)."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(
        VARCHAR(160, charset="utf8mb4", collation="utf8mb4_bin"), primary_key=True
    )
    value: Mapped[int] = mapped_column(BigInteger)

    __table_args__: Any = (CHARSET,)


class CounterDelta(Model):
    """What one transaction adds to counters, a JSON object by name. Nobody updates a row, so
    that nobody waits for one."""

    __tablename__ = "counter_deltas"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    deltas: Mapped[str] = mapped_column(MEDIUMTEXT)
    at: Mapped[datetime | None] = mapped_column(Moment)
    events: Mapped[str | None] = mapped_column(MEDIUMTEXT)
    event_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    history: Mapped[str | None] = mapped_column(MEDIUMTEXT)

    __table_args__: Any = (CHARSET,)


class History(Model):
    """A minute or an hour of a queue, or of all (`app.queue.figures.history`): a JSON object of
    its counts. There may be several rows of one, which add up."""

    __tablename__ = "history"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    queue: Mapped[str] = mapped_column(QueueName)
    seconds: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(Moment)
    figures: Mapped[str] = mapped_column(MEDIUMTEXT)

    __table_args__: Any = (
        Index("ix_history_queue", "queue", "seconds", "at"),
        Index("ix_history_at", "seconds", "at"),
        CHARSET,
    )
