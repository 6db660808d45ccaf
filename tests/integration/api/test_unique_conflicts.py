"""What becomes of a task whose unique key another one holds: refused, or what that one says now."""

import httpx
import pytest
from sqlalchemy import Engine, text

from app.queue import placing
from tests.support import calls
from tests.support.calls import document, problem
from tests.support.unique_tasks import ACTIVE, KEY, held_by, send, stored


async def test_a_replaced_task_gets_what_a_patch_may_change_and_keeps_its_place(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    new = {
        "title": "sync all",
        "description": "of them",
        "priority": "高",
        "tags": ["b", "c"],
        "due_date": "2030-01-31T00:00:00Z",
        "timeout_seconds": 7,
        "retry_limit": 1,
        "retry_delay_seconds": 2,
        "retry_backoff": "linear",
        "payload": {"n": 2},
    }
    before = await stored(api, tags=["a", "b"], payload={"n": 1}, description="one")
    answer = await send(api, KEY | {"conflict": "replace"}, **new)

    assert answer.status_code == 200
    after = document(answer)
    assert after == await calls.get(api, before["id"])
    assert after == before | new | {"updated_at": after["updated_at"]}
    assert after["updated_at"] > before["updated_at"]
    listed = await api.get("/tasks", params={"tag": "c"})
    assert [task["id"] for task in listed.json()] == [before["id"]]
    assert [(tag["name"], tag["tasks"]) for tag in (await api.get("/tags")).json()] == [
        ("b", 1),
        ("c", 1),
    ]
    assert held_by(engine) == [before["id"]]
    assert (await calls.claim_one(api))["task"]["payload"] == {"n": 2}


async def test_of_a_holder_that_is_too_large_to_be_read_all_is_replaced(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "HOLDERS_BYTES", 0)
    task = await stored(api, payload={"n": 1}, description="one")
    kept = await send(api)
    assert kept.json() == task
    batch = {"tasks": [{"title": "sync", "unique": KEY}, {"title": "small"}]}
    in_batch, small = (await api.post("/tasks/batch", json=batch)).json()
    assert (in_batch["id"], "payload" in in_batch, "payload" in small) == (task["id"], False, True)

    replaced = document(await send(api, KEY | {"conflict": "replace"}))

    assert (replaced["payload"], replaced["description"]) == (None, None)
    assert await calls.get(api, task["id"]) == replaced


async def test_a_running_task_is_not_replaced(api: httpx.AsyncClient) -> None:
    task = await stored(api, ACTIVE)
    lease = await calls.claim_one(api)

    found = problem(await send(api, KEY | {"conflict": "replace"}, payload=1), 409)

    said = found.model_dump()
    assert (said["task_id"], said["task_status"]) == (task["id"], "in_progress")
    assert said["unique_key"] == "customer-17"
    assert (await calls.complete(api, lease))["payload"] is None


async def test_a_retry_limit_below_the_retries_used_is_refused(api: httpx.AsyncClient) -> None:
    task = await stored(api, ACTIVE)
    await calls.fail(api, await calls.claim_one(api))

    found = problem(await send(api, ACTIVE | {"conflict": "replace"}, retry_limit=0), 409)

    assert found.model_dump()["task_id"] == task["id"]
    assert (await calls.get(api, task["id"]))["retry_limit"] == 3


async def test_a_task_that_rejects_is_refused_and_nothing_is_stored(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    first = await stored(api, KEY | {"conflict": "reject"})
    batch = {"tasks": [{"title": "x"}, {"title": "y", "unique": KEY | {"conflict": "reject"}}]}

    for answer in (
        await send(api, KEY | {"conflict": "reject"}),
        await api.post("/tasks/batch", json=batch),
    ):
        found = problem(answer, 409)
        assert found.title == "Unique key held"
        assert found.model_dump()["task_id"] == first["id"]
        assert "customer-17" in found.detail
    with engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM tasks")).scalar_one() == 1


async def test_in_a_batch_the_holder_stands_in_its_items_place(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    holder = await stored(api, payload=0)
    tasks = [
        {"title": "a"},
        {"title": "b", "unique": KEY},
        {"title": "c", "unique": {"key": "new"}, "payload": 1, "tags": ["x"]},
        {"title": "d", "unique": {"key": "new", "conflict": "replace"}, "tags": ["y"]},
        {"title": "e", "unique": {"key": "new"}},
        {"title": "f", "unique": {"key": "new"}, "queue": "other"},
    ]
    answer = await api.post("/tasks/batch", json={"tasks": tasks})

    assert answer.status_code == 201
    found = answer.json()
    assert [task["title"] for task in found] == ["a", "sync", "d", "d", "d", "f"]
    assert found[1] == holder
    assert found[2] == found[3] == found[4] == await calls.get(api, found[2]["id"])
    assert (found[2]["payload"], found[2]["tags"]) == (None, ["y"])
    assert len({task["id"] for task in found}) == 4
    assert held_by(engine) == sorted(found[place]["id"] for place in (1, 2, 5))
