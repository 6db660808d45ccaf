"""Dependencies of tasks, and how those stand that wait."""

from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | None = None
depends_on: str | None = None

TABLES = {
    "task_dependencies": """
        parent_id BIGINT NOT NULL,
        child_id BIGINT NOT NULL,
        name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
        PRIMARY KEY (parent_id, child_id),
        KEY ix_task_dependencies_child (child_id)""",
    "task_waits": """
        task_id BIGINT NOT NULL,
        unmet INT NOT NULL,
        on_failure VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        cause BIGINT NULL,
        look_at DATETIME(6) NULL,
        PRIMARY KEY (task_id),
        KEY ix_task_waits_look_at (look_at),
        CONSTRAINT ck_task_waits_is_seen
            CHECK ((unmet > 0 AND cause IS NULL) = (look_at IS NULL))""",
    "fanouts": """
        parent_id BIGINT NOT NULL,
        has_failed TINYINT NULL,
        after_child BIGINT NOT NULL,
        PRIMARY KEY (parent_id)""",
}
OPTIONS = "ENGINE=InnoDB CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci"


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) {OPTIONS}")


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table, if_exists=True)
