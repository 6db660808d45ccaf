"""Runs migrations against the database of the settings."""

from sqlalchemy import create_engine, pool

from alembic import context
from app.models import Model
from app.settings import Settings


def run() -> None:
    url = context.config.attributes.get("url") or Settings().sync_url
    if context.is_offline_mode():
        context.configure(url=url, target_metadata=Model.metadata, literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Model.metadata)
        with context.begin_transaction():
            context.run_migrations()


run()
