"""PATCH: what a client may change, when, and what is the system's alone."""

from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.support.calls import claim, claim_one, complete, fail, get, problem, submit
from tests.support.factories import TaskFactory
from tests.support.stored import everything_stored

CHANGES: dict[str, Any] = {
    "title": "another 😀",
    "description": "said",
    "priority": "高",
    "due_date": "2031-01-31T08:00:00Z",
    "tags": ["x", "y"],
    "payload": {"n": 18446744073709551616},
    "timeout_seconds": 1,
    "retry_limit": 7,
    "retry_delay_seconds": 0,
    "retry_backoff": "fixed",
}
LOCKED = ["timeout_seconds", "retry_limit", "retry_delay_seconds", "retry_backoff", "payload"]
FREE = [field for field in CHANGES if field not in LOCKED]
RUNNING_OR_ENDED = ["in_progress", "done", "failed", "cancelled"]
SYSTEMS = ["id", "status", "current_retry_count", "created_at", "updated_at", "completed_at"]
SYSTEMS += ["result", "error", "attempt", "worker", "started_at", "progress"]
SET_ONCE = ["queue", "available_at"]


@pytest.mark.parametrize("field", CHANGES)
async def test_each_field_changes_alone(api: httpx.AsyncClient, field: str) -> None:
    before = await submit(api, description="as it was", tags=["a"], payload=1)

    answer = await api.patch(f"/tasks/{before['id']}", json={field: CHANGES[field]})

    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert after == before | {field: CHANGES[field], "updated_at": after["updated_at"]}
    assert after["updated_at"] > before["updated_at"]
    assert await get(api, before["id"]) == after
    assert (await api.get("/tasks")).json() == [after]


