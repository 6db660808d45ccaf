"""Runs migrations against the database of the settings."""

from typing import Final

from sqlalchemy import text

from alembic import context
from app.engines import sync_engine
from app.errors import UnfitServerError
from app.models import Model
from app.settings import Settings

LOCK_SECONDS: Final = 600


def run() -> None:
    settings = context.config.attributes.get("settings") or Settings()
    if context.is_offline_mode():
        context.configure(url=settings.sync_url, target_metadata=Model.metadata, literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    engine = sync_engine(settings)
    with engine.connect() as connection:
        # DDL cannot be rolled back: two that migrate at once would stop each other half-way.
        lock = {"name": f"rowlock-migrate-{engine.url.database}"[:64], "seconds": LOCK_SECONDS}
        if connection.execute(text("SELECT GET_LOCK(:name, :seconds)"), lock).scalar() != 1:
            raise UnfitServerError(reason=f"Another migration has run for {LOCK_SECONDS} s.")
        connection.commit()  # the lock is the connection's, and stays
        context.configure(connection=connection, target_metadata=Model.metadata)
        with context.begin_transaction():
            context.run_migrations()


run()
