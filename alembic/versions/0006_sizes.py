"""How large a task's payload and result are."""

from app.mysql.ddl import INSTANT, alter, has_column

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None

COLUMNS = ("payload_bytes", "result_bytes")


def upgrade() -> None:
    if missing := [f"ADD COLUMN {name} INT" for name in COLUMNS if not has_column("tasks", name)]:
        alter("tasks", *missing, how=INSTANT)


def downgrade() -> None:
    if there := [f"DROP COLUMN {name}" for name in COLUMNS if has_column("tasks", name)]:
        alter("tasks", *there, how=INSTANT)