async def test_all_of_them_change_together(api: httpx.AsyncClient) -> None:
    task = await submit(api)
    answer = await api.patch(
        f"/tasks/{task['id']}",
        json=CHANGES,
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert {field: answer.json()[field] for field in CHANGES} == CHANGES


@pytest.mark.parametrize(
    ("field", "cleared"),
    [("description", None), ("due_date", None), ("payload", None), ("tags", [])],
)
async def test_null_clears(api: httpx.AsyncClient, field: str, cleared: Any) -> None:
    task = await submit(api, **{field: CHANGES[field]})
    answer = await api.patch(f"/tasks/{task['id']}", json={field: None})
    assert answer.json()[field] == cleared
    assert (await get(api, task["id"]))[field] == cleared


async def test_a_patch_of_nothing_changes_nothing(api: httpx.AsyncClient) -> None:
    before = await submit(api, **CHANGES)
    answer = await api.patch(f"/tasks/{before['id']}", json={})
    assert answer.status_code == 200
    assert answer.json() == before | {"updated_at": answer.json()["updated_at"]}


@pytest.mark.parametrize("field", SYSTEMS)
async def test_what_the_system_drives_is_refused_and_said_so(
    api: httpx.AsyncClient, engine: Engine, field: str
) -> None:
    task = await submit(api)
    before = everything_stored(engine)

    answer = await api.patch(f"/tasks/{task['id']}", json={"title": "new", field: task[field]})

    found = problem(answer, 422, field)
    assert "system" in found.detail
    assert everything_stored(engine) == before


@pytest.mark.parametrize("field", SYSTEMS)
async def test_nobody_submits_what_the_system_drives(
    api: httpx.AsyncClient, engine: Engine, field: str
) -> None:
    answer = await api.post("/tasks", json={"title": "x", field: "done"})
    assert "system" in problem(answer, 422, field).detail
    assert not any(everything_stored(engine).values())


@pytest.mark.parametrize("field", SET_ONCE)
async def test_where_and_when_a_task_waits_is_said_once(api: httpx.AsyncClient, field: str) -> None:
    task = await submit(api)
    problem(await api.patch(f"/tasks/{task['id']}", json={field: None}), 422, field)


@pytest.mark.parametrize("status", RUNNING_OR_ENDED)
@pytest.mark.parametrize("field", LOCKED)
async def test_what_an_attempt_was_given_is_history(
    api: httpx.AsyncClient, session: Session, engine: Engine, status: str, field: str
) -> None:
    task = TaskFactory(**{status: True})
    before = everything_stored(engine)

    answer = await api.patch(f"/tasks/{task.id}", json={"title": "new", field: CHANGES[field]})

    found = problem(answer, 409)
    assert found.model_extra == {"task_id": task.id, "task_status": status, "field": field}
    assert field in found.detail
    assert everything_stored(engine) == before


@pytest.mark.parametrize("status", RUNNING_OR_ENDED)
@pytest.mark.parametrize("field", FREE)
async def test_what_it_is_called_may_change_whenever(
    api: httpx.AsyncClient, session: Session, status: str, field: str
) -> None:
    task = TaskFactory(**{status: True})
    answer = await api.patch(f"/tasks/{task.id}", json={field: CHANGES[field]})
    assert answer.status_code == 200
    assert answer.json()[field] == CHANGES[field]
    assert answer.json()["status"] == status


@pytest.mark.parametrize("status", ["delayed", "paused", "retrying"])
async def test_a_task_that_waits_may_change_altogether(
    api: httpx.AsyncClient, session: Session, status: str
) -> None:
    task = TaskFactory(**{status: True})
    answer = await api.patch(f"/tasks/{task.id}", json=CHANGES)
    assert answer.status_code == 200, answer.text
    assert {field: answer.json()[field] for field in CHANGES} == CHANGES


async def test_the_retry_limit_stays_above_the_retries_used(
    api: httpx.AsyncClient, session: Session
) -> None:
    task = TaskFactory(retrying=True, current_retry_count=2, attempt=2)

    found = problem(await api.patch(f"/tasks/{task.id}", json={"retry_limit": 1}), 409)

    assert found.model_extra == {"task_id": task.id, "current_retry_count": 2}
    assert (await api.patch(f"/tasks/{task.id}", json={"retry_limit": 2})).status_code == 200


async def test_a_changed_priority_changes_who_is_claimed_first(api: httpx.AsyncClient) -> None:
    first, second, third = [await submit(api, title=str(n)) for n in range(3)]
    await api.patch(f"/tasks/{first['id']}", json={"priority": "low"})
    await api.patch(f"/tasks/{third['id']}", json={"priority": "high"})

    leases = await claim(api, limit=3)

    assert [lease["task"]["id"] for lease in leases] == [third["id"], second["id"], first["id"]]


async def test_a_priority_does_not_make_a_delayed_task_due(api: httpx.AsyncClient) -> None:
    task = await submit(api, available_at="2999-01-01T00:00:00Z")
    await api.patch(f"/tasks/{task['id']}", json={"priority": "high"})
    assert await claim(api) == []


async def test_tags_are_replaced_not_added(api: httpx.AsyncClient) -> None:
    task = await submit(api, tags=["a", "b"])
    answer = await api.patch(f"/tasks/{task['id']}", json={"tags": ["c", "b", "c"]})

    assert answer.json()["tags"] == ["b", "c"]
    assert (await api.get("/tags")).json() == [
        {"name": "b", "tasks": 1},
        {"name": "c", "tasks": 1},
    ]
    assert (await api.get("/tasks", params={"tag": "a"})).json() == []
    assert len((await api.get("/tasks", params={"tag": ["b", "c"]})).json()) == 1


async def test_a_changed_timeout_and_payload_are_those_of_the_next_attempt(
    api: httpx.AsyncClient,
) -> None:
    task = await submit(api, retry_delay_seconds=0)
    await fail(api, await claim_one(api))
    await api.patch(f"/tasks/{task['id']}", json={"payload": "new", "retry_limit": 1})

    lease = await claim_one(api)
    assert lease["task"]["payload"] == "new"
    assert (await fail(api, lease))["status"] == "failed"


async def test_a_patch_of_a_task_that_is_not_there_is_404(api: httpx.AsyncClient) -> None:
    problem(await api.patch(f"/tasks/{2**63 - 1}", json={"title": "new"}), 404)


async def test_a_running_task_is_completed_as_it_was_renamed(api: httpx.AsyncClient) -> None:
    await submit(api)
    lease = await claim_one(api)
    await api.patch(f"/tasks/{lease['task']['id']}", json={"title": "renamed", "tags": ["t"]})
    task = await complete(api, lease, "result")
    assert (task["title"], task["tags"], task["result"]) == ("renamed", ["t"], "result")
