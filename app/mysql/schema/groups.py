"""How many tasks of a queue and of its groups may run, and who waits for that. No foreign keys:
each deletion of a task would pay them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, text
from sqlalchemy.dialects.mysql import SMALLINT, TINYINT, VARCHAR
from sqlalchemy.orm import Mapped, mapped_column

from app.mysql.schema.columns import CHARSET, Key, Model, Moment, QueueName, Token


class TaskGroup(Model):
    """Tasks of a queue that share a number of slots; with an empty key, all of the queue."""

    __tablename__ = "task_groups"

    # Of the queue and the key: a hash, so that a list of them is a range on every server.
    id: Mapped[str] = mapped_column(Token, primary_key=True)
    queue: Mapped[str] = mapped_column(QueueName)
    group_key: Mapped[str] = mapped_column(Key)
    # Tasks that have a slot, and those that wait for one.
    held: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    waiting: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    # In place of the queue's limit for each group.
    running: Mapped[int | None] = mapped_column(Integer)
    # Ids of tasks of lower priorities that may have a slot and not be claimed yet.
    unclaimed: Mapped[str] = mapped_column(
        VARCHAR(4096, charset="ascii", collation="ascii_bin"), server_default=text("''")
    )
    is_full: Mapped[int] = mapped_column(TINYINT, server_default=text("0"))
    look_at: Mapped[datetime | None] = mapped_column(Moment)
    # Of a rate: slots whose attempts do not count in it yet, and until when the others are paid
    # for.
    unpaid: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    paid_until: Mapped[datetime | None] = mapped_column(Moment)
    # Of a queue that goes by turns: its share, 1 if nothing else is said, and where its next turn
    # may begin, by rank.
    weight: Mapped[int | None] = mapped_column(SMALLINT(unsigned=True))
    turn_0: Mapped[datetime | None] = mapped_column(Moment)
    turn_1: Mapped[datetime | None] = mapped_column(Moment)
    turn_2: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__: Any = (
        Index("ix_task_groups_queue", "queue", "group_key"),
        Index("ix_task_groups_look_at", "look_at"),
        # Who waits though there is room is known to the sweep.
        CheckConstraint("waiting = 0 OR is_full = 1 OR look_at IS NOT NULL", name="is_seen"),
        CHARSET,
    )


class GroupWait(Model):
    """A task that waits for a slot."""

    __tablename__ = "group_waits"

    task_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    group_id: Mapped[str] = mapped_column(Token)
    claim_rank: Mapped[int] = mapped_column(TINYINT(unsigned=True))
    turn_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__: Any = (
        Index("ix_group_waits_turn", "group_id", "claim_rank", "turn_at", "task_id"),
        CHARSET,
    )
