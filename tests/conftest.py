"""One real MySQL and one real Valkey for the whole run, a schema made by Alembic once, and
tables that each test finds empty."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import redis
from fastapi import FastAPI
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from app.api import services
from app.local.binary import ServerBinary
from app.local.mysql import MySQLServer
from app.local.valkey import ValkeyServer
from app.mysql import migration
from app.mysql.schema import Deployment, Model, SkipLockedProof, UniqueKeyLock
from app.processes.application import create_app
from app.service.resources import Resources
from app.settings import Settings
from tests.support import engines
from tests.support.factories import FactorySession


def pytest_configure() -> None:
    # A shell starts what it puts into the background deaf to Ctrl-C, `nohup` to the terminal's
    # end, and so all that they start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def mysql_binary() -> ServerBinary:
    """The server program to test with, where a test starts servers of its own."""
    return engines.chosen()


@pytest.fixture(scope="session")
def mysql(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MySQLServer | None]:
    """A MySQL without durability; none where one is given."""
    if os.environ.get("ROWLOCK_TEST_DATABASE_URL"):
        yield None
        return
    binary = request.getfixturevalue("mysql_binary")
    with MySQLServer(tmp_path_factory.mktemp("mysql"), fast=True, binary=binary) as server:
        yield server


@pytest.fixture(scope="session")
def database_url(mysql: MySQLServer | None) -> str:
    """That MySQL, or the server that ROWLOCK_TEST_DATABASE_URL names."""
    return os.environ["ROWLOCK_TEST_DATABASE_URL"] if mysql is None else mysql.url


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ValkeyServer(tmp_path_factory.mktemp("valkey")) as server:
        yield server.url


@pytest.fixture(scope="session")
def migrated_settings(database_url: str, redis_url: str) -> Settings:
    """The servers of this run, with the schema in place."""
    settings = Settings(
        database_url=database_url,
        redis_url=redis_url,
        # As it is: tests look at keys.
        redis_prefix="rowlock:",
        # Generous: a busy machine must not look like a broken Redis or MySQL, or a slow list.
        redis_timeout_seconds=1.0,
        database_timeout_seconds=15.0,
        search_timeout_seconds=15.0,
        poll_interval_seconds=0.02,
        log_level="error",
    )
    migration.upgrade(settings)
    return settings


@pytest.fixture(scope="session")
def engine(migrated_settings: Settings) -> Iterator[Engine]:
    """For looking at the database beside the service."""
    engine = create_engine(migrated_settings.sync_url, isolation_level="READ COMMITTED")
    with engine.connect() as connection:
        # Before the first test too: a server of one's own may hold another run's rows.
        empty(connection.engine)
    yield engine
    engine.dispose()


@pytest.fixture
def settings(migrated_settings: Settings, engine: Engine) -> Iterator[Settings]:
    """The settings, over empty tables and an empty Redis."""
    yield migrated_settings
    empty(engine)
    assert migrated_settings.redis_url is not None
    with redis.Redis.from_url(migrated_settings.redis_url) as connection:
        connection.flushall()


@pytest.fixture
def session(settings: Settings, engine: Engine) -> Iterator[Session]:
    """The session behind the factories; they commit."""
    with Session(engine, expire_on_commit=True) as session:
        FactorySession.configure(session)
        yield session
        FactorySession.configure(None)


@pytest.fixture
def api_settings(settings: Settings) -> Settings:
    """What `api` and `resources` run with. A file whose own differ says so by this fixture."""
    return settings


@asynccontextmanager
async def sharing(settings: Settings) -> AsyncIterator[Resources]:
    """The service's inside, for what HTTP does not show."""
    resources = Resources(settings)
    yield resources
    await resources.close()


@pytest.fixture
async def resources(api_settings: Settings) -> AsyncIterator[Resources]:
    async with sharing(api_settings) as resources:
        yield resources


@pytest.fixture
async def api(api_settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The API, in this process, on the real servers."""
    async with serving(api_settings) as client:
        yield client


@asynccontextmanager
async def serving(
    settings: Settings, *, address: str = "127.0.0.1"
) -> AsyncIterator[httpx.AsyncClient]:
    """An API process's worth of service, called from `address`; two of them are two processes
    to MySQL and Redis."""
    async with calling(create_app(settings), address=address) as client:
        yield client


@asynccontextmanager
async def calling(app: FastAPI, *, address: str = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:
    """The same of an application whose inside the test wants to see too."""
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 40000)),
            base_url="http://127.0.0.1",
            timeout=90,
        ) as client,
    ):
        yield client


@pytest.fixture(autouse=True)
def _figures_are_computed_for_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests look, do something and look again, all within a second."""
    monkeypatch.setattr(services, "STATS_SECONDS", 0.0)


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout."""
    return Path(__file__).parent.parent


# What migrations have put in.
_MIGRATED = {table.__tablename__ for table in (SkipLockedProof, Deployment, UniqueKeyLock)}


def empty(engine: Engine) -> None:
    with engine.begin() as connection:
        for table in reversed(Model.metadata.sorted_tables):
            if table.name not in _MIGRATED:
                connection.execute(text(f"DELETE FROM {table.name}"))
