"""Counters of tasks, kept as they move, in place of indexes to count by."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

NO_SUCH_INDEX = 1091

TABLE: dict[str, Any] = {
    "if_not_exists": True,
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_unicode_ci",
}


def upgrade() -> None:
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
        "INSERT INTO counters (name, value) SELECT CONCAT('tag/', name), COUNT(*) "
        "FROM task_tags JOIN tags ON tags.id = tag_id GROUP BY name"
    )
    _drop_index("ix_tasks_completed", "tasks")
    _drop_index("ix_task_attempts_finished", "task_attempts")


def downgrade() -> None:
    op.create_index("ix_task_attempts_finished", "task_attempts", ["finished_at"])
    op.create_index("ix_tasks_completed", "tasks", ["completed_at"])
    op.drop_table("counters", if_exists=True)
    op.drop_table("counter_deltas", if_exists=True)


def _drop_index(name: str, table: str) -> None:
    try:
        op.drop_index(name, table)
    except sa.exc.OperationalError as error:
        # An interrupted run has dropped it already.
        if error.orig is None or error.orig.args[0] != NO_SUCH_INDEX:
            raise
