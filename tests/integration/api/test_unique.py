"""Unique keys: of the tasks of a queue that were submitted with one, one holds it at a time."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from app.service import sweeping
from app.service.resources import Resources
from tests.support import calls
from tests.support.calls import Document, problem
from tests.support.unique_tasks import ACTIVE, KEY, held_by, send, stored
from tests.support.worker_calls import act


async def test_a_second_task_of_a_key_is_the_first_one(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    first = await stored(api, payload={"n": 1})
    again = await send(api, payload={"n": 2}, title="sync again", priority="high")

    assert first["unique_key"] == "customer-17"
    assert again.status_code == 200
    assert again.json() == first == await calls.get(api, first["id"])
    assert again.headers["location"] == f"tasks/{first['id']}"
    assert held_by(engine) == [first["id"]]


async def test_keys_are_each_queues_own_and_have_any_characters(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    keys = ["k", "K", " k", "k ", "k\n", "é", "e\u0301", "客户-17", "😀" * 128, "%", "'; --", "\\"]
    one = [await stored(api, {"key": key}) for key in keys]
    other = [await stored(api, {"key": key}, queue="other") for key in keys]

    assert len({task["id"] for task in one + other}) == 2 * len(keys)
    for key, task in zip(keys, one, strict=True):
        assert (await send(api, {"key": key})).json()["id"] == task["id"]
        assert task["unique_key"] == key
    assert held_by(engine) == sorted(task["id"] for task in one + other)


async def test_a_waiting_task_holds_its_key_until_it_is_claimed_and_never_again(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    first = await stored(api)
    await act(api, first["id"], "pause")
    assert (await send(api)).json()["id"] == first["id"], "pausing keeps it"
    await act(api, first["id"], "resume")

    lease = await calls.claim_one(api)
    assert lease["task"]["unique_key"] is None
    assert held_by(engine) == []
    second = await stored(api)
    assert second["id"] != first["id"]

    # Back to waiting, by each way there is.
    await api.post(f"/leases/{lease['lease_id']}/release")
    assert held_by(engine) == [second["id"]]
    for lease in await calls.claim(api, limit=2):
        await calls.fail(api, lease, retry_after_seconds=0)
    await act(api, first["id"], "cancel")
    assert (await act(api, first["id"], "retry"))["unique_key"] is None
    assert held_by(engine) == []


async def test_an_active_task_holds_its_key_until_it_has_ended(
    api: httpx.AsyncClient, engine: Engine, later: Callable[[float], None], resources: Resources
) -> None:
    first = await stored(api, ACTIVE, retry_limit=1, timeout_seconds=10)
    lease = await calls.claim_one(api)
    running = await send(api, ACTIVE)
    assert (running.status_code, running.json()["status"]) == (200, "in_progress")
    await calls.fail(api, lease, retry_after_seconds=0)
    await sweeping.promote(resources)
    assert (await send(api, ACTIVE)).json()["status"] == "retrying"
    await calls.claim_one(api)
    later(11)
    assert await sweeping.time_out(resources) == 1
    assert held_by(engine) == []

    second = await stored(api, ACTIVE)
    assert second["id"] != first["id"]
    done = await calls.complete(api, await calls.claim_one(api))
    assert (done["id"], done["unique_key"]) == (second["id"], None)
    assert held_by(engine) == []


@pytest.mark.parametrize("unique", [KEY, ACTIVE], ids=["waiting", "active"])
@pytest.mark.parametrize("end", ["cancel", "delete", "cancel all", "delete all"])
async def test_what_is_cancelled_or_deleted_gives_its_key_back(
    api: httpx.AsyncClient, engine: Engine, unique: Document, end: str
) -> None:
    first = await stored(api, unique)
    if end == "cancel":
        await act(api, first["id"], "cancel")
    elif end == "delete":
        assert (await api.delete(f"/tasks/{first['id']}")).status_code == 204
    else:
        way = end.removesuffix(" all")
        answer = await api.post(f"/admin/tasks/{way}", params={"queue": "default"})
        assert answer.json()["changed"] == 1

    assert held_by(engine) == []
    assert (await stored(api, unique))["id"] != first["id"]


async def test_the_idempotency_key_comes_first_and_remembers_the_holder(
    api: httpx.AsyncClient,
) -> None:
    holder = await stored(api)

    async def keyed(key: str, **fields: Any) -> httpx.Response:
        body = {"title": "sync", "unique": KEY} | fields
        return await api.post("/tasks", json=body, headers={"Idempotency-Key": key})

    assert (await keyed("one")).json() == holder
    await calls.claim_one(api)
    second = await keyed("two")
    assert second.status_code == 201
    # The key is another one's by now; the same call has the same answer.
    again = await keyed("one")
    assert (again.status_code, again.json()["id"]) == (200, holder["id"])
    assert (await keyed("two")).json()["id"] == second.json()["id"]
    problem(await keyed("two", payload=1), 422)


async def test_a_refused_call_leaves_its_idempotency_key_free(api: httpx.AsyncClient) -> None:
    body = {"title": "sync", "unique": KEY | {"conflict": "reject"}}
    first = await stored(api)
    problem(await api.post("/tasks", json=body, headers={"Idempotency-Key": "k"}), 409)
    await act(api, first["id"], "cancel")

    stored_now = await api.post("/tasks", json=body, headers={"Idempotency-Key": "k"})

    assert stored_now.status_code == 201


async def test_a_key_that_was_left_over_is_taken_over(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    first, gone = await stored(api), await stored(api, {"key": "gone"})
    with engine.begin() as connection:
        # As a version does that does not know of keys, and as nobody should.
        connection.execute(
            text(
                "UPDATE tasks SET attempt = 1, status = 'paused', claim_rank = NULL WHERE id = :i"
            ),
            {"i": first["id"]},
        )
        connection.execute(text("DELETE FROM tasks WHERE id = :i"), {"i": gone["id"]})

    for unique in (KEY, {"key": "gone"}):
        second = await stored(api, unique)
        assert (await send(api, unique)).json()["id"] == second["id"]
    await act(api, first["id"], "cancel")
    assert first["id"] not in held_by(engine)
    assert len(held_by(engine)) == 2, "what ends gives back no key that another one has"
