"""The other side of each race: a process of its own to MySQL and Redis."""

from collections.abc import AsyncIterator

import pytest

from app.service.platform import Platform
from app.settings import Settings


@pytest.fixture
async def other(settings: Settings) -> AsyncIterator[Platform]:
    """Another process's inside. It may hold a transaction open for as long as a test needs."""
    platform = Platform(settings.model_copy(update={"database_timeout_seconds": 60.0}))
    yield platform
    await platform.close()
