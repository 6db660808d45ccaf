"""Many tasks in one call: in order, all or nothing."""

import asyncio

import httpx
import pytest
from sqlalchemy import Engine, text

from tests.support.calls import problem, submit
from tests.support.stored import everything_stored


async def test_a_batch_is_answered_in_its_order(api: httpx.AsyncClient) -> None:
    asked = [
        {"title": f"task {n}", "tags": [f"tag {n % 3}", "all"], "priority": "高中低"[n % 3]}
        for n in range(10)
    ]
    answer = await api.post("/tasks/batch", json={"tasks": asked})

    assert answer.status_code == 201
    tasks = answer.json()
    assert [(t["title"], t["tags"], t["priority"]) for t in tasks] == [
        (a["title"], sorted(a["tags"]), a["priority"]) for a in asked
    ]
    ids = [task["id"] for task in tasks]
    assert ids == sorted(set(ids))
    listed = await api.get("/tasks", params={"order": "asc"})
    assert listed.json() == tasks
    assert {t["name"]: t["tasks"] for t in (await api.get("/tags")).json()} == {
        "all": 10,
        "tag 0": 4,
        "tag 1": 3,
        "tag 2": 3,
    }


async def test_a_thousand_tasks_are_a_batch_and_one_more_is_not(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    tasks = [{"title": f"task {n}"} for n in range(1001)]

    problem(await api.post("/tasks/batch", json={"tasks": tasks}), 422, "tasks")
    assert not everything_stored(engine)["tasks"]

    answer = await api.post("/tasks/batch", json={"tasks": tasks[:1000]})
    assert answer.status_code == 201
    assert [task["title"] for task in answer.json()] == [f"task {n}" for n in range(1000)]
    with engine.connect() as connection:
        titles = connection.scalars(text("SELECT title FROM tasks ORDER BY id")).all()
    assert titles == [f"task {n}" for n in range(1000)]


async def test_one_bad_task_keeps_the_whole_batch_out_and_is_named(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    tasks = [{"title": f"task {n}", "tags": ["new"]} for n in range(5)]
    tasks[3]["title"] = ""

    found = problem(await api.post("/tasks/batch", json={"tasks": tasks}), 422)

    assert [error["field"] for error in found.errors or ()] == ["tasks.3.title"]
    assert not any(everything_stored(engine).values())


async def test_every_fault_of_a_batch_is_named_at_once(api: httpx.AsyncClient) -> None:
    tasks = [{"title": "good"}, {"title": 1, "status": "done"}, {"tags": ["good", ""]}]
    found = problem(await api.post("/tasks/batch", json={"tasks": tasks}), 422)
    assert {error["field"] for error in found.errors or ()} == {
        "tasks.1.title",
        "tasks.1.status",
        "tasks.2.title",
        "tasks.2.tags.1",
    }


async def test_a_batch_of_more_than_one_statement_is_stored_in_order(
    api: httpx.AsyncClient,
) -> None:
    payloads = [f"{n:03}" + "x" * 250_000 for n in range(30)]
    answer = await api.post(
        "/tasks/batch", json={"tasks": [{"title": p[:3], "payload": p} for p in payloads]}
    )
    assert answer.status_code == 201
    listed = await api.get("/tasks", params={"order": "asc"})
    assert [(t["title"], t["payload"]) for t in listed.json()] == [(p[:3], p) for p in payloads]


@pytest.mark.parametrize("batch", [{}, {"tasks": []}, {"tasks": None}, {"tasks": {"title": "x"}}])
async def test_a_batch_without_tasks_is_refused(
    api: httpx.AsyncClient, batch: dict[str, object]
) -> None:
    problem(await api.post("/tasks/batch", json=batch), 422, "tasks")


async def test_calls_of_every_size_at_once_get_their_own_tasks(api: httpx.AsyncClient) -> None:
    async def batch(number: int) -> list[str]:
        tasks = [{"title": f"{number}.{n}"} for n in range(number)]
        answer = await api.post("/tasks/batch", json={"tasks": tasks})
        return [task["title"] for task in answer.json()]

    async def single(number: int) -> list[str]:
        return [(await submit(api, title=str(number)))["title"]]

    answers = await asyncio.gather(
        *(batch(n) for n in range(1, 20)), *(single(n) for n in range(1, 20))
    )
    assert answers[:19] == [[f"{n}.{i}" for i in range(n)] for n in range(1, 20)]
    assert answers[19:] == [[str(n)] for n in range(1, 20)]
