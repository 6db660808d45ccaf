"""DELETE: gone for everybody, whatever the state."""

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.support.calls import claim, claim_one, complete, fail, problem, submit
from tests.support.factories import TaskFactory
from tests.support.stored import everything_stored

STATES = ["to_do", "delayed", "in_progress", "done", "paused", "retrying", "failed", "cancelled"]


@pytest.mark.parametrize("status", STATES)
async def test_a_task_in_any_state_is_deleted_and_then_gone(
    api: httpx.AsyncClient, session: Session, status: str
) -> None:
    task = TaskFactory(**({} if status == "to_do" else {status: True}), tags=["a"])
    assert (await api.get(f"/tasks/{task.id}")).status_code == 200
    assert len((await api.get("/tasks")).json()) == 1

    answer = await api.delete(f"/tasks/{task.id}")

    assert answer.status_code == 204
    assert answer.content == b""
    for call in ("", "/attempts", "?wait_seconds=1"):
        problem(await api.get(f"/tasks/{task.id}{call}"), 404)
    problem(await api.delete(f"/tasks/{task.id}"), 404)
    problem(await api.patch(f"/tasks/{task.id}", json={"title": "x"}), 404)
    assert (await api.get("/tasks")).json() == []
    assert (await api.get("/tags")).json() == []


async def test_it_takes_everything_of_the_task_with_it_and_nothing_else(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    key = {"Idempotency-Key": "key"}
    other = await submit(api, tags=["a"])
    await complete(api, await claim_one(api))
    before = everything_stored(engine)

    answer = await api.post(
        "/tasks", json={"title": "x", "tags": ["a"], "retry_delay_seconds": 0}, headers=key
    )
    await fail(api, await claim_one(api))
    await api.delete(answer.headers["location"])

    after = everything_stored(engine)
    # The figures keep account of what came and went; `test_counters.py` says that it is right.
    assert after | {"counter_deltas": before["counter_deltas"]} == before
    assert (await api.get(f"/tasks/{other['id']}")).status_code == 200


async def test_the_worker_of_a_deleted_task_is_told(api: httpx.AsyncClient) -> None:
    task = await submit(api)
    lease = await claim_one(api, lease_seconds=60)
    await api.delete(f"/tasks/{task['id']}")

    for call in ("heartbeat", "complete", "fail", "release"):
        problem(await api.post(f"/leases/{lease['lease_id']}/{call}"), 404)
    finish = {"items": [{"lease_id": lease["lease_id"], "outcome": "complete"}]}
    (item,) = (await api.post("/leases/finish", json=finish)).json()["items"]
    assert (item["lease_id"], item["status"]) == (lease["lease_id"], 404)


async def test_a_deleted_task_is_not_claimed(api: httpx.AsyncClient) -> None:
    task = await submit(api)
    await api.delete(f"/tasks/{task['id']}")
    assert await claim(api) == []
