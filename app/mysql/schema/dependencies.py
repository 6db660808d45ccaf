"""Which task waits for which. No foreign keys: each deletion of a task would pay them, and each
new row lock its task out of order."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer
from sqlalchemy.dialects.mysql import TINYINT, VARCHAR
from sqlalchemy.orm import Mapped, mapped_column

from app.mysql.schema.columns import CHARSET, Model, Moment, Name


class TaskDependency(Model):
    """A task, the child, waits or has waited for another one, its parent."""

    __tablename__ = "task_dependencies"

    parent_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    child_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    # The parent's `ref` in the batch that they came in.
    name: Mapped[str | None] = mapped_column(
        VARCHAR(64, charset="utf8mb4", collation="utf8mb4_bin")
    )

    __table_args__: Any = (Index("ix_task_dependencies_child", "child_id"), CHARSET)


class TaskWait(Model):
    """A task that waits for others. At every commit `unmet` is the number of its parents that have
    not ended, but for those in `fanouts`."""

    __tablename__ = "task_waits"

    task_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    unmet: Mapped[int] = mapped_column(Integer)
    on_failure: Mapped[str] = mapped_column(Name)
    # A parent for which it is to be cancelled; 0: whether there is one is to be looked up.
    cause: Mapped[int | None] = mapped_column(BigInteger)
    look_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__: Any = (
        Index("ix_task_waits_look_at", "look_at"),
        # Who waits no longer, or in vain, is known to the sweep.
        CheckConstraint("(unmet > 0 AND cause IS NULL) = (look_at IS NULL)", name="is_seen"),
        CHARSET,
    )


class Fanout(Model):
    """A task on which so many depend that they are told of its end bit by bit."""

    __tablename__ = "fanouts"

    parent_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    # NULL: it is deleted, and there is nothing to tell.
    has_failed: Mapped[int | None] = mapped_column(TINYINT)
    after_child: Mapped[int] = mapped_column(BigInteger)

    __table_args__: Any = (CHARSET,)
