"""Counters of tasks, kept as they move; and indexes that have the order of lists."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from alembic import op

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
Moment = mysql.DATETIME(fsp=6)


def upgrade() -> None:
    _make_counters()
    if "due_day" not in _columns("tasks"):
        day = sa.Computed("CAST(due_date AS DATE)", persisted=True)
        op.add_column("tasks", sa.Column("due_day", mysql.DATE(), day))
    if "task_created_at" not in _columns("task_tags"):
        op.add_column("task_tags", sa.Column("task_created_at", Moment))
    _tell_tags_when_their_tasks_were_created()
    op.alter_column("task_tags", "task_created_at", existing_type=Moment, nullable=False)
    _index(
        "tasks", "ix_tasks_list", ["status", "queue", "priority", "created_at", "id", "due_date"]
    )
    _index("tasks", "ix_tasks_due", ["due_day", "created_at"])
    _index("task_tags", "ix_task_tags_tag", ["tag_id", "task_created_at", "task_id"])
    _index("tasks", "ix_tasks_status", None)
    _index("tasks", "ix_tasks_completed", None)
    _index("task_attempts", "ix_task_attempts_finished", None)


def downgrade() -> None:
    _index("task_attempts", "ix_task_attempts_finished", ["finished_at"])
    _index("tasks", "ix_tasks_completed", ["completed_at"])
    _index("tasks", "ix_tasks_status", ["status", "id"])
    _index("task_tags", "ix_task_tags_tag", ["tag_id", "task_id"])
    _index("tasks", "ix_tasks_due", ["due_date"])
    _index("tasks", "ix_tasks_list", None)
    if "task_created_at" in _columns("task_tags"):
        op.drop_column("task_tags", "task_created_at")
    if "due_day" in _columns("tasks"):
        op.drop_column("tasks", "due_day")
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


def _columns(table: str) -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}


def _index(table: str, name: str, columns: list[str] | None) -> None:
    """See to it that the index is on these columns; None: that there is none. In one statement,
    as a foreign key may need it at every moment."""
    found = {
        index["name"]: index["column_names"]
        for index in sa.inspect(op.get_bind()).get_indexes(table)
    }
    if found.get(name) == columns:
        return
    changes = [f"DROP INDEX {name}"] if name in found else []
    if columns is not None:
        changes.append(f"ADD INDEX {name} ({', '.join(columns)})")
    op.execute(f"ALTER TABLE {table} {', '.join(changes)}")
