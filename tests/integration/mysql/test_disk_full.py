"""MySQL's disk is full: 503 in time, reading goes on, nothing acknowledged is lost."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.local.binary import Flavour, ServerBinary
from app.local.mysql import MySQLServer
from app.mysql import migration
from app.settings import Settings
from tests.support.calls import claim_one, problem
from tests.support.small_disk import SMALL, SmallDisk, why_not

# Twice as long is told from once, however busy the machine is.
TIMEOUT = 5.0
SMALL_TASK = {"title": "small"}
LARGE = {"title": "large", "payload": "x" * 200_000}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, mysql_binary: ServerBinary) -> Path:
    """A data directory with the schema in it, at rest."""
    if mysql_binary.flavour is Flavour.MARIADB:
        pytest.skip("MariaDB may crash by itself when its disk is full")
    if reason := why_not(tmp_path_factory.mktemp("mounted")):
        pytest.skip(f"no small disk can be made: {reason}")
    home = tmp_path_factory.mktemp("small-disk")
    server = MySQLServer(home, binary=mysql_binary, fast=True, extra=SMALL, buffer_pool_mib=64)
    server.start()
    migration.upgrade(Settings(database_url=server.url))
    server.stop()
    return home


@pytest.fixture
def disk(
    request: pytest.FixtureRequest, home: Path, mysql_binary: ServerBinary
) -> Iterator[SmallDisk]:
    disk = SmallDisk(home, mysql_binary, fast=request.param)
    disk.server.start()
    yield disk
    disk.server.kill()


@pytest.fixture
def api_settings(disk: SmallDisk) -> Settings:
    return Settings(
        database_url=disk.server.url, database_timeout_seconds=TIMEOUT, log_level="error"
    )


class Submitter:
    """Submits tasks, each with a key, until one is not taken."""

    def __init__(self, api: httpx.AsyncClient, task: dict[str, str]) -> None:
        self._api = api
        self._task = task
        self.acknowledged: list[int] = []

    async def submit(self, key: str) -> httpx.Response:
        return await self._api.post("/tasks", json=self._task, headers={"Idempotency-Key": key})

    async def fill(self) -> str:
        """The key of the one that was not taken."""
        for number in range(2000):
            answer = await self.submit(f"key-{number}")
            if answer.status_code != 201:
                problem(answer, 503)
                return f"key-{number}"
            self.acknowledged.append(answer.json()["id"])
        raise AssertionError("the disk is never full")


async def all_there(api: httpx.AsyncClient, ids: list[int]) -> None:
    answers = await asyncio.gather(*(api.get(f"/tasks/{i}") for i in ids))
    assert [a.text for a in answers if a.status_code != 200] == []


@pytest.mark.parametrize("disk", [True], indirect=True, ids=["without a binary log"])
async def test_once_there_is_room_again_everything_goes_on(
    disk: SmallDisk, api: httpx.AsyncClient
) -> None:
    submitter = Submitter(api, LARGE)
    refused = await submitter.fill()
    assert len(submitter.acknowledged) > 20
    for _ in range(3):
        answer = await submitter.submit(refused)
        problem(answer, 503)
        assert int(answer.headers["retry-after"]) > 0
    await all_there(api, submitter.acknowledged)

    disk.make_room()
    first, second = [(await submitter.submit(refused)) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    await all_there(api, [*submitter.acknowledged, first.json()["id"]])
    (queue,) = (await api.get("/stats")).json()["queues"]
    assert queue["waiting"] == len(submitter.acknowledged) + 1, "and no other"
    assert (await claim_one(api))["task"]["id"] == submitter.acknowledged[0]


@pytest.mark.parametrize("disk", [False], indirect=True, ids=["with a binary log"])
async def test_while_mysql_itself_waits_for_room_nobody_waits_for_it_for_long(
    disk: SmallDisk, api: httpx.AsyncClient
) -> None:
    """A commit that finds no room in the binary log waits, and looks again each minute."""
    submitter = Submitter(api, SMALL_TASK)
    for number in range(10):
        submitter.acknowledged.append((await submitter.submit(f"before-{number}")).json()["id"])
    disk.fill()
    await submitter.fill()
    task_id = submitter.acknowledged[0]
    calls = [
        ("POST", "/tasks", SMALL_TASK),
        ("POST", "/tasks", LARGE),
        ("POST", "/leases", {"worker": "w"}),
        ("PATCH", f"/tasks/{task_id}", {"title": "t"}),
        ("DELETE", f"/tasks/{submitter.acknowledged[1]}", None),
        ("POST", f"/admin/tasks/{submitter.acknowledged[2]}/pause", None),
        ("POST", "/admin/queues/default/pause", None),
    ]
    began = time.monotonic()
    answers = await asyncio.gather(*(api.request(m, path, json=body) for m, path, body in calls))
    assert time.monotonic() - began < 2 * TIMEOUT
    for answer in answers:
        problem(answer, 503)
        assert int(answer.headers["retry-after"]) > 0
    await all_there(api, submitter.acknowledged)
