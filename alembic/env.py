"""Runs migrations against the database of the settings, beside those who use it."""

import sys
import time
from typing import Final

from sqlalchemy import Connection, exc, text

from alembic import context
from app.domain.errors import UnfitServerError
from app.mysql.engines import sync_engine
from app.mysql.error_codes import TRIES, error_code
from app.mysql.schema import Model
from app.settings import Settings

LOCK_SECONDS: Final = 600
# Whoever waits to change a table holds up all who come after, and lists are cut off after two
# seconds. So a migration waits less long, lets them by, and tries again, for ten minutes.
WAIT_SECONDS: Final = 1
PAUSES_SECONDS: Final = (1, 2, 4, 8, 16, *[30] * 18)


def run() -> None:
    settings = context.config.attributes.get("settings") or Settings()
    engine = sync_engine(settings)
    with engine.connect() as connection:
        # DDL cannot be rolled back: two that migrate at once would stop each other half-way.
        lock = {"name": f"rowlock-migrate-{engine.url.database}"[:64], "seconds": LOCK_SECONDS}
        if connection.execute(text("SELECT GET_LOCK(:name, :seconds)"), lock).scalar() != 1:
            raise UnfitServerError(
                reason=f"Another migration has been running for {LOCK_SECONDS} s; try again."
            )
        connection.exec_driver_sql(
            f"SET lock_wait_timeout = {WAIT_SECONDS}, innodb_lock_wait_timeout = {WAIT_SECONDS}"
        )
        connection.commit()  # the lock is the connection's, and stays
        pauses = iter(PAUSES_SECONDS)
        while not _migrated(connection):
            pause = next(pauses, None)
            if pause is None:
                raise UnfitServerError(
                    reason="Another transaction holds a table that the migration must change. "
                    "End it (SHOW FULL PROCESSLIST shows its session), then migrate again; "
                    "completed steps are kept."
                )
            said = f"Another transaction holds a table; the migration tries again in {pause} s."
            print(said, file=sys.stderr, flush=True)
            time.sleep(pause)


def _migrated(connection: Connection) -> bool:
    """Whether all is done; what is not waits for somebody else's transaction."""
    context.configure(connection=connection, target_metadata=Model.metadata)
    try:
        with context.begin_transaction():
            context.run_migrations()
    except exc.OperationalError as error:
        if error.orig is None or error_code(error.orig) not in TRIES:
            raise
        connection.rollback()
        return False
    return True


run()
