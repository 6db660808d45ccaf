"""The unique keys that tasks hold."""

from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None

TABLES = {
    "unique_keys": """
        key_hash CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        task_id BIGINT NOT NULL,
        PRIMARY KEY (key_hash)""",
    "unique_key_locks": """
        id INT NOT NULL,
        PRIMARY KEY (id)""",
}
OPTIONS = "ENGINE=InnoDB CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci"


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) {OPTIONS}")
    # One for each first two digits of a hash.
    rows = ", ".join(f"({number})" for number in range(256))
    op.execute(f"INSERT IGNORE INTO unique_key_locks (id) VALUES {rows}")


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table, if_exists=True)
