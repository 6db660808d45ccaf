"""How each queue went, by minutes and hours."""

from alembic import op
from app.mysql.ddl import INSTANT, alter, has_column

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None

# With its indexes in the same statement: one that was interrupted is run again.
HISTORY = """
    CREATE TABLE IF NOT EXISTS history (
        id BIGINT NOT NULL AUTO_INCREMENT,
        queue VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        seconds INT NOT NULL,
        at DATETIME(6) NOT NULL,
        figures MEDIUMTEXT NOT NULL,
        PRIMARY KEY (id),
        KEY ix_history_queue (queue, seconds, at),
        KEY ix_history_at (seconds, at)
    ) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci"""


def upgrade() -> None:
    op.execute(HISTORY)
    if not has_column("counter_deltas", "history"):
        alter("counter_deltas", "ADD COLUMN history MEDIUMTEXT", how=INSTANT)


def downgrade() -> None:
    if has_column("counter_deltas", "history"):
        alter("counter_deltas", "DROP COLUMN history", how=INSTANT)
    op.drop_table("history", if_exists=True)
