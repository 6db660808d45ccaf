"""What tests of the service's insides have in common."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from sqlalchemy import Engine, create_engine, make_url, text

from app.local.ports import free_port
from app.local.valkey import ValkeyServer
from app.mysql.connection import Connection
from app.runtime.light_event import LightEvent
from app.service.waiting import Waiter
from app.settings import Settings
from tests.conftest import serving
from tests.support.elapse import elapse, elapse_in_redis
from tests.support.steered_redis import Hands, go_by

FRESH = "rowlock_schema_test"
WRONG = {
    "time_zone": "'+05:00'",
    "innodb_lock_wait_timeout": "50",
    "sql_mode": "''",
}


@pytest.fixture
async def other_api(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The API of another process, on the same MySQL and Redis."""
    async with serving(settings) as client:
        yield client


@pytest.fixture
def begins_to_wait(monkeypatch: pytest.MonkeyPatch) -> "asyncio.Queue[None]":
    """Gets an item whenever a caller of a long poll in this process has found nothing and
    begins to wait."""
    began: asyncio.Queue[None] = asyncio.Queue()
    wait = Waiter.wait

    async def noted(waiter: Waiter[object], seconds: float, gone: LightEvent | None = None) -> bool:
        began.put_nowait(None)
        return await wait(waiter, seconds, gone)

    monkeypatch.setattr(Waiter, "wait", noted)
    return began


@pytest.fixture
def reads_of_tasks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Gets every statement of this process that reads from the table of tasks. What other
    connections do in between (a new one, a process that says it is there) is not among them."""
    read: list[str] = []
    execute = Connection._execute

    async def noted(connection: Connection, statement: str, *arguments: Any) -> Any:
        if re.search(r"\b(FROM|JOIN) tasks\b", statement):
            read.append(statement)
        return await execute(connection, statement, *arguments)

    monkeypatch.setattr(Connection, "_execute", noted)
    return read


@pytest.fixture
def redis_connection(settings: Settings) -> Iterator[redis.Redis]:
    """For looking at Redis beside the service."""
    assert settings.redis_url is not None
    with redis.Redis.from_url(settings.redis_url) as connection:
        yield connection


@pytest.fixture
def later(engine: Engine, redis_connection: redis.Redis) -> Callable[[float], None]:
    """So many seconds pass, in MySQL and in Redis."""

    def pass_(seconds: float) -> None:
        elapse(engine, seconds)
        elapse_in_redis(redis_connection, seconds)

    return pass_


@pytest.fixture
def without_redis(settings: Settings) -> Settings:
    """No Redis was named."""
    return settings.model_copy(update={"redis_url": None})


@pytest.fixture
def redis_away(settings: Settings) -> Settings:
    """Where Redis should be, nobody listens."""
    return settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port()}/0"})


@pytest.fixture
def redis_refuses(settings: Settings) -> Settings:
    """The password is not the one that Redis wants."""
    assert settings.redis_url is not None
    wrong = settings.redis_url.replace("redis://:", "redis://:not-")
    return settings.model_copy(update={"redis_url": wrong})


@pytest.fixture(params=["without_redis", "redis_away", "redis_refuses"])
def redisless(request: pytest.FixtureRequest) -> Settings:
    """Each way of having no Redis."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Settings)
    return found


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A Redis of the test's own, which it may stop."""
    with ValkeyServer(tmp_path / "valkey") as server:
        yield server


@pytest.fixture
def fresh(settings: Settings, engine: Engine) -> Iterator[Settings]:
    """An empty database of the test's own, whose defaults are an old server's."""
    with engine.begin() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {FRESH}"))
        connection.execute(
            text(f"CREATE DATABASE {FRESH} CHARACTER SET latin1 COLLATE latin1_swedish_ci")
        )
    url = make_url(settings.database_url).set(database=FRESH)
    yield Settings(database_url=url.render_as_string(hide_password=False), log_level="error")
    with engine.begin() as connection:
        connection.execute(text(f"DROP DATABASE {FRESH}"))


@pytest.fixture
def fresh_engine(fresh: Settings) -> Iterator[Engine]:
    engine = create_engine(fresh.sync_url)
    yield engine
    engine.dispose()


@pytest.fixture
def wrong_defaults(settings: Settings, engine: Engine) -> Iterator[None]:
    """A server whose defaults are all different; isolation is REPEATABLE READ."""
    with engine.begin() as connection:
        before = {
            name: connection.execute(text(f"SELECT @@GLOBAL.{name}")).scalar_one() for name in WRONG
        }
        for name, value in WRONG.items():
            connection.execute(text(f"SET GLOBAL {name} = {value}"))
        connection.execute(text("SET GLOBAL TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    yield
    with engine.begin() as connection:
        for name, value in before.items():
            connection.execute(text(f"SET GLOBAL {name} = :value"), {"value": value})
        connection.execute(text("SET GLOBAL TRANSACTION ISOLATION LEVEL READ COMMITTED"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Hands:
    """The clock by which Redis is waited for and left alone."""
    hands = Hands()
    go_by(hands, monkeypatch)
    return hands
