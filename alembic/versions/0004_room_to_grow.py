"""Columns of what comes next, the claim's own order, and names that may grow."""

import sqlalchemy as sa

from alembic import op
from app.mysql.ddl import COPY, INSTANT, alter, column_type, has_column, indexes, set_index

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None

ASCII = "CHARACTER SET ascii COLLATE ascii_bin"
BINARY = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
COLUMNS = {
    "tasks": {
        "flags": "SMALLINT UNSIGNED NOT NULL DEFAULT 0",
        "group_key": f"VARCHAR(128) {BINARY}",
        "unique_key": f"VARCHAR(128) {BINARY}",
        "origin": f"VARCHAR(255) {BINARY}",
        "error_kind": f"VARCHAR(64) {BINARY}",
        "error_fingerprint": f"CHAR(16) {ASCII}",
        "traceparent": f"CHAR(55) {ASCII}",
        # A version that does not know it leaves it to MySQL, and that is when the task comes.
        "turn_at": "DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)",
    },
    "counter_deltas": {
        "at": "DATETIME(6)",
        "events": "MEDIUMTEXT",
        "event_count": "INT NOT NULL DEFAULT 0",
    },
}
NAME = f"VARCHAR(16) {ASCII}"
CLAIM = ["queue", "claim_rank", "turn_at", "id"]
CHUNK = 1000


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        missing = [
            f"ADD COLUMN {c} {kind}" for c, kind in columns.items() if not has_column(table, c)
        ]
        if missing:
            alter(table, *missing, how=INSTANT)
    if indexes("tasks")["ix_tasks_claim"] != CLAIM:
        # Those that have ended have the time of this migration, and go by their ids.
        _in_chunks(
            "turn_at = created_at",
            where="turn_at <> created_at AND status NOT IN ('done', 'failed', 'cancelled')",
        )
        set_index("tasks", "ix_tasks_claim", CLAIM)
    # No server makes a name of an ENUM without copying the table, and MySQL does not even make
    # this table's longer. Names can grow by themselves, so there is no CHECK that lists them: to
    # change one copies the table too.
    _make("tasks", retry_backoff=f"{NAME} NOT NULL", claimed_from=NAME)
    _make("task_attempts", outcome=f"{NAME} NOT NULL")


def downgrade() -> None:
    _in_chunks("retry_backoff = 'exponential'", where="retry_backoff = 'linear'")
    outcomes = "'failed', 'timed_out', 'lost', 'released', 'cancelled'"
    _make("task_attempts", outcome=f"ENUM({outcomes}) NOT NULL")
    _make(
        "tasks",
        retry_backoff="ENUM('exponential', 'fixed') NOT NULL",
        claimed_from="ENUM('to_do', 'retrying')",
    )
    set_index("tasks", "ix_tasks_claim", ["queue", "claim_rank", "created_at", "id"])
    for table, columns in COLUMNS.items():
        there = [f"DROP COLUMN {column}" for column in columns if has_column(table, column)]
        if there:
            alter(table, *there, how=INSTANT)


def _make(table: str, **columns: str) -> None:
    """Give columns these types, in one copy of the table."""
    changes = [
        f"MODIFY COLUMN {column} {kind}"
        for column, kind in columns.items()
        if column_type(table, column) != kind.split("(")[0]
    ]
    if changes:
        alter(table, *changes, how=COPY)


def _in_chunks(assignment: str, *, where: str) -> None:
    """A commit each, and by key: nobody waits long for a row, and little has to be undone."""
    look = sa.text(f"SELECT id FROM tasks WHERE id > :last AND {where} ORDER BY id LIMIT {CHUNK}")
    last = 0
    while ids := list(op.get_bind().execute(look, {"last": last}).scalars()):
        with op.get_context().autocommit_block():
            keys = ", ".join(map(str, ids))
            op.execute(f"UPDATE tasks SET {assignment} WHERE id IN ({keys}) AND {where}")
        last = ids[-1]
