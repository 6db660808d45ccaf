"""Limits: groups of tasks, and who waits for their slots."""

from alembic import op
from app.mysql.ddl import INSTANT, alter, has_column, set_index

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | None = None
depends_on: str | None = None

ASCII = "CHARACTER SET ascii COLLATE ascii_bin"
TABLES = {
    "task_groups": f"""
        id CHAR(32) {ASCII} NOT NULL,
        queue VARCHAR(64) {ASCII} NOT NULL,
        group_key VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        held INT NOT NULL DEFAULT 0,
        waiting INT NOT NULL DEFAULT 0,
        running INT NULL,
        unclaimed VARCHAR(4096) {ASCII} NOT NULL DEFAULT '',
        is_full TINYINT NOT NULL DEFAULT 0,
        look_at DATETIME(6) NULL,
        unpaid INT NOT NULL DEFAULT 0,
        paid_until DATETIME(6) NULL,
        weight SMALLINT UNSIGNED NULL,
        turn_0 DATETIME(6) NULL,
        turn_1 DATETIME(6) NULL,
        turn_2 DATETIME(6) NULL,
        PRIMARY KEY (id),
        KEY ix_task_groups_queue (queue, group_key),
        KEY ix_task_groups_look_at (look_at),
        CONSTRAINT ck_task_groups_is_seen
            CHECK (waiting = 0 OR is_full = 1 OR look_at IS NOT NULL)""",
    "group_waits": f"""
        task_id BIGINT NOT NULL,
        group_id CHAR(32) {ASCII} NOT NULL,
        claim_rank TINYINT UNSIGNED NOT NULL,
        turn_at DATETIME(6) NOT NULL,
        PRIMARY KEY (task_id),
        KEY ix_group_waits_turn (group_id, claim_rank, turn_at, task_id)""",
}
OPTIONS = "ENGINE=InnoDB CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci"


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) {OPTIONS}")
    if not has_column("queue_settings", "adopts_from"):
        alter("queue_settings", "ADD COLUMN adopts_from DATETIME(6) NULL", how=INSTANT)
    set_index("queue_settings", "ix_queue_settings_adopts_from", ["adopts_from"])


def downgrade() -> None:
    set_index("queue_settings", "ix_queue_settings_adopts_from", None)
    if has_column("queue_settings", "adopts_from"):
        alter("queue_settings", "DROP COLUMN adopts_from", how=INSTANT)
    for table in TABLES:
        op.drop_table(table, if_exists=True)
