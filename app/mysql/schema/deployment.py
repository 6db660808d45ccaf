"""Who is there: this deployment, its processes, its workers."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer
from sqlalchemy.dialects.mysql import TEXT, VARCHAR
from sqlalchemy.orm import Mapped, mapped_column

from app.mysql.schema.columns import CHARSET, Model, Moment, Token


class SkipLockedProof(Model):
    """Some rows to lock, on which `serve` proves at its start that SKIP LOCKED skips."""

    __tablename__ = "skip_locked_proof"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)

    __table_args__: Any = (CHARSET,)


class Process(Model):
    """A process of this deployment, as it last said that it is there (`app.queue.processes`)."""

    __tablename__ = "processes"

    id: Mapped[str] = mapped_column(Token, primary_key=True)
    kind: Mapped[str] = mapped_column(VARCHAR(16, charset="ascii", collation="ascii_bin"))
    version: Mapped[str] = mapped_column(VARCHAR(32, charset="ascii", collation="ascii_bin"))
    # Since then it has said so without a gap.
    running_since: Mapped[datetime] = mapped_column(Moment)
    last_seen_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__: Any = (CHARSET,)


class Deployment(Model):
    """The one row that tells this deployment from another one on the same Redis."""

    __tablename__ = "deployment"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(VARCHAR(16, charset="utf8mb4", collation="utf8mb4_bin"))

    __table_args__: Any = (CHARSET,)


class Worker(Model):
    """A worker, as an API process last heard of it (`app.queue.workers`)."""

    __tablename__ = "workers"

    worker: Mapped[str] = mapped_column(
        VARCHAR(255, charset="utf8mb4", collation="utf8mb4_bin"), primary_key=True
    )
    # A JSON array of the queues it polls, sorted; NULL for a poll that names none.
    queues: Mapped[str | None] = mapped_column(TEXT)
    agent: Mapped[str | None] = mapped_column(
        VARCHAR(128, charset="utf8mb4", collation="utf8mb4_bin")
    )
    address: Mapped[str | None] = mapped_column(VARCHAR(45, charset="ascii", collation="ascii_bin"))
    first_seen_at: Mapped[datetime] = mapped_column(Moment)
    last_seen_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__: Any = (Index("ix_workers_last_seen", "last_seen_at"), CHARSET)
