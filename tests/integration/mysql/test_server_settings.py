"""What a server is set to does not matter: everything is as it is on any other."""

from collections.abc import Iterator

import pytest

from app.local.binary import ServerBinary
from app.mysql import migration
from app.processes import doctor
from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.conftest import serving
from tests.drift import drift
from tests.support.calls import claim_one, complete, get, submit
from tests.support.hostile_server import hostile_server
from tests.support.working_day import a_working_day


@pytest.fixture(scope="module")
def hostile_url(
    mysql_binary: ServerBinary, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with hostile_server(tmp_path_factory.mktemp("hostile"), mysql_binary) as url:
        yield url


@pytest.fixture
def hostile(hostile_url: str, redis_url: str) -> Iterator[Settings]:
    settings = Settings(
        database_url=hostile_url,
        redis_url=redis_url,
        redis_timeout_seconds=1.0,
        redis_prefix="hostile:",
        log_level="error",
    )
    migration.upgrade(settings)
    yield settings
    migration.downgrade(settings)


def test_migrations_make_the_same_tables(hostile_url: str) -> None:
    assert drift(hostile_url) == []


def test_doctor_finds_nothing_wrong_but_durability(hostile: Settings) -> None:
    bad = [found for found in doctor.examine(hostile) if found.verdict == "bad"]
    assert [found.what for found in bad] == ["innodb_flush_log_at_trx_commit"]


async def test_a_working_day_goes_as_on_any_other_server(hostile: Settings) -> None:
    async with serving(hostile) as api:
        await a_working_day(api)


async def test_what_one_process_has_stored_another_one_reads(hostile: Settings) -> None:
    uncached = hostile.model_copy(update={"redis_url": None})
    async with serving(uncached) as one, serving(uncached) as other:
        assert (await other.get("/tasks/1")).status_code == 404
        task = await submit(one, tags=["a", "b"])
        assert await get(other, task["id"]) == task
        assert (await other.get("/tags")).json() == [
            {"name": "a", "tasks": 1},
            {"name": "b", "tasks": 1},
        ]
        lease = await claim_one(other)
        await complete(one, lease)
        assert (await get(other, task["id"]))["status"] == "done"


async def test_a_key_goes_with_its_task(hostile: Settings) -> None:
    async with serving(hostile) as api:
        for _ in range(2):
            answer = await api.post(
                "/tasks", json={"title": "t"}, headers={"Idempotency-Key": "key"}
            )
            assert answer.status_code == 201
            assert (await api.delete(answer.headers["location"])).status_code == 204


async def test_figures_and_a_recount_take_their_time(hostile: Settings) -> None:
    async with serving(hostile) as api:
        tasks = [{"title": str(number), "tags": [str(number % 7)]} for number in range(500)]
        assert (await api.post("/tasks/batch", json={"tasks": tasks})).status_code == 201
        (queue,) = (await api.get("/stats")).json()["queues"]
        assert queue["waiting"] == 500
        assert len((await api.get("/tasks?limit=1000&tag=1")).json()) == 72
    assert await sweeping.recount(hostile) == {}


async def test_a_connection_outlives_the_servers_own_patience(hostile: Settings) -> None:
    """The server ends sessions that say nothing for a second; ours ask for more."""
    resources = Resources(hostile)
    try:
        rows = await resources.database.transact(
            lambda connection: connection.fetch("SELECT SLEEP(0), @@SESSION.wait_timeout")
        )
        assert int(rows[0][1]) == 15
    finally:
        await resources.close()
