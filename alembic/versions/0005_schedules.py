"""Recurring schedules, the workers that were heard of, and settings of queues."""

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None

ASCII = "CHARACTER SET ascii COLLATE ascii_bin"
BINARY = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
# With their indexes in the same statement: one that was interrupted is run again.
TABLES = {
    "schedules": f"""
        name VARCHAR(128) {BINARY} NOT NULL,
        cron VARCHAR(255) {BINARY},
        interval_seconds INT,
        timezone VARCHAR(64) {ASCII} NOT NULL,
        task MEDIUMTEXT NOT NULL,
        catch_up VARCHAR(16) {ASCII} NOT NULL,
        overlap VARCHAR(16) {ASCII} NOT NULL,
        jitter_seconds INT NOT NULL,
        starts_at DATETIME(6),
        ends_at DATETIME(6),
        paused_at DATETIME(6),
        considered_at DATETIME(6) NOT NULL,
        next_at DATETIME(6),
        last_task_id BIGINT,
        queued_task_id BIGINT,
        forgotten_from DATETIME(6),
        forgotten_until DATETIME(6),
        revision INT NOT NULL,
        created_at DATETIME(6) NOT NULL,
        updated_at DATETIME(6) NOT NULL,
        PRIMARY KEY (name),
        KEY ix_schedules_next (next_at),
        CONSTRAINT ck_schedules_one_rhythm
            CHECK ((cron IS NULL) <> (interval_seconds IS NULL)),
        CONSTRAINT ck_schedules_paused_waits
            CHECK (paused_at IS NULL OR next_at IS NULL)""",
    "schedule_runs": f"""
        schedule VARCHAR(128) {BINARY} NOT NULL,
        occurrence_at DATETIME(6) NOT NULL,
        kind VARCHAR(16) {ASCII} NOT NULL,
        outcome VARCHAR(16) {ASCII} NOT NULL,
        skipped INT NOT NULL,
        task_id BIGINT,
        fired_at DATETIME(6) NOT NULL,
        PRIMARY KEY (schedule, occurrence_at),
        KEY ix_schedule_runs_fired (schedule, fired_at)""",
    "workers": f"""
        worker VARCHAR(255) {BINARY} NOT NULL,
        queues TEXT,
        agent VARCHAR(128) {BINARY},
        address VARCHAR(45) {ASCII},
        first_seen_at DATETIME(6) NOT NULL,
        last_seen_at DATETIME(6) NOT NULL,
        PRIMARY KEY (worker),
        KEY ix_workers_last_seen (last_seen_at)""",
    "queue_settings": f"""
        queue VARCHAR(64) {ASCII} NOT NULL,
        settings TEXT NOT NULL,
        updated_at DATETIME(6) NOT NULL,
        PRIMARY KEY (queue)""",
    "settings_version": """
        id INT NOT NULL,
        version BIGINT NOT NULL,
        PRIMARY KEY (id)""",
}
OPTIONS = "ENGINE=InnoDB CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci"


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) {OPTIONS}")


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table, if_exists=True)
