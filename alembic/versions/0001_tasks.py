"""The tables: tasks, their tags, attempts and keys, and paused queues."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from alembic import op
from app.mysql.ddl import set_index

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

# utf8mb4 whatever the server's default. DDL does not roll back: a migration that was
# interrupted leaves tables behind, and is simply run again.
TABLE: dict[str, Any] = {
    "if_not_exists": True,
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_unicode_ci",
}


def upgrade() -> None:
    op.create_table(
        "paused_queues",
        sa.Column(
            "queue",
            mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=64),
            nullable=False,
        ),
        sa.Column("paused_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.PrimaryKeyConstraint("queue"),
        **TABLE,
    )
    op.create_table(
        "tags",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column(
            "name",
            mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=64),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name="ux_tags_name"),
        **TABLE,
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("title", mysql.VARCHAR(length=255), nullable=False),
        sa.Column("description", mysql.TEXT()),
        sa.Column(
            "status",
            mysql.ENUM("to_do", "in_progress", "done", "paused", "retrying", "failed", "cancelled"),
            nullable=False,
        ),
        sa.Column("priority", mysql.ENUM("高", "中", "低"), nullable=False),
        sa.Column(
            "queue",
            mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=64),
            nullable=False,
        ),
        sa.Column("tag_names", mysql.TEXT()),
        sa.Column("due_date", mysql.DATETIME(fsp=6)),
        sa.Column("timeout_seconds", sa.Integer(), nullable=False),
        sa.Column("retry_limit", sa.SmallInteger(), nullable=False),
        sa.Column("retry_delay_seconds", sa.Integer(), nullable=False),
        sa.Column("retry_backoff", mysql.ENUM("exponential", "fixed"), nullable=False),
        sa.Column("current_retry_count", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("updated_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("completed_at", mysql.DATETIME(fsp=6)),
        sa.Column("available_at", mysql.DATETIME(fsp=6)),
        sa.Column("started_at", mysql.DATETIME(fsp=6)),
        sa.Column("payload", mysql.MEDIUMTEXT()),
        sa.Column("result", mysql.MEDIUMTEXT()),
        sa.Column("error", mysql.TEXT()),
        sa.Column("claim_rank", mysql.TINYINT(unsigned=True)),
        sa.Column("sweep_at", mysql.DATETIME(fsp=6)),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_token", mysql.CHAR(charset="ascii", collation="ascii_bin", length=32)),
        sa.Column("lease_seconds", sa.Integer()),
        sa.Column("worker", mysql.VARCHAR(length=255)),
        sa.Column("deadline_at", mysql.DATETIME(fsp=6)),
        sa.Column("claimed_from", mysql.ENUM("to_do", "retrying")),
        sa.Column("finish_token", mysql.CHAR(charset="ascii", collation="ascii_bin", length=32)),
        sa.CheckConstraint("(status = 'done') = (completed_at IS NOT NULL)", name="completed_done"),
        sa.CheckConstraint("(status = 'done') = (finish_token IS NOT NULL)", name="finished_done"),
        sa.CheckConstraint(
            "(status = 'in_progress') = (claimed_from IS NOT NULL)",
            name="source_in_progress",
        ),
        sa.CheckConstraint(
            "(status = 'in_progress') = (deadline_at IS NOT NULL)",
            name="deadline_in_progress",
        ),
        sa.CheckConstraint(
            "(status = 'in_progress') = (lease_token IS NOT NULL)",
            name="lease_in_progress",
        ),
        sa.CheckConstraint(
            "(sweep_at IS NULL OR status IN ('to_do', 'retrying', 'in_progress'))"
            " AND (sweep_at IS NOT NULL OR status <> 'in_progress')",
            name="sweep_has_cause",
        ),
        sa.CheckConstraint(
            "claim_rank IS NULL OR (status IN ('to_do', 'retrying')"
            " AND claim_rank = FIELD(priority, '高', '中', '低') - 1)",
            name="rank_waiting",
        ),
        sa.CheckConstraint("lease_seconds IS NULL OR status = 'in_progress'", name="lease_seconds"),
        sa.CheckConstraint(
            "status NOT IN ('to_do', 'retrying') OR (claim_rank IS NULL) = (sweep_at IS NOT NULL)",
            name="waiting_is_seen",
        ),
        sa.CheckConstraint(
            "current_retry_count BETWEEN 0 AND retry_limit", name="retries_within_limit"
        ),
        sa.PrimaryKeyConstraint("id"),
        **TABLE,
    )
    set_index("tasks", "ix_tasks_claim", ["queue", "claim_rank", "created_at", "id"])
    set_index("tasks", "ix_tasks_completed", ["completed_at"])
    set_index("tasks", "ix_tasks_created", ["created_at"])
    set_index("tasks", "ix_tasks_due", ["due_date"])
    set_index("tasks", "ix_tasks_status", ["status", "id"])
    set_index("tasks", "ix_tasks_sweep", ["status", "sweep_at"])
    op.create_table(
        "idempotency_keys",
        sa.Column(
            "idempotency_key",
            mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=128),
            nullable=False,
        ),
        sa.Column("item", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "body_hash",
            mysql.CHAR(charset="ascii", collation="ascii_bin", length=64),
            nullable=False,
        ),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name="fk_idempotency_keys_task_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("idempotency_key", "item"),
        **TABLE,
    )
    set_index("idempotency_keys", "ix_idempotency_keys_task", ["task_id"])
    op.create_table(
        "task_attempts",
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("worker", mysql.VARCHAR(length=255)),
        sa.Column("started_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("finished_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column(
            "outcome",
            mysql.ENUM("failed", "timed_out", "lost", "released", "cancelled"),
            nullable=False,
        ),
        sa.Column("error", mysql.TEXT()),
        sa.Column(
            "lease_token",
            mysql.CHAR(charset="ascii", collation="ascii_bin", length=32),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name="fk_task_attempts_task_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "attempt"),
        **TABLE,
    )
    set_index("task_attempts", "ix_task_attempts_finished", ["finished_at"])
    op.create_table(
        "task_tags",
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name="fk_task_tags_tag_id"),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name="fk_task_tags_task_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "tag_id"),
        **TABLE,
    )
    set_index("task_tags", "ix_task_tags_tag", ["tag_id", "task_id"])
    op.create_table(
        "sweep_reports",
        sa.Column(
            "sweep",
            mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=32),
            nullable=False,
        ),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.Column("moved", sa.BigInteger(), nullable=False),
        sa.Column("last_run_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.PrimaryKeyConstraint("sweep"),
        **TABLE,
    )
    # What `serve` and `doctor` prove on it is that two connections lock different rows of it.
    op.create_table(
        "skip_locked_proof",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **TABLE,
    )
    rows = ", ".join(f"({number})" for number in range(1, 33))
    op.execute(f"INSERT IGNORE INTO skip_locked_proof (id) VALUES {rows}")


def downgrade() -> None:
    for table in (
        "skip_locked_proof",
        "sweep_reports",
        "task_tags",
        "task_attempts",
        "idempotency_keys",
        "tasks",
        "tags",
        "paused_queues",
    ):
        op.drop_table(table, if_exists=True)
