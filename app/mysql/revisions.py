"""The schema's revisions: which one a database has, which one this version needs."""

import sys
from functools import cache
from pathlib import Path

from pymysql import err
from sqlalchemy import Connection, exc

from app.domain.errors import UnfitServerError
from app.mysql.connection import Connection as Queries
from app.mysql.engines import sync_engine
from app.mysql.error_codes import error_code
from app.settings import Settings

NO_SUCH_TABLE = 1146
HOME = Path(getattr(sys, "_MEIPASS", Path(__file__).parents[2]))


@cache
def head() -> str:
    """The revision that this version needs."""
    return max(file.name.partition("_")[0] for file in HOME.glob("alembic/versions/[0-9]*.py"))


def is_fit(found: str | None) -> bool:
    """Whether this version works with a schema of that revision: its own, or a newer one.

    Revisions are numbered. From 0004 on, each has to leave the version before it able to work,
    so that both may run beside each other while one takes the other's place.
    """
    return found is not None and found.isdecimal() and int(found) >= int(head())


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
    found = present(settings)
    if not is_fit(found):
        has = "has no schema" if found is None else f"has schema revision {found}"
        raise UnfitServerError(
            reason=f"The database {has}; this version needs {head()}. Run `rowlock migrate` first."
        )


def present(settings: Settings) -> str | None:
    """The same, of the settings' database."""
    engine = sync_engine(settings)
    try:
        with engine.connect() as connection:
            return revision_in(connection)
    finally:
        engine.dispose()
