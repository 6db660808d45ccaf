"""Connections to a MySQL that is reached over a network nobody should read."""

from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text

from app.mysql.database import Database
from app.settings import Settings
from tests.conftest import serving


@pytest.fixture
def encrypted(settings: Settings, engine: Engine) -> Settings:
    """The same server, with the TLS options in the URL that `docs/settings.md` names."""
    with engine.connect() as connection:
        directory, authority = connection.execute(text("SELECT @@datadir, @@ssl_ca")).one()
    if not authority:
        pytest.skip("this server made no certificate for itself")
    url = f"{settings.database_url}?ssl_ca={Path(directory) / authority}&ssl_check_hostname=false"
    return Settings(database_url=url, redis_url=settings.redis_url)


async def test_a_connection_is_encrypted_when_the_url_has_tls_options(encrypted: Settings) -> None:
    database = Database(encrypted)

    (status,) = await database.read(
        lambda connection: connection.fetch("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
    )

    assert status[1].startswith("TLS_")
    await database.close()


async def test_tasks_are_submitted_over_an_encrypted_connection(encrypted: Settings) -> None:
    async with serving(encrypted) as api:
        answers: list[httpx.Response] = [
            await api.post("/tasks", json={"title": f"task {n}"}) for n in range(2)
        ]

    assert [answer.status_code for answer in answers] == [201, 201]
