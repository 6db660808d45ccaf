"""`python -m tests.drift`: the models and the migrations make the same tables, to the letter.

Alembic's own comparison does not see CHECK constraints, so the two schemas are made side by
side on a real server and their CREATE TABLE statements compared.
"""

import difflib
import re
import sys
import tempfile
from pathlib import Path

from sqlalchemy import Connection, Engine

from app.local.mysql import MySQLServer
from app.mysql import migration
from app.mysql.engines import sync_engine
from app.mysql.schema import Model
from app.settings import Settings


def drift(database_url: str) -> list[str]:
    """What differs, as a diff; nothing where nothing does. Leaves the database empty."""
    settings = Settings(database_url=database_url)
    engine = sync_engine(settings)
    migration.upgrade(settings)
    migrated = described(engine)
    migration.downgrade(settings)
    left = described(engine)
    Model.metadata.create_all(engine)
    modelled = described(engine)
    Model.metadata.drop_all(engine)
    engine.dispose()
    return [
        *difflib.unified_diff(migrated, modelled, "migrations", "models", lineterm="", n=1),
        *(f"left by downgrade: {line}" for line in left),
    ]


def described(engine: Engine) -> list[str]:
    """Every table, to the letter."""
    with engine.connect() as connection:
        names = [row[0] for row in connection.exec_driver_sql("SHOW TABLES")]
        return [
            line
            for name in sorted(names)
            if name != "alembic_version"
            for line in _lines(connection, name)
        ]


def _lines(connection: Connection, table: str) -> list[str]:
    created = connection.exec_driver_sql(f"SHOW CREATE TABLE {table}").one()[1]
    # The order in which constraints were added says nothing, nor do ids that have been given out.
    return sorted(re.sub(r",$| AUTO_INCREMENT=\d+", "", line) for line in created.splitlines())


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as home,
        MySQLServer(Path(home) / "mysql", fast=True) as server,
    ):
        found = drift(server.url)
    print("\n".join(found) or "The models and the migrations agree.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
