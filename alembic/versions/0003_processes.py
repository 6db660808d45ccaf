"""Who serves, which deployment this is, and attempts found by their lease."""

import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from alembic import op
from app.mysql.ddl import set_index

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

TABLE: dict[str, Any] = {
    "if_not_exists": True,
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_unicode_ci",
}
NAME_BYTES = 4


def upgrade() -> None:
    op.create_table(
        "processes",
        sa.Column("id", _ascii(mysql.CHAR, 32), nullable=False),
        sa.Column("kind", _ascii(mysql.VARCHAR, 16), nullable=False),
        sa.Column("version", _ascii(mysql.VARCHAR, 32), nullable=False),
        sa.Column("running_since", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("last_seen_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **TABLE,
    )
    op.create_table(
        "deployment",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "name",
            mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=16),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id"),
        **TABLE,
    )
    op.get_bind().execute(
        sa.text("INSERT IGNORE INTO deployment (id, name) VALUES (1, :name)"),
        {"name": secrets.token_hex(NAME_BYTES)},
    )
    set_index("task_attempts", "ix_task_attempts_lease", ["task_id", "lease_token"])


def downgrade() -> None:
    set_index("task_attempts", "ix_task_attempts_lease", None)
    op.drop_table("deployment", if_exists=True)
    op.drop_table("processes", if_exists=True)


def _ascii(kind: type[mysql.CHAR | mysql.VARCHAR], length: int) -> sa.types.TypeEngine[str]:
    return kind(charset="ascii", collation="ascii_bin", length=length)
