"""Several MySQL servers, of which one takes writes: it is found, and found again."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from app.local.binary import ServerBinary
from app.local.mysql import MySQLServer
from app.local.ports import free_port
from app.mysql import engines, migration, revisions
from app.processes import doctor
from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import get, problem, submit
from tests.support.gate import gate_to

ACCOUNT: Final = "several"


@pytest.fixture(scope="module")
def other(
    engine: Engine, mysql_binary: ServerBinary, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, Settings]]:
    """A second server, with a schema and an account like the first one's; replicated is nothing,
    so that a task shows where it is."""
    with MySQLServer(tmp_path_factory.mktemp("other"), fast=True, binary=mysql_binary) as server:
        settings = Settings(database_url=server.url)
        migration.upgrade(settings)
        other = create_engine(settings.sync_url)
        for each in (engine, other):
            with each.begin() as connection:
                connection.execute(text(f"CREATE USER {ACCOUNT}@'127.0.0.1' IDENTIFIED BY 'x'"))
                connection.execute(text(f"GRANT ALL ON *.* TO {ACCOUNT}@'127.0.0.1'"))
        yield other, settings
        with engine.begin() as connection:
            connection.execute(text(f"DROP USER {ACCOUNT}@'127.0.0.1'"))
        other.dispose()


@pytest.fixture
def first(settings: Settings, other: tuple[Engine, Settings]) -> str:
    return address(settings)


@pytest.fixture
def second(other: tuple[Engine, Settings]) -> str:
    return address(other[1])


def address(settings: Settings) -> str:
    (host,) = settings.hosts
    return str(host)


def over(settings: Settings, *addresses: str) -> Settings:
    name = make_url(settings.database_url).database
    url = f"mysql://{ACCOUNT}:x@{','.join(addresses)}/{name}"
    changes = {"database_url": url, "database_timeout_seconds": 1.0, "redis_url": None}
    return Settings(**settings.model_dump() | changes)


@contextmanager
def relieved(engine: Engine) -> Iterator[None]:
    """A server is not the one that takes writes."""
    with engine.connect() as connection:
        if not connection.execute(text("SHOW VARIABLES LIKE 'super_read_only'")).all():
            pytest.skip("this server has no super_read_only: our account may write all the same")
        connection.execute(text("SET GLOBAL super_read_only = ON"))
        try:
            yield
        finally:
            connection.execute(text("SET GLOBAL super_read_only = OFF, GLOBAL read_only = OFF"))


async def test_one_that_is_not_there_is_passed_over(settings: Settings, first: str) -> None:
    several = over(settings, f"127.0.0.1:{free_port()}", first)
    migration.upgrade(several)
    found = {found.what: found for found in await asyncio.to_thread(doctor.examine, several)}
    assert found["SKIP LOCKED"].verdict == "ok"
    async with serving(several) as api:
        task = await submit(api)
        assert (await get(api, task["id"]))["title"] == task["title"]


async def test_one_that_hangs_is_passed_over_within_the_time_of_a_call(
    settings: Settings, first: str
) -> None:
    host, _, port = first.partition(":")
    async with gate_to(host, int(port)) as gate:
        gate.hang()
        several = over(settings, f"127.0.0.1:{gate.port}", first)
        assert migration.upgrade(several) == revisions.head()
        async with serving(several) as api:
            await submit(api)


async def test_when_the_role_moves_writes_and_reads_move_with_it(
    settings: Settings, engine: Engine, other: tuple[Engine, Settings], first: str, second: str
) -> None:
    with relieved(other[0]):
        async with serving(over(settings, second, first)) as api:
            task = await submit(api, title="on the first")
            assert (await api.get(f"/tasks/{task['id']}")).status_code == 200
            with relieved(engine):
                with other[0].connect() as connection:
                    connection.execute(text("SET GLOBAL super_read_only = OFF"))
                    connection.execute(text("SET GLOBAL read_only = OFF"))
                # No call has to fail for it.
                moved = await submit(api, title="on the second")
                answer = await api.get(f"/tasks/{moved['id']}")
                assert answer.json()["title"] == "on the second"
            with relieved(other[0]):
                await submit(api, title="on the first again")
                assert (await get(api, task["id"]))["title"] == "on the first"


async def test_after_a_failover_that_lost_a_tag_no_task_has_anothers(
    settings: Settings, engine: Engine, other: tuple[Engine, Settings], first: str, second: str
) -> None:
    """The tags that the first server had made last are other tags' numbers on the second one."""
    with relieved(other[0]):
        async with serving(over(settings, first, second)) as api:
            await submit(api, tags=["acme"])
            await submit(api, tags=["bell"])
            with relieved(engine):
                with other[0].connect() as connection:
                    connection.execute(text("SET GLOBAL super_read_only = OFF"))
                    connection.execute(text("SET GLOBAL read_only = OFF"))
                    for name in ("bell", "acme"):
                        connection.execute(text("INSERT INTO tags (name) VALUES (:n)"), {"n": name})
                    connection.commit()
                of_acme = await submit(api, tags=["acme"])
                of_bell = await submit(api, title="changed")
                answer = await api.patch(f"/tasks/{of_bell['id']}", json={"tags": ["bell"]})
                assert answer.status_code == 200
                for tag, task in (("acme", of_acme), ("bell", of_bell)):
                    found = (await api.get("/tasks", params={"tag": tag})).json()
                    assert [one["id"] for one in found] == [task["id"]], tag


async def test_who_only_reads_moves_too(
    settings: Settings,
    engine: Engine,
    first: str,
    second: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engines, "LOOK_SECONDS", 0)
    async with serving(over(settings, first, second)) as api:
        task = await submit(api)
        assert (await api.get(f"/tasks/{task['id']}")).status_code == 200
        with relieved(engine):
            answer = await api.get(f"/tasks/{task['id']}")
            assert answer.status_code == 404, "the second server has no such task"


async def test_where_none_takes_writes_each_is_named(
    settings: Settings, engine: Engine, first: str
) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    with relieved(engine):
        async with serving(over(settings, nobody, first)) as api:
            answer = await api.post("/tasks", json={"title": "t"})
            detail = problem(answer, 503).detail
            assert nobody in detail
            assert f"{first} does not accept writes" in detail
            assert answer.headers["retry-after"] == "1"
    async with serving(over(settings, nobody, first)) as api:
        await submit(api)
