"""`Idempotency-Key`: a call that is sent again stores nothing again, however it is sent."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, Engine

from app.mysql.connection import Connection as Queue
from app.service import pages
from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import claim, complete, document, get, problem
from tests.support.sdk import Face
from tests.support.stored import everything_stored

pytest_plugins = ["tests.support.sdk_clients"]

BODY = {"title": "a task", "tags": ["a"], "payload": {"n": 1}}


async def send(
    api: httpx.AsyncClient, key: str, body: Any = BODY, path: str = "/tasks"
) -> httpx.Response:
    return await api.post(path, json=body, headers={"Idempotency-Key": key})


async def test_the_same_key_and_body_again_give_the_same_task(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    first = await send(api, "key")
    again = await send(api, "key")

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert len(everything_stored(engine)["tasks"]) == 1


async def test_the_task_is_answered_as_it_is_by_now(api: httpx.AsyncClient) -> None:
    task = document(await send(api, "key"))
    await api.patch(f"/tasks/{task['id']}", json={"priority": "高"})

    again = document(await send(api, "key"))

    assert again == await get(api, task["id"])
    assert again["priority"] == "高"


async def test_the_same_key_with_another_body_is_refused(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await send(api, "key")
    before = everything_stored(engine)

    found = problem(await send(api, "key", BODY | {"payload": {"n": 2}}), 422)

    assert "Idempotency-Key" in found.detail
    assert everything_stored(engine) == before


async def test_keys_that_differ_in_case_alone_are_different(api: httpx.AsyncClient) -> None:
    assert [(await send(api, key)).status_code for key in ("key", "KEY", "Key")] == [201] * 3


async def test_the_same_key_many_times_at_once_makes_one_task(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    answers = await asyncio.gather(*(send(api, "key") for _ in range(20)))

    assert sorted(a.status_code for a in answers) == [200] * 19 + [201]
    assert len({a.json()["id"] for a in answers}) == 1
    assert len(everything_stored(engine)["tasks"]) == 1


async def test_neighbours_in_one_batch_of_calls_answer_for_themselves(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await send(api, "used", {"title": "before"})
    await send(api, "tags")  # from now on no call waits for its tags, and they keep their order

    answers = await asyncio.gather(
        send(api, "first"),  # goes at once; those after it share one transaction
        send(api, "used", {"title": "before"}),
        send(api, "used", {"title": "other"}),
        send(api, "new"),
        send(api, "new", {"title": "other"}),
        send(api, "new"),
        api.post("/tasks", json=BODY),
    )

    assert [a.status_code for a in answers] == [201, 200, 422, 201, 422, 200, 201]
    assert answers[5].json() == answers[3].json()
    assert len(everything_stored(engine)["tasks"]) == 5


async def test_a_batch_has_one_key_for_all_its_tasks(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    batch = {"tasks": [{"title": f"task {n}"} for n in range(3)]}
    first = await send(api, "key", batch, "/tasks/batch")
    again = await send(api, "key", batch, "/tasks/batch")

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert len(everything_stored(engine)["tasks"]) == 3

    shorter = {"tasks": batch["tasks"][:2]}
    problem(await send(api, "key", shorter, "/tasks/batch"), 422)
    problem(await send(api, "key", {"title": "task 0"}), 422)


async def test_a_batch_that_has_grown_is_answered_without_the_long_fields_of_its_last_tasks(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, client: Face
) -> None:
    monkeypatch.setattr(pages, "SMALL_PAGE_BYTES", 10_000)
    monkeypatch.setattr(pages, "PAGE_BYTES", 50_000)
    batch = {"tasks": [{"title": f"task {n}", "queue": "grown"} for n in range(10)]}
    first = (await send(api, "key", batch, "/tasks/batch")).json()
    for lease in await claim(api, queues=["grown"], limit=9):
        await complete(api, lease, "x" * 20_000)

    again = await send(api, "key", batch, "/tasks/batch")

    assert again.status_code == 200
    tasks = again.json()
    assert [task["id"] for task in tasks] == [task["id"] for task in first]
    assert [task["status"] for task in tasks] == ["done"] * 9 + ["to_do"]
    left_out = {"description", "payload", "result", "error"}
    assert [len(task.get("result") or "") for task in tasks] == [20_000] * 3 + [0] * 7
    for task in tasks[3:]:
        assert set(first[0]) - set(task) == left_out, "left out, and not null"
    whole = await get(api, tasks[0]["id"])
    assert tasks[0] == whole

    found = await client.submit_batch(batch["tasks"], idempotency_key="key")
    assert [task.id for task in found] == [task["id"] for task in first]
    assert [task.is_summary for task in found] == [False] * 3 + [True] * 7
    assert not (await client.get(found[5].id)).is_summary


async def test_a_key_that_is_asked_for_with_other_bodies_reads_one_row_of_its_many(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    batch = {"tasks": [{"title": f"task {n}"} for n in range(1000)]}
    assert (await send(api, "key", batch, "/tasks/batch")).status_code == 201
    with engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE TABLE idempotency_keys").all()
        before = sent_bytes(connection)
        await asyncio.gather(*(send(api, "key") for _ in range(50)))
        assert sent_bytes(connection) - before < 200_000


def sent_bytes(connection: Connection) -> int:
    """By MySQL, to everybody, since its start."""
    shown = connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'Bytes_sent'")
    return int(shown.one()[1])


async def test_the_first_tasks_of_a_batch_may_be_deleted_and_its_key_is_still_used(
    api: httpx.AsyncClient,
) -> None:
    batch = {"tasks": [{"title": f"task {n}"} for n in range(4)]}
    first = (await send(api, "key", batch, "/tasks/batch")).json()
    for task in first[:2]:
        await api.delete(f"/tasks/{task['id']}")
    again = await send(api, "key", batch, "/tasks/batch")
    assert (again.status_code, again.json()) == (200, first[2:])
    problem(await send(api, "key", {"tasks": batch["tasks"][:2]}, "/tasks/batch"), 422)


async def test_the_longest_key_is_kept_whole(api: httpx.AsyncClient) -> None:
    assert (await send(api, "k" * 127 + "1")).status_code == 201
    assert (await send(api, "k" * 127 + "2")).status_code == 201
    assert (await send(api, "k" * 127 + "1")).status_code == 200


@pytest.mark.parametrize("key", ["", "k" * 129, "two words", "clé", "钥匙", "tab\t"])
@pytest.mark.parametrize("path", ["/tasks", "/tasks/batch"])
async def test_a_key_that_is_none_is_refused_by_name(
    api: httpx.AsyncClient, engine: Engine, key: str, path: str
) -> None:
    body = BODY if path == "/tasks" else {"tasks": [BODY]}
    answer = await api.post(path, json=body, headers={b"Idempotency-Key": key.encode()})
    problem(answer, 422, "Idempotency-Key")
    assert not any(everything_stored(engine).values())


@pytest.mark.parametrize(
    "name", ["Idempotency-Key", "Content-Type", "Content-Encoding", "Authorization"]
)
async def test_a_header_that_counts_is_given_once(
    api: httpx.AsyncClient, settings: Settings, engine: Engine, name: str
) -> None:
    """Others on the way may have seen the other one."""
    values = {
        "Idempotency-Key": ("a", "a"),
        "Content-Type": ("application/json", "application/json"),
        "Content-Encoding": ("identity", "gzip"),
        "Authorization": ("Bearer secret", "Bearer other"),
    }
    secured = settings.model_copy(update={"client_tokens": ("secret",)})
    own = {"Content-Type": "application/json", "Authorization": "Bearer secret"}
    headers = [*((n, v) for n, v in own.items() if n != name), *((name, v) for v in values[name])]
    async with serving(secured) as guarded:
        answer = await guarded.post("/tasks", content=b'{"title": "x"}', headers=headers)
    problem(answer, 422, name)
    assert not any(everything_stored(engine).values())


async def test_a_key_is_free_again_when_its_task_is_deleted(api: httpx.AsyncClient) -> None:
    first = document(await send(api, "key"))
    await api.delete(f"/tasks/{first['id']}")
    again = await send(api, "key", {"title": "other"})
    assert again.status_code == 201
    assert again.json()["id"] != first["id"]


async def test_a_task_and_a_batch_of_one_are_not_the_same_call(api: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "either"}
    task = {"title": "t"}
    assert (await api.post("/tasks", json=task, headers=key)).status_code == 201
    assert (await api.post("/tasks", json=task, headers=key)).status_code == 200
    problem(await api.post("/tasks/batch", json={"tasks": [task]}, headers=key), 422)


async def test_a_new_key_costs_no_round_trip(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(api, "first")  # which reads the time, and the tag
    sent: list[str] = []
    execute = Queue._execute

    async def noted(connection: Queue, statement: str, *arguments: Any) -> Any:
        sent.append(statement)
        return await execute(connection, statement, *arguments)

    monkeypatch.setattr(Queue, "_execute", noted)
    assert (await api.post("/tasks", json=BODY)).status_code == 201
    without = len(sent)
    assert (await send(api, "second")).status_code == 201

    assert len(sent) - without == without == 2, sent


async def test_where_keys_come_again_new_ones_beside_them_are_stored(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await send(api, "old")
    answers = await asyncio.gather(*(send(api, key) for key in ("old", "new", "old", "newer")))

    assert [answer.status_code for answer in answers] == [200, 201, 200, 201]
    assert len(everything_stored(engine)["tasks"]) == 3
