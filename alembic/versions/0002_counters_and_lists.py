"""Counters of tasks, kept as they move; and indexes that have the order of lists."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from alembic import op
from app.mysql.ddl import COPY, IN_PLACE, INSTANT, alter, has_column, set_index

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

TABLE: dict[str, Any] = {
    "if_not_exists": True,
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_unicode_ci",
}
CHUNK = 20_000


def upgrade() -> None:
    _make_counters()
    if not has_column("tasks", "due_day"):
        # No server adds a stored column otherwise, and MySQL skips from day to day on no other.
        day = "due_day DATE GENERATED ALWAYS AS (CAST(due_date AS DATE)) STORED"
        alter("tasks", f"ADD COLUMN {day}", how=COPY)
    if not has_column("task_tags", "task_created_at"):
        alter("task_tags", "ADD COLUMN task_created_at DATETIME(6)", how=INSTANT)
    _tell_tags_when_their_tasks_were_created()
    alter("task_tags", "MODIFY COLUMN task_created_at DATETIME(6) NOT NULL", how=IN_PLACE)
    set_index(
        "tasks", "ix_tasks_list", ["status", "queue", "priority", "created_at", "id", "due_date"]
    )
    set_index("tasks", "ix_tasks_due", ["due_day", "created_at"])
    set_index("task_tags", "ix_task_tags_tag", ["tag_id", "task_created_at", "task_id"])
    set_index("tasks", "ix_tasks_status", None)
    set_index("tasks", "ix_tasks_completed", None)
    set_index("task_attempts", "ix_task_attempts_finished", None)


def downgrade() -> None:
    set_index("task_attempts", "ix_task_attempts_finished", ["finished_at"])
    set_index("tasks", "ix_tasks_completed", ["completed_at"])
    set_index("tasks", "ix_tasks_status", ["status", "id"])
    set_index("task_tags", "ix_task_tags_tag", ["tag_id", "task_id"])
    set_index("tasks", "ix_tasks_due", ["due_date"])
    set_index("tasks", "ix_tasks_list", None)
    if has_column("task_tags", "task_created_at"):
        alter("task_tags", "DROP COLUMN task_created_at", how=INSTANT)
    if has_column("tasks", "due_day"):
        alter("tasks", "DROP COLUMN due_day", how=IN_PLACE)
    op.drop_table("counters", if_exists=True)
    op.drop_table("counter_deltas", if_exists=True)


def _tell_tags_when_their_tasks_were_created() -> None:
    last = op.get_bind().execute(sa.text("SELECT COALESCE(MAX(id), 0) FROM tasks")).scalar_one()
    for begin in range(1, last + 1, CHUNK):
        # A commit each: one transaction of many millions of rows takes all day to undo.
        with op.get_context().autocommit_block():
            op.execute(
                "UPDATE task_tags JOIN tasks ON tasks.id = task_id "
                "SET task_created_at = created_at "
                f"WHERE task_id >= {begin} AND task_id < {begin + CHUNK} "
                "AND task_created_at IS NULL"
            )


def _make_counters() -> None:
    op.create_table(
        "counter_deltas",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("deltas", mysql.MEDIUMTEXT(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **TABLE,
    )
    op.create_table(
        "counters",
        sa.Column(
            "name",
            mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=160),
            nullable=False,
        ),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        **TABLE,
    )
    # From what there is; an interrupted migration that is run again counts anew.
    op.execute("DELETE FROM counters")
    op.execute(
        "INSERT INTO counters (name, value) "
        "SELECT CONCAT('queue/', queue, '/', status, '/', priority), COUNT(*) "
        "FROM tasks GROUP BY queue, status, priority"
    )
    op.execute(
        "INSERT INTO counters (name, value) SELECT CONCAT('tag/', name), COUNT(task_id) "
        "FROM tags LEFT JOIN task_tags ON tag_id = tags.id GROUP BY name"
    )
