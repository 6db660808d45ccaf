"""Tasks, their tags and attempts, and the keys they were submitted with."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    text,
)
from sqlalchemy.dialects.mysql import CHAR, DATE, ENUM, MEDIUMTEXT, SMALLINT, TEXT, TINYINT, VARCHAR
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.states import Priority, Status
from app.mysql.schema.columns import CHARSET, Key, Model, Moment, Name, QueueName, Token


def _names(*members: str) -> ENUM:
    return ENUM(*map(str, members))


class Task(Model):
    """A task, with its present attempt. Ended attempts but the successful one are in
    `task_attempts`."""

    __tablename__ = "tasks"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    title: Mapped[str] = mapped_column(VARCHAR(255))
    description: Mapped[str | None] = mapped_column(TEXT)
    status: Mapped[str] = mapped_column(_names(*Status))
    priority: Mapped[str] = mapped_column(_names(*Priority))
    queue: Mapped[str] = mapped_column(QueueName)
    # A JSON array of the names in task_tags, sorted, NULL for none. Tag names never change,
    # so this copy cannot go stale, and no read or transition has to join for it.
    tag_names: Mapped[str | None] = mapped_column(TEXT)
    due_date: Mapped[datetime | None] = mapped_column(Moment)
    # Stored: MySQL skips from day to day on no other column that is made of one.
    due_day: Mapped[date | None] = mapped_column(
        DATE, Computed("CAST(due_date AS DATE)", persisted=True)
    )
    timeout_seconds: Mapped[int] = mapped_column(Integer)
    retry_limit: Mapped[int] = mapped_column(SmallInteger)
    retry_delay_seconds: Mapped[int] = mapped_column(Integer)
    retry_backoff: Mapped[str] = mapped_column(Name)
    current_retry_count: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    completed_at: Mapped[datetime | None] = mapped_column(Moment)
    available_at: Mapped[datetime | None] = mapped_column(Moment)
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    # JSON texts, kept to the letter: a JSON column would turn large integers into doubles.
    payload: Mapped[str | None] = mapped_column(MEDIUMTEXT)
    result: Mapped[str | None] = mapped_column(MEDIUMTEXT)
    error: Mapped[str | None] = mapped_column(TEXT)

    # 0 高, 1 中, 2 低 while the task may be claimed now, NULL otherwise.
    claim_rank: Mapped[int | None] = mapped_column(TINYINT(unsigned=True))
    # When the sweep has to look at the task: a wait's end, a deadline, a lease's expiry.
    sweep_at: Mapped[datetime | None] = mapped_column(Moment)
    # Counts claims, never goes back, and so fences attempts from each other.
    attempt: Mapped[int] = mapped_column(Integer)
    lease_token: Mapped[str | None] = mapped_column(Token)
    lease_seconds: Mapped[int | None] = mapped_column(Integer)
    worker: Mapped[str | None] = mapped_column(VARCHAR(255))
    deadline_at: Mapped[datetime | None] = mapped_column(Moment)
    claimed_from: Mapped[str | None] = mapped_column(Name)
    # Where it stands in its rank: by when it was created, or by turns (`domain.turns`).
    turn_at: Mapped[datetime] = mapped_column(Moment, server_default=text("CURRENT_TIMESTAMP(6)"))
    # W3C Trace Context, "traceparent".
    traceparent: Mapped[str | None] = mapped_column(
        CHAR(55, charset="ascii", collation="ascii_bin")
    )
    # A JSON text: which occurrence of which schedule submitted it; NULL for a client.
    origin: Mapped[str | None] = mapped_column(
        VARCHAR(255, charset="utf8mb4", collation="utf8mb4_bin")
    )
    # Bits: 1, 2, 1024, 4096, 8192 of dependencies (`domain.dependency`), 128 and 256: it holds its
    # unique key, while it waits or until it has ended (`domain.unique`); 4 and 16: it needs a slot
    # of its group, or of its queue, 8 and 32: it has it, 64 and 2048: and
    # its attempt does not count in the rate yet (`domain.slots`); 16384: its
    # queue goes by turns (`domain.turns`).
    flags: Mapped[int] = mapped_column(SMALLINT(unsigned=True), server_default=text("0"))
    unique_key: Mapped[str | None] = mapped_column(Key)
    # Whose it is, for limits.
    group_key: Mapped[str | None] = mapped_column(Key)
    # Nothing writes these yet: to add columns to a large table later takes two versions.
    error_kind: Mapped[str | None] = mapped_column(
        VARCHAR(64, charset="utf8mb4", collation="utf8mb4_bin")
    )
    error_fingerprint: Mapped[str | None] = mapped_column(
        CHAR(16, charset="ascii", collation="ascii_bin")
    )
    # The lease that completed the task, so that completing twice is answered alike twice.
    finish_token: Mapped[str | None] = mapped_column(Token)
    # So that lists need not read them: LENGTH() reads all of a text. NULL: stored before 0006.
    payload_bytes: Mapped[int | None] = mapped_column(Integer)
    result_bytes: Mapped[int | None] = mapped_column(Integer)

    __table_args__ = (
        Index("ix_tasks_claim", "queue", "claim_rank", "turn_at", "id"),
        Index("ix_tasks_sweep", "status", "sweep_at"),
        # Lists (`app.queue.lists.listing`): what they are looked up by, then their order.
        Index("ix_tasks_list", "status", "queue", "priority", "created_at", "id", "due_date"),
        Index("ix_tasks_created", "created_at"),
        Index("ix_tasks_due", "due_day", "created_at"),
        CheckConstraint(
            "(status = 'in_progress') = (deadline_at IS NOT NULL)", name="deadline_in_progress"
        ),
        CheckConstraint(
            "(status = 'in_progress') = (lease_token IS NOT NULL)", name="lease_in_progress"
        ),
        CheckConstraint(
            "(status = 'in_progress') = (claimed_from IS NOT NULL)", name="source_in_progress"
        ),
        CheckConstraint("lease_seconds IS NULL OR status = 'in_progress'", name="lease_seconds"),
        CheckConstraint("(status = 'done') = (completed_at IS NOT NULL)", name="completed_done"),
        CheckConstraint("(status = 'done') = (finish_token IS NOT NULL)", name="finished_done"),
        CheckConstraint(
            "claim_rank IS NULL OR (status IN ('to_do', 'retrying')"
            " AND claim_rank = FIELD(priority, '高', '中', '低') - 1)",
            name="rank_waiting",
        ),
        # A task that waits is either claimable now or known to the sweep: none is forgotten.
        CheckConstraint(
            "status NOT IN ('to_do', 'retrying') OR (claim_rank IS NULL) = (sweep_at IS NOT NULL)",
            name="waiting_is_seen",
        ),
        CheckConstraint(
            "(sweep_at IS NULL OR status IN ('to_do', 'retrying', 'in_progress'))"
            " AND (sweep_at IS NOT NULL OR status <> 'in_progress')",
            name="sweep_has_cause",
        ),
        CheckConstraint(
            "current_retry_count BETWEEN 0 AND retry_limit", name="retries_within_limit"
        ),
        CHARSET,
    )


class Tag(Model):
    """A tag. Rows are only ever added: tasks are tied to them by foreign key, and a changed
    row would make every insert of such a task wait."""

    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(VARCHAR(64, charset="utf8mb4", collation="utf8mb4_bin"))

    __table_args__: Any = (Index("ux_tags_name", "name", unique=True), CHARSET)


class TaskTag(Model):
    __tablename__ = "task_tags"

    task_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True
    )
    tag_id: Mapped[int] = mapped_column(Integer, ForeignKey("tags.id"), primary_key=True)
    # The task's own, which never changes: lists of a tag are in its order.
    task_created_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__: Any = (
        Index("ix_task_tags_tag", "tag_id", "task_created_at", "task_id"),
        CHARSET,
    )


class TaskAttempt(Model):
    """An attempt that ended other than in success; a successful one costs no row here."""

    __tablename__ = "task_attempts"

    task_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True
    )
    attempt: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    worker: Mapped[str | None] = mapped_column(VARCHAR(255))
    started_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime] = mapped_column(Moment)
    outcome: Mapped[str] = mapped_column(Name)
    error: Mapped[str | None] = mapped_column(TEXT)
    lease_token: Mapped[str] = mapped_column(Token)

    __table_args__: Any = (Index("ix_task_attempts_lease", "task_id", "lease_token"), CHARSET)


class IdempotencyKey(Model):
    """One row for each task a keyed call made. The key is the primary key, in a table of its
    own: a secondary UNIQUE on `tasks` would deadlock under load. It goes with its task."""

    __tablename__ = "idempotency_keys"

    idempotency_key: Mapped[str] = mapped_column(
        VARCHAR(128, charset="ascii", collation="ascii_bin"), primary_key=True
    )
    item: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    body_hash: Mapped[str] = mapped_column(CHAR(64, charset="ascii", collation="ascii_bin"))
    task_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tasks.id", ondelete="CASCADE"))

    __table_args__: Any = (Index("ix_idempotency_keys_task", "task_id"), CHARSET)


class UniqueKey(Model):
    """A unique key that a task holds now, by the hash of its queue and itself. It is written and
    deleted with the task's row, and has no foreign key: each deletion of a task would pay it."""

    __tablename__ = "unique_keys"

    key_hash: Mapped[str] = mapped_column(
        CHAR(32, charset="ascii", collation="ascii_bin"), primary_key=True
    )
    task_id: Mapped[int] = mapped_column(BigInteger)

    __table_args__: Any = (CHARSET,)


class UniqueKeyLock(Model):
    """A row to lock for whoever takes a key that begins so (`queue.unique_keys`)."""

    __tablename__ = "unique_key_locks"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)

    __table_args__: Any = (CHARSET,)
