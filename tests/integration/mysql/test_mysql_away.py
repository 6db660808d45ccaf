"""MySQL away or hanging: 503 and `Retry-After` from every call, and back without a restart."""

import asyncio

import httpx
import pytest

from app.api import ops
from app.settings import Settings
from tests.support.calls import Document, claim_one, problem, submit
from tests.support.gate import Gate
from tests.support.routes import NEEDING_MYSQL, Call


@pytest.fixture
def api_settings(behind_gate: Settings) -> Settings:
    return behind_gate.model_copy(update={"database_timeout_seconds": 0.5})


async def readiness(api: httpx.AsyncClient) -> tuple[int, Document]:
    assert (await api.get("/healthz")).status_code == 200
    answer = await api.get("/readyz")
    assert ("retry-after" in answer.headers) == (answer.status_code == 503)
    return answer.status_code, answer.json()["parts"]


@pytest.mark.parametrize("call", NEEDING_MYSQL, ids=str)
async def test_every_call_says_when_to_come_back(
    api: httpx.AsyncClient, gate: Gate, call: Call
) -> None:
    await gate.shut()
    answer = await call.send(api)
    found = problem(answer, 503)
    assert found.title == "Database away"
    assert int(answer.headers["retry-after"]) > 0


async def test_it_is_away_and_comes_back_and_nobody_restarts_anything(
    api: httpx.AsyncClient, gate: Gate
) -> None:
    task = await submit(api, tags=["a"])
    lease = await claim_one(api)
    status, parts = await readiness(api)
    assert (status, parts["mysql"], parts["schema"], parts["redis"]) == (200, "ok", "ok", "ok")

    await gate.shut()
    for _ in range(3):
        problem(await api.post("/tasks", json={"title": "x"}), 503)
        problem(await api.post(f"/leases/{lease['lease_id']}/complete"), 503)
    status, parts = await readiness(api)
    assert status == 503
    assert parts["mysql"] != "ok"
    assert parts["redis"] == "ok"

    await gate.open()
    assert (await readiness(api))[0] == 200
    await submit(api)
    answer = await api.post(f"/leases/{lease['lease_id']}/complete")
    assert answer.json()["status"] == "done"
    assert (await api.get(f"/tasks/{task['id']}")).json() == answer.json()
    assert len((await api.get("/tasks")).json()) == 2


async def test_connections_that_died_unnoticed_are_not_the_callers_business(
    api: httpx.AsyncClient, gate: Gate
) -> None:
    """Writes in full; a single read may be told once to come back."""
    for _ in range(5):
        await submit(api)
    await gate.shut()
    await gate.open()
    for _ in range(5):
        await submit(api)


async def test_calls_that_are_under_way_when_it_goes_are_answered(
    api: httpx.AsyncClient, gate: Gate
) -> None:
    await submit(api)
    gate.hang()
    sent = [asyncio.create_task(api.post("/tasks", json={"title": "x"})) for _ in range(10)]
    sent += [asyncio.create_task(api.get("/tasks/1/attempts")) for _ in range(10)]
    sent += [asyncio.create_task(api.post("/leases", json={"worker": "w"}))]
    await asyncio.sleep(0)
    await gate.shut()
    gate.go_on()
    async with asyncio.timeout(30):
        for answer in await asyncio.gather(*sent):
            problem(answer, 503)
            assert "retry-after" in answer.headers


async def test_a_server_that_hangs_is_away_and_then_there_again(
    api: httpx.AsyncClient, gate: Gate
) -> None:
    await submit(api)
    gate.hang()
    async with asyncio.timeout(30):
        for call in (NEEDING_MYSQL[0], NEEDING_MYSQL[2], NEEDING_MYSQL[3]):
            problem(await call.send(api), 503)
        assert (await readiness(api))[0] == 503

    gate.go_on()
    assert (await readiness(api))[0] == 200
    task = await submit(api)
    assert (await api.get(f"/tasks/{task['id']}")).status_code == 200
    assert (await claim_one(api, limit=1))["task"]["status"] == "in_progress"


async def test_who_waits_for_work_waits_on_and_gets_it(
    api: httpx.AsyncClient, gate: Gate, begins_to_wait: "asyncio.Queue[None]"
) -> None:
    waiting = asyncio.create_task(claim_one(api, wait_seconds=30))
    await begins_to_wait.get()
    await gate.shut()
    problem(await api.post("/tasks", json={"title": "x"}), 503)
    await gate.open()
    task = await submit(api)
    async with asyncio.timeout(20):
        assert (await waiting)["task"]["id"] == task["id"]


async def test_figures_are_shown_all_the_same(
    api: httpx.AsyncClient, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Just then somebody looks at them; what MySQL alone knows is left out."""
    await submit(api)
    await gate.shut()
    monkeypatch.setattr(ops, "_queues_shown_at", 0.0)
    problem(await api.post("/tasks", json={"title": "x"}), 503)
    answer = await api.get("/metrics")
    assert answer.status_code == 200
    assert 'rowlock_requests_total{method="POST",route="/tasks",status="503"}' in answer.text
    assert "rowlock_waiting_tasks{" not in answer.text
