"""Changes of tables that are in use. Each says what it may cost those who read and write
meanwhile, and the server refuses it where it would cost more."""

from typing import Final

import sqlalchemy as sa

from alembic import op

# In the data dictionary alone.
INSTANT: Final = "ALGORITHM=INSTANT"
# Takes its time on a large table, beside all reads and writes.
IN_PLACE: Final = "ALGORITHM=INPLACE, LOCK=NONE"
# Takes its time too, and nobody writes meanwhile: only where the server knows no better way.
COPY: Final = "ALGORITHM=COPY, LOCK=SHARED"


def alter(table: str, *changes: str, how: str) -> None:
    """Change a table, in one statement."""
    how = possible(how, op.get_bind().dialect)
    op.execute(f"ALTER TABLE {table} {', '.join(changes)}, {how}")


def possible(how: str, dialect: sa.Dialect) -> str:
    """How that server does it: to MySQL before 8.0.29 little is instant, or even a word."""
    version = dialect.server_version_info
    is_mysql = not dialect.is_mariadb  # type: ignore[attr-defined]
    is_old = is_mysql and version is not None and version < (8, 0, 29)
    return IN_PLACE if how == INSTANT and is_old else how


def has_column(table: str, name: str) -> bool:
    """Whether a column is there: a migration that was interrupted is run again."""
    return any(column["name"] == name for column in _inspector().get_columns(table))


def column_type(table: str, name: str) -> str:
    """A column's type by its name alone, as `ENUM`."""
    columns = {column["name"]: column["type"] for column in _inspector().get_columns(table)}
    return str(columns[name]).partition("(")[0]


def indexes(table: str) -> dict[str, list[str | None]]:
    """A table's indexes, and the columns of each."""
    return {str(i["name"]): i["column_names"] for i in _inspector().get_indexes(table)}


def set_index(table: str, name: str, columns: list[str] | None) -> None:
    """See to it that the index is on these columns; None: that there is none. In one statement,
    as a foreign key may need it at every moment."""
    found = indexes(table)
    if found.get(name) == columns:
        return
    changes = [f"DROP INDEX {name}"] if name in found else []
    if columns is not None:
        changes.append(f"ADD INDEX {name} ({', '.join(columns)})")
    alter(table, *changes, how=IN_PLACE)


def _inspector() -> sa.Inspector:
    return sa.inspect(op.get_bind())
