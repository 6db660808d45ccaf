"""Unique keys: of the tasks of a queue that were submitted with one, one holds it at a time."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from app.mysql.connection import Connection
from app.queue import placing
from app.service import sweeping
from app.service.resources import Resources
from tests.support import calls
from tests.support.calls import Document, document, problem, submit

KEY = {"key": "customer-17"}
ACTIVE = KEY | {"while": "active"}


async def send(api: httpx.AsyncClient, unique: Document = KEY, **fields: Any) -> httpx.Response:
    return await api.post("/tasks", json={"title": "sync", "unique": unique} | fields)


async def stored(api: httpx.AsyncClient, unique: Document = KEY, **fields: Any) -> Document:
    """A task that did not find the key held."""
    return await submit(api, title="sync", unique=unique, **fields)


def seconds(task: Document) -> float:
    """From its creation to when it may be claimed."""
    until, since = map(datetime.fromisoformat, (task["available_at"], task["created_at"]))
    return (until - since).total_seconds()


async def act(api: httpx.AsyncClient, task: Document, action: str) -> Document:
    answer = await api.post(f"/admin/tasks/{task['id']}/{action}")
    assert answer.status_code == 200, answer.text
    return document(answer)


def held_by(engine: Engine) -> list[int]:
    """The tasks that hold a key, by the table of keys."""
    with engine.connect() as connection:
        return [*connection.execute(text("SELECT task_id FROM unique_keys ORDER BY 1")).scalars()]


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
    await act(api, first, "pause")
    assert (await send(api)).json()["id"] == first["id"], "pausing keeps it"
    await act(api, first, "resume")

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
    await act(api, first, "cancel")
    assert (await act(api, first, "retry"))["unique_key"] is None
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
        await act(api, first, "cancel")
    elif end == "delete":
        assert (await api.delete(f"/tasks/{first['id']}")).status_code == 204
    else:
        way = end.removesuffix(" all")
        answer = await api.post(f"/admin/tasks/{way}", params={"queue": "default"})
        assert answer.json()["changed"] == 1

    assert held_by(engine) == []
    assert (await stored(api, unique))["id"] != first["id"]


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


async def test_a_debounced_task_waits_until_nothing_has_come_for_so_long(
    api: httpx.AsyncClient,
    later: Callable[[float], None],
    resources: Resources,
) -> None:
    unique = KEY | {"debounce_seconds": 60, "debounce_limit_seconds": 90}

    first = await stored(api, unique, payload=1)
    assert seconds(first) == 60
    assert first["waiting_on"] == "time"
    later(20)
    second = await send(api, unique, payload=2)
    assert (second.status_code, second.json()["id"]) == (200, first["id"])
    assert 80 <= seconds(second.json()) < 85
    later(20)
    third = document(await send(api, unique, payload=3))
    assert seconds(third) == 90, "the limit counts from its creation"

    later(50)
    assert await sweeping.promote(resources) == 1
    fourth = document(await send(api, unique, payload=4))
    assert (fourth["waiting_on"], fourth["payload"]) == (None, 4), "it has waited long enough"
    assert (await calls.claim_one(api))["task"]["payload"] == 4
    assert (await stored(api, unique))["id"] != first["id"]


async def test_a_ranked_task_that_is_debounced_waits_again(api: httpx.AsyncClient) -> None:
    task = await stored(api)
    assert task["waiting_on"] is None

    again = document(await send(api, KEY | {"debounce_seconds": 60}))

    assert (again["id"], again["waiting_on"]) == (task["id"], "time")
    assert await calls.claim(api) == []


async def test_a_paused_task_that_is_debounced_stays_paused(api: httpx.AsyncClient) -> None:
    task = await stored(api)
    await act(api, task, "pause")

    again = document(await send(api, KEY | {"debounce_seconds": 60}))

    assert (again["status"], again["waiting_on"]) == ("paused", None)
    assert (await act(api, task, "resume"))["waiting_on"] == "time"


async def test_without_a_limit_it_is_ten_times_as_long(
    api: httpx.AsyncClient, later: Callable[[float], None]
) -> None:
    unique = KEY | {"debounce_seconds": 10}
    await stored(api, unique)
    later(99)
    task = document(await send(api, unique))
    assert seconds(task) == 100


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
    await act(api, first, "cancel")

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
    await act(api, first, "cancel")
    assert first["id"] not in held_by(engine)
    assert len(held_by(engine)) == 2, "what ends gives back no key that another one has"


@pytest.mark.parametrize(
    ("unique", "field", "word"),
    [
        ({}, "unique.key", "required"),
        (KEY | {"key": ""}, "unique.key", "at least 1"),
        (KEY | {"key": "x" * 129}, "unique.key", "at most 128"),
        (KEY | {"key": "a\0"}, "unique.key", "NUL"),
        (KEY | {"while": "running"}, "unique.while", "waiting"),
        (KEY | {"hold": "active"}, "unique.hold", "unknown"),
        (KEY | {"conflict": "skip"}, "unique.conflict", "keep"),
        (KEY | {"debounce_seconds": 0}, "unique.debounce_seconds", "greater"),
        (KEY | {"debounce_seconds": 86_401}, "unique.debounce_seconds", "less"),
        (ACTIVE | {"debounce_seconds": 5}, "unique.debounce_seconds", "active"),
        (
            KEY | {"debounce_seconds": 5, "conflict": "keep"},
            "unique.debounce_seconds",
            "always replaces",
        ),
        (KEY | {"debounce_limit_seconds": 5}, "unique.debounce_limit_seconds", "no debounce"),
        (
            KEY | {"debounce_seconds": 6, "debounce_limit_seconds": 5},
            "unique.debounce_limit_seconds",
            "at least debounce_seconds",
        ),
        ("customer-17", "unique", "object"),
    ],
)
async def test_what_is_no_unique_key_is_refused_by_name(
    api: httpx.AsyncClient, unique: Any, field: str, word: str
) -> None:
    for path, body, prefix in (
        ("/tasks", {"title": "x", "unique": unique}, ""),
        ("/tasks/batch", {"tasks": [{"title": "x"}, {"title": "x", "unique": unique}]}, "tasks.1."),
    ):
        found = problem(await api.post(path, json=body), 422, prefix + field)
        assert word in found.detail


async def test_what_contradicts_it_is_refused_by_name(api: httpx.AsyncClient) -> None:
    debounced = {"unique": KEY | {"debounce_seconds": 5}, "available_at": "2030-01-01T00:00:00Z"}
    assert (
        "debounce" in problem(await api.post("/tasks", json={"title": "x"} | debounced), 422).detail
    )
    both = [{"title": "x", "unique": KEY}, {"title": "x", "unique": KEY | {"conflict": "reject"}}]
    problem(await api.post("/tasks/batch", json={"tasks": both}), 422, "tasks.1.unique.key")
    task = await stored(api)
    problem(await api.patch(f"/tasks/{task['id']}", json={"unique": KEY}), 422, "unique")


async def test_a_call_without_a_key_pays_no_statement_and_one_with_a_key_few(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    driver = Connection._execute

    async def noted(connection: Connection, statement: str, *arguments: Any) -> Any:
        # Of the clock's own there is one a second, whoever comes first.
        if "UTC_TIMESTAMP(6), (SELECT" not in statement and "processes" not in statement:
            sent.append(statement)
        return await driver(connection, statement, *arguments)

    monkeypatch.setattr(Connection, "_execute", noted)

    async def round_trips(fields: Document) -> list[str]:
        sent.clear()
        answer = await api.post("/tasks", json={"title": "x"} | fields)
        assert answer.status_code in (200, 201), answer.text
        return [*sent]

    plain = await round_trips({})
    assert len(plain) == 2, "the task, and all else with the commit"
    assert not any("unique_key" in statement for statement in plain)
    new = await round_trips({"unique": KEY})
    assert len(new) == 4, "a look, one more with the lock, the task; the key goes with the commit"
    assert len(await round_trips({"unique": KEY})) == 2, (
        "the keys, the holder, and no commit of any"
    )
    replaced = await round_trips({"unique": KEY | {"conflict": "replace"}, "payload": 1})
    assert len(replaced) == 3, "the keys, the holder, its change"

    async def of_claim(limit: int) -> list[str]:
        sent.clear()
        assert len(await calls.claim(api, limit=limit)) == limit
        return [*sent]

    first = await of_claim(1)
    assert not any("unique_keys" in statement for statement in first)
    second = await of_claim(1)
    assert len(second) == len(first), "the key goes with the commit"
    assert "DELETE unique_keys" in second[-1]
