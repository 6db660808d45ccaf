"""The schema's revisions: which one a database has, which one this version needs."""

import sys
from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from pymysql import err
from sqlalchemy import Connection, create_engine, exc

from alembic import command
from app.db import Connection as Queries
from app.db import error_code
from app.errors import UnfitServerError
from app.settings import Settings

NO_SUCH_TABLE = 1146
_HOME = Path(getattr(sys, "_MEIPASS", Path(__file__).parent.parent))


def config_for(settings: Settings | None = None) -> Config:
    """Alembic's configuration, wherever the process was started."""
    config = Config(str(_HOME / "alembic.ini"))
    config.set_main_option("script_location", str(_HOME / "alembic"))
    if settings is not None:
        config.attributes["url"] = settings.sync_url
    return config


@cache
def head() -> str:
    """The revision that this version needs."""
    revision = ScriptDirectory.from_config(config_for()).get_current_head()
    assert revision is not None
    return revision


async def revision_of(connection: Queries) -> str | None:
    """The database's revision; None where it has no schema."""
    try:
        rows = await connection.fetch("SELECT version_num FROM alembic_version")
    except err.ProgrammingError as error:
        if error_code(error) == NO_SUCH_TABLE:
            return None
        raise
    return str(rows[0][0]) if rows else None


def revision_in(connection: Connection) -> str | None:
    """The same, of a plain connection."""
    try:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    except exc.DBAPIError as error:
        if error.orig is not None and error_code(error.orig) == NO_SUCH_TABLE:
            return None
        raise
    return None if found is None else str(found)


def require_current(settings: Settings) -> None:
    """Raises `UnfitServerError` in a sentence that names the command."""
    engine = create_engine(settings.sync_url)
    try:
        with engine.connect() as connection:
            found = revision_in(connection)
    finally:
        engine.dispose()
    if found != head():
        has = "has no schema" if found is None else f"has schema revision {found}"
        raise UnfitServerError(
            reason=f"The database {has}; this version needs {head()}. Run `rowlock migrate` first."
        )


def upgrade(settings: Settings) -> None:
    """Bring the database's schema to this version's."""
    command.upgrade(config_for(settings), "head")


def downgrade(settings: Settings) -> None:
    """Take every table away."""
    command.downgrade(config_for(settings), "base")
