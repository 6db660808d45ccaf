"""Ends of attempts that store tasks: both happen, or neither."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from app.mysql.connection import Connection
from tests.support.calls import Document, claim, claim_one, document, get, problem, submit
from tests.support.stored import everything_stored
from tests.support.worker_calls import a_lease, act, finish

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NEXT = [{"title": "one", "tags": ["next"], "payload": [1]}, {"title": "two", "queue": "other"}]


async def end(
    api: httpx.AsyncClient, lease: Document, how: str = "complete", **fields: Any
) -> Document:
    answer = await api.post(f"/leases/{lease['lease_id']}/{how}", json=fields)
    assert answer.status_code == 200, answer.text
    return document(answer)


async def titles(api: httpx.AsyncClient) -> list[str]:
    return [task["title"] for task in (await api.get("/tasks?order=asc")).json()]


@pytest.mark.parametrize(
    ("how", "fields", "status"),
    [
        ("complete", {"result": 7}, "done"),
        ("fail", {"error": "no", "retryable": False}, "failed"),
        ("fail", {"error": "no", "retry_after_seconds": 60}, "retrying"),
    ],
)
async def test_the_tasks_are_there_when_the_attempt_has_ended(
    api: httpx.AsyncClient, how: str, fields: Document, status: str
) -> None:
    lease = await a_lease(api)
    ended = await end(api, lease, how, **fields, submit=NEXT)
    one, two = [await get(api, task_id) for task_id in ended.pop("submitted")]
    assert ended == await get(api, lease["task"]["id"])
    assert (ended["status"], ended["result"]) == (status, fields.get("result"))
    assert (one["title"], one["tags"], one["payload"]) == ("one", ["next"], [1])
    assert (two["title"], two["queue"], two["status"]) == ("two", "other", "to_do")
    assert [found["task"]["id"] for found in await claim(api, limit=9)] == [one["id"]]


@pytest.mark.parametrize("how", ["complete", "fail"])
async def test_the_same_end_again_stores_nothing_and_is_told_the_same(
    api: httpx.AsyncClient, how: str
) -> None:
    lease = await a_lease(api, retry_limit=0)
    first = await end(api, lease, how, submit=NEXT)
    assert await end(api, lease, how, submit=NEXT) == first
    item = {"lease_id": lease["lease_id"], "outcome": how, "submit": NEXT}
    (again,) = (await finish(api, item))["items"]
    assert again["submitted"] == first.pop("submitted")
    assert again["task"] == first
    assert "submitted" not in await end(api, lease, how)
    assert await titles(api) == ["a task", "one", "two"]


async def test_of_what_was_stored_the_rest_is_told_once_some_is_deleted(
    api: httpx.AsyncClient,
) -> None:
    lease = await a_lease(api)
    one, two = (await end(api, lease, submit=NEXT))["submitted"]
    await api.delete(f"/tasks/{one}")
    assert (await end(api, lease, submit=NEXT))["submitted"] == [two]


async def test_an_end_that_stored_nothing_is_told_so(api: httpx.AsyncClient) -> None:
    lease = await a_lease(api)
    assert "submitted" not in await end(api, lease, submit=[])
    assert (await end(api, lease, submit=NEXT))["submitted"] == []
    assert await titles(api) == ["a task"]


@pytest.mark.parametrize("how", ["complete", "fail"])
async def test_a_lease_that_is_gone_stores_nothing(api: httpx.AsyncClient, how: str) -> None:
    lease = await a_lease(api)
    await act(api, lease["task"]["id"], "cancel")
    answer = await api.post(f"/leases/{lease['lease_id']}/{how}", json={"submit": NEXT})
    assert problem(answer, 409).type == "urn:rowlock:lease-is-gone"
    await api.delete(f"/tasks/{lease['task']['id']}")
    answer = await api.post(f"/leases/{lease['lease_id']}/{how}", json={"submit": NEXT})
    problem(answer, 404)
    assert await titles(api) == []


async def test_many_ends_at_once_each_have_their_own(api: httpx.AsyncClient) -> None:
    leases = [await a_lease(api) for _ in range(20)]
    calls = [end(api, le, submit=[{"title": f"after {le['task']['id']}"}]) for le in leases]
    # The same twice, too.
    ended = await asyncio.gather(*calls, end(api, leases[0], submit=[{"title": "again"}]))
    for lease, of_lease in zip([*leases, leases[0]], ended, strict=True):
        (task_id,) = of_lease["submitted"]
        assert (await get(api, task_id))["title"] in (f"after {lease['task']['id']}", "again")
    assert ended[0]["submitted"] == ended[-1]["submitted"]
    assert len(await titles(api)) == 40


async def test_of_many_ends_in_one_call_each_is_answered_in_its_place(
    api: httpx.AsyncClient,
) -> None:
    leases = [await a_lease(api) for _ in range(5)]
    plain, one, gone, refused, two = [{"lease_id": lease["lease_id"]} for lease in leases]
    await act(api, leases[2]["task"]["id"], "cancel")
    answer = await finish(
        api,
        plain | {"outcome": "release", "delay_seconds": 60},
        one | {"outcome": "complete", "submit": [{"title": "after one"}]},
        gone | {"outcome": "complete", "submit": [{"title": "after gone"}]},
        refused | {"outcome": "complete", "submit": [{"title": "x", "depends_on": [10**9]}]},
        two | {"outcome": "fail", "retryable": False, "submit": NEXT},
        claim={"worker": "w", "limit": 10},
    )
    assert [item["status"] for item in answer["items"]] == [200, 200, 409, 422, 200]
    assert [len(item.get("submitted", ())) for item in answer["items"]] == [0, 1, 0, 0, 2]
    assert answer["items"][2]["type"] == "urn:rowlock:lease-is-gone"
    assert answer["items"][2]["task"]["status"] == "cancelled"
    assert answer["items"][3]["type"] == "urn:rowlock:invalid-request"
    (error,) = answer["items"][3]["errors"]
    assert error["field"] == "items.3.submit.0.depends_on.0"
    assert (await get(api, leases[3]["task"]["id"]))["status"] == "in_progress"
    # What they have stored is there for the claim.
    assert sorted(lease["task"]["title"] for lease in answer["leases"]) == ["after one", "one"]


async def test_a_task_of_it_is_heard_of_at_once(
    api: httpx.AsyncClient, begins_to_wait: "asyncio.Queue[None]"
) -> None:
    lease = await a_lease(api)
    poll = asyncio.create_task(claim(api, queues=["other"], wait_seconds=30))
    await begins_to_wait.get()
    ended = await end(api, lease, submit=NEXT)
    (found,) = await poll
    assert found["task"]["id"] == ended["submitted"][1]
    (stats,) = [q for q in (await api.get("/stats")).json()["queues"] if q["queue"] == "other"]
    assert stats["in_progress"] == 1


async def test_they_belong_to_the_trace_of_the_task_they_come_of(api: httpx.AsyncClient) -> None:
    await api.post("/tasks", json={"title": "a"}, headers={"traceparent": PARENT})
    ended = await end(api, await claim_one(api), submit=NEXT)
    for task_id in ended["submitted"]:
        assert (await get(api, task_id))["traceparent"] == PARENT


@pytest.mark.parametrize(
    ("tasks", "field"),
    [
        ([{"title": "a"}] * 3 + [{"title": ""}], "submit.3.title"),
        ([{"title": "a", "status": "done"}], "submit.0.status"),
        (
            [{"title": "a", "depends_on": ["b"]}, {"title": "b", "ref": "b"}],
            "submit.0.depends_on.0",
        ),
        ([{"title": "a", "ref": "b"}, {"title": "b", "ref": "b"}], "submit.1.ref"),
        ([{"title": "a", "unique": {"key": "k", "conflict": "reject"}}] * 2, "submit.0.unique.key"),
        ([{"title": "a"}] * 101, "submit"),
        ({"title": "a"}, "submit"),
        ([{"title": "a", "depends_on": [10**9]}], "submit.0.depends_on.0"),
        ([{"title": "a"}, {"title": "b", "blocks": [10**9]}], "submit.1.blocks.0"),
    ],
)
async def test_bad_tasks_are_named_and_the_attempt_goes_on(
    api: httpx.AsyncClient, tasks: Any, field: str
) -> None:
    lease = await a_lease(api)
    for how in ("complete", "fail"):
        answer = await api.post(f"/leases/{lease['lease_id']}/{how}", json={"submit": tasks})
        problem(answer, 422, field)
    good = await a_lease(api)
    items = [{"lease_id": le["lease_id"], "outcome": "complete"} for le in (good, lease)]
    answer = await api.post(
        "/leases/finish", json={"items": [items[0], items[1] | {"submit": tasks}]}
    )
    if answer.status_code == 200:  # it could not be known before
        assert answer.json()["items"][1]["errors"][0]["field"] == f"items.1.{field}"
    else:
        problem(answer, 422, f"items.1.{field}")
    assert (await get(api, lease["task"]["id"]))["status"] == "in_progress"
    assert await titles(api) == ["a task"] * 2


async def test_a_release_stores_nothing(api: httpx.AsyncClient) -> None:
    lease = await a_lease(api)
    item = {"lease_id": lease["lease_id"], "outcome": "release", "submit": NEXT}
    problem(await api.post("/leases/finish", json={"items": [item]}), 422, "items.0.outcome")
    answer = await api.post(f"/leases/{lease['lease_id']}/release", json={"submit": NEXT})
    problem(answer, 422, "submit")
    assert (await get(api, lease["task"]["id"]))["status"] == "in_progress"


async def test_an_end_without_tasks_pays_no_statement_and_one_with_tasks_few(
    api: httpx.AsyncClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    driver = Connection._execute

    async def noted(connection: Connection, statement: str, *arguments: Any) -> Any:
        # Of the clock's own there is one a second, whoever comes first.
        if "UTC_TIMESTAMP(6), (SELECT" not in statement and "processes" not in statement:
            sent.append(statement)
        return await driver(connection, statement, *arguments)

    monkeypatch.setattr(Connection, "_execute", noted)

    async def round_trips(**fields: Any) -> list[str]:
        lease = await a_lease(api)
        sent.clear()
        await end(api, lease, **fields)
        return [*sent]

    plain = await round_trips()
    assert len(plain) == 2, "the task, and what follows with the commit"
    assert not any("idempotency_keys" in statement for statement in plain)
    assert len(await round_trips(submit=[])) == 2
    assert len(await round_trips(submit=[{"title": "a", "queue": "b"}])) == 3, "the new one"
    assert len(everything_stored(engine)["idempotency_keys"]) == 1


async def test_an_end_from_memory_that_missed_a_change_is_decided_anew(
    api: httpx.AsyncClient,
) -> None:
    lease = await a_lease(api)
    await api.patch(f"/tasks/{lease['task']['id']}", json={"priority": "高"})
    ended = await end(api, lease, submit=NEXT)
    assert (ended["status"], ended["priority"]) == ("done", "高")
    assert await titles(api) == ["a task", "one", "two"]


async def test_tags_are_made_and_one_that_is_gone_is_made_again(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    first = await a_lease(api)
    (one, _) = (await end(api, first, submit=NEXT))["submitted"]
    await api.delete(f"/tasks/{one}")
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM tags")
    await submit(api, queue="third")
    second = await claim_one(api, queues=["third"])
    (one, _) = (await end(api, second, submit=NEXT))["submitted"]
    assert (await get(api, one))["tags"] == ["next"]
