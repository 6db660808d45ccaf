"""How MySQL runs what is sent to it: who sends, and who asks the server about it."""

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import Connection, Engine

from app.mysql.database import Database
from app.settings import Settings


@pytest.fixture(scope="module")
async def database(migrated_settings: Settings) -> AsyncIterator[Database]:
    database = Database(migrated_settings)
    yield database
    await database.close()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Locks and changes of a test go with it."""
    with engine.connect() as connection:
        yield connection
