"""The other side of each race: a process of its own to MySQL and Redis."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Engine

from app.service.resources import Resources
from app.settings import Settings
from tests.concurrency.killer import Killer, watching


@pytest.fixture
async def other(settings: Settings) -> AsyncIterator[Resources]:
    """Another process's inside. It may hold a transaction open for as long as a test needs."""
    resources = Resources(settings.model_copy(update={"database_timeout_seconds": 60.0}))
    yield resources
    await resources.close()


@pytest.fixture
def killer(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Killer:
    """Kills this process's connections."""
    return watching(engine, monkeypatch)
