"""A version that is not there yet: this one's program with one migration more."""

import shutil
import sys
from pathlib import Path
from typing import Final

from alembic.config import Config

from app.mysql import migration, revisions
from app.settings import Settings
from tests.acceptance.deployment import Deployment, Process

REVISION: Final = f"{int(revisions.head()) + 1:04}"
MIGRATION: Final = f'''
"""What a migration may do beside the version before it."""

import sqlalchemy as sa

from alembic import op
from app.mysql.ddl import INSTANT, alter, has_column, set_index

revision = "{REVISION}"
down_revision = "{revisions.head()}"


def upgrade() -> None:
    if not has_column("tasks", "region"):
        alter(
            "tasks",
            "ADD COLUMN region VARCHAR(20) NOT NULL DEFAULT 'here' AFTER title",
            how=INSTANT,
        )
    if not has_column("task_attempts", "host"):
        alter("task_attempts", "ADD COLUMN host VARCHAR(20) FIRST", how=INSTANT)
    set_index("tasks", "ix_tasks_region", ["region", "updated_at"])
    set_index("tasks", "ix_tasks_worker", ["worker"])
    set_index("task_tags", "ix_task_tags_created", ["task_created_at"])
    set_index("task_attempts", "ix_task_attempts_host", ["host", "finished_at"])
    op.create_table(
        "notes",
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id"),
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table("notes", if_exists=True)
    set_index("task_attempts", "ix_task_attempts_host", None)
    set_index("task_tags", "ix_task_tags_created", None)
    set_index("tasks", "ix_tasks_worker", None)
    set_index("tasks", "ix_tasks_region", None)
    for table, column in (("task_attempts", "host"), ("tasks", "region")):
        if has_column(table, column):
            alter(table, f"DROP COLUMN {{column}}", how=INSTANT)
'''


class NextVersion:
    """Its program, in a folder of its own."""

    def __init__(self, project: Path, home: Path) -> None:
        self._home = home
        for folder in ("app", "alembic"):
            shutil.copytree(project / folder, home / folder)
        shutil.copy(project / "alembic.ini", home)
        (home / f"alembic/versions/{REVISION}_next.py").write_text(MIGRATION)

    def migrate(self, deployment: Deployment) -> Process:
        """Its `rowlock migrate`, under way."""
        # -P: not the checkout's modules, from where the test runs.
        program = ("env", f"PYTHONPATH={self._home}", sys.executable, "-P", "-m", "app")
        return deployment.start("migrate", command=program)

    def config(self, settings: Settings) -> Config:
        """Its migrations, for going there and back."""
        config = migration.config_for(settings)
        config.set_main_option("script_location", str(self._home / "alembic"))
        return config
