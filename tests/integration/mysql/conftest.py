"""A way to MySQL that can be shut."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.engine import make_url

from app.settings import Settings
from tests.support.gate import Gate, gate_to


@pytest.fixture
async def gate(settings: Settings) -> AsyncIterator[Gate]:
    """The only way to MySQL for whoever is behind it."""
    url = make_url(settings.database_url)
    async with gate_to(url.host or "127.0.0.1", url.port or 3306) as gate:
        yield gate


@pytest.fixture
def behind_gate(settings: Settings, gate: Gate) -> Settings:
    url = make_url(settings.database_url).set(host="127.0.0.1", port=gate.port)
    given = {"database_url": url.render_as_string(hide_password=False)}
    return Settings(**settings.model_dump() | given)
