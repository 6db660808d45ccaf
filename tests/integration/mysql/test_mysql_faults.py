"""A MySQL that answers, but does not do what it is asked: 503 each time, and no restart after."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import httpx
import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import claim, claim_one, complete, problem, submit
from tests.support.worker_calls import finish

LARGE = "x" * 200_000
SMALL_PACKET = 128 * 1024


@contextmanager
def set_globally(engine: Engine, **variables: int) -> Iterator[None]:
    """Server settings, for a while."""
    with engine.connect() as connection:
        before = {
            name: connection.execute(text(f"SELECT @@GLOBAL.{name}")).scalar_one()
            for name in variables
        }
        for name, value in variables.items():
            connection.execute(text(f"SET GLOBAL {name} = {value}"))
        try:
            yield
        finally:
            for name, value in before.items():
                connection.execute(text(f"SET GLOBAL {name} = {value}"))


def is_away(answer: httpx.Response) -> None:
    problem(answer, 503)
    assert int(answer.headers["retry-after"]) >= 1


@pytest.fixture
def read_only(settings: Settings, engine: Engine) -> str:
    with engine.connect() as connection:
        found = connection.execute(text("SHOW VARIABLES LIKE 'super_read_only'")).all()
    return "super_read_only" if found else "read_only"


async def test_a_server_that_is_read_only_takes_nothing_and_then_everything(
    api: httpx.AsyncClient, engine: Engine, read_only: str
) -> None:
    if read_only == "read_only":
        pytest.skip("this server has no super_read_only: our account may write all the same")
    task = await submit(api, title="before")
    lease = await claim_one(api)
    with set_globally(engine, read_only=1, super_read_only=1):
        is_away(await api.post("/tasks", json={"title": "meanwhile"}))
        is_away(await api.post(f"/leases/{lease['lease_id']}/complete", json={}))
        is_away(await api.patch(f"/tasks/{task['id']}", json={"title": "x"}))
        assert (await api.get(f"/tasks/{task['id']}")).status_code == 200, "reading goes on"

    assert (await complete(api, lease))["status"] == "done"
    await submit(api, title="after")


@pytest.mark.filterwarnings("ignore:Result of json_array")
async def test_a_task_larger_than_a_packet_is_refused_alone_and_taken_once_packets_are_larger(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    key, body = {"Idempotency-Key": "k"}, {"title": "large", "payload": LARGE}
    with set_globally(engine, max_allowed_packet=SMALL_PACKET):
        # The connections that are made now are kept.
        answers = await asyncio.gather(
            *(api.post("/tasks", json={"title": "a neighbour"}) for _ in range(5)),
            api.post("/tasks", json=body, headers=key),
            *(api.post("/tasks", json={"title": "a neighbour"}) for _ in range(5)),
        )
        is_away(refused := answers.pop(5))
        assert "max_allowed_packet" in refused.json()["detail"]
        assert {answer.status_code for answer in answers} == {201}
        lease = await claim_one(api)
        path = f"/leases/{lease['lease_id']}/complete"
        is_away(await api.post(path, json={"result": LARGE}))
    assert (await api.post(path, json={"result": LARGE})).status_code == 200
    first = await api.post("/tasks", json=body, headers=key)
    second = await api.post("/tasks", json=body, headers=key)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]


async def test_many_tasks_that_are_larger_than_a_packet_together_are_taken(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    tags = [f"{number:02}{'標' * 62}" for number in range(32)]
    tasks = [{"title": "題" * 255, "tags": tags, "payload": "x" * 500}] * 100
    with set_globally(engine, max_allowed_packet=SMALL_PACKET):
        answer = await api.post("/tasks/batch", json={"tasks": tasks})
        assert answer.status_code == 201, answer.text
        leases = await claim(api, limit=100)
        items = [
            {"lease_id": lease["lease_id"], "outcome": "complete", "result": "x" * 5000}
            for lease in leases
        ]
        done = await finish(api, *items)
        assert [item["status"] for item in done["items"]] == [200] * 100


@pytest.mark.filterwarnings("ignore:Result of json_array")
async def test_a_task_that_has_become_larger_than_a_packet_is_away_for_a_while(
    settings: Settings, engine: Engine
) -> None:
    async with serving(settings) as before:
        task = await submit(before, title="large", payload=LARGE)
    async with AsyncExitStack() as stack:
        with set_globally(engine, max_allowed_packet=SMALL_PACKET):
            # All of its connections are made now.
            api = await stack.enter_async_context(serving(settings))
            for path in (f"/tasks/{task['id']}", "/tasks"):
                is_away(await api.get(path))
            is_away(await api.post("/leases", json={"worker": "w"}))
            other = await submit(api, queue="other")
            assert (await claim_one(api, queues=["other"]))["task"]["id"] == other["id"]
        assert (await api.get(f"/tasks/{task['id']}")).json() == task
        assert (await complete(api, await claim_one(api)))["id"] == task["id"]


async def test_a_server_that_is_full_is_away_and_then_there_again(
    settings: Settings, engine: Engine
) -> None:
    with engine.connect() as connection:
        used = int(connection.execute(text("SHOW STATUS LIKE 'Threads_connected'")).one()[1])
    # One more than there is may come in with special rights: both are held.
    crowd = create_engine(settings.sync_url, pool_size=20, max_overflow=0)
    with set_globally(engine, max_connections=max(used + 1, 10)):
        held: list[Connection] = []
        try:
            while len(held) < 19:
                held.append(crowd.connect())
        except Exception:
            pass
        async with serving(settings) as api:
            is_away(await api.post("/tasks", json={"title": "t"}))
            for connection in held:
                connection.close()
            crowd.dispose()
            assert (await submit(api, title="t"))["status"] == "to_do"
