"""Actions on all tasks that match, page by page; and deleting them."""

import asyncio
from typing import Any

import httpx
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.service.resources import Resources
from tests.concurrency.ordering import held_open, until_blocked
from tests.concurrency.steps import claim as claiming
from tests.concurrency.steps import delete as deleting
from tests.support.calls import Document, claim, document, get, problem, submit
from tests.support.factories import TaskFactory


async def act(api: httpx.AsyncClient, action: str, **asked: Any) -> Document:
    answer = await api.post(f"/admin/tasks/{action}", params=asked)
    assert answer.status_code == 200, answer.text
    return document(answer)


async def submit_many(api: httpx.AsyncClient, count: int, **fields: Any) -> list[int]:
    tasks = [{"title": "t", **fields}] * count
    answer = await api.post("/tasks/batch", json={"tasks": tasks})
    return [task["id"] for task in answer.json()]


async def standing(api: httpx.AsyncClient, ids: list[int]) -> list[str]:
    return [(await get(api, task_id))["status"] for task_id in ids]


def count_rows(engine: Engine, *tables: str) -> dict[str, int]:
    with engine.connect() as connection:
        found = (connection.execute(text(f"SELECT COUNT(*) FROM {t}")) for t in tables)
        return {table: int(n.scalar_one()) for table, n in zip(tables, found, strict=True)}


async def test_a_page_acts_on_so_many_and_says_where_the_next_begins(
    api: httpx.AsyncClient,
) -> None:
    ids = await submit_many(api, 5, queue="mail")
    await submit(api)

    first = await act(api, "pause", queue="mail", limit=2)
    assert (first["matched"], first["changed"]) == (2, 2)
    assert await standing(api, ids) == ["paused"] * 2 + ["to_do"] * 3

    second = await act(api, "pause", queue="mail", limit=3, after=first["next"])
    assert second == {"matched": 3, "changed": 3, "next": None}
    assert await standing(api, ids) == ["paused"] * 5


async def test_a_page_of_more_than_one_batch_goes_as_far_as_it_says(
    api: httpx.AsyncClient,
) -> None:
    await submit_many(api, 1000, queue="mail")
    await submit_many(api, 3, queue="mail")

    first = await act(api, "pause", queue="mail", limit=1000)
    assert (first["matched"], first["changed"]) == (1000, 1000)
    last = await act(api, "pause", queue="mail", after=first["next"])
    assert last == {"matched": 3, "changed": 3, "next": None}


async def test_a_page_again_after_a_lost_answer_changes_nothing_more(
    api: httpx.AsyncClient,
) -> None:
    """Whoever was killed before the answer goes on from where he knows of."""
    ids = await submit_many(api, 4, queue="mail")
    first = await act(api, "cancel", queue="mail", limit=2)
    again = await act(api, "cancel", queue="mail", limit=2)

    assert again == {**first, "changed": 0}
    rest = await act(api, "cancel", queue="mail", limit=2, after=again["next"])
    assert rest == {"matched": 2, "changed": 2, "next": None}
    assert await standing(api, ids) == ["cancelled"] * 4


async def test_tasks_whose_filter_no_longer_holds_do_not_shift_the_pages(
    api: httpx.AsyncClient,
) -> None:
    """Those of the first page are no longer to_do when the second is asked for."""
    ids = await submit_many(api, 5)
    first = await act(api, "cancel", status="to_do", limit=2)
    await act(api, "delete", id=ids[1])
    second = await act(api, "cancel", status="to_do", limit=2, after=first["next"])
    third = await act(api, "cancel", status="to_do", limit=2, after=second["next"])

    assert [page["changed"] for page in (first, second, third)] == [2, 2, 1]
    assert third["next"] is None


async def test_where_a_page_begins_is_good_for_its_action_and_its_filters_only(
    api: httpx.AsyncClient,
) -> None:
    ids = await submit_many(api, 3, queue="mail")
    after = (await act(api, "pause", queue="mail", limit=1))["next"]
    listed = await api.get("/tasks", params={"queue": "mail", "order": "asc", "limit": 1})
    cursor = httpx.URL(listed.links["next"]["url"]).params["cursor"]

    for action, asked in (
        ("cancel", {"queue": "mail", "after": after}),
        ("pause", {"queue": "image", "after": after}),
        ("pause", {"queue": "mail", "after": after[:-1]}),
        ("pause", {"queue": "mail", "after": cursor}),
        ("pause", {"queue": "mail", "after": ""}),
    ):
        problem(await api.post(f"/admin/tasks/{action}", params=asked), 422, "after")
    assert await standing(api, ids) == ["paused", "to_do", "to_do"]


async def test_deleted_in_pages_are_tasks_of_any_state_with_all_that_is_theirs(
    api: httpx.AsyncClient, engine: Engine, session: Session
) -> None:
    for trait in ("to_do", "in_progress", "done", "paused", "retrying", "failed", "cancelled"):
        TaskFactory(queue="mail", tags=["a"], **({} if trait == "to_do" else {trait: True}))
    key = {"Idempotency-Key": "k"}
    body = {"title": "t", "queue": "mail", "tags": ["a"], "retry_delay_seconds": 0}
    first = (await api.post("/tasks", json=body, headers=key)).json()
    stays = await submit(api)

    page = await act(api, "delete", queue="mail", limit=5)
    assert (page["matched"], page["changed"]) == (5, 5)
    page = await act(api, "delete", queue="mail", limit=5, after=page["next"])
    assert page == {"matched": 3, "changed": 3, "next": None}
    left = count_rows(engine, "tasks", "task_tags", "task_attempts", "idempotency_keys")
    assert left == {"tasks": 1, "task_tags": 0, "task_attempts": 0, "idempotency_keys": 0}
    assert await get(api, stays["id"]) == stays
    again = await api.post("/tasks", json=body, headers=key)
    assert (again.status_code, again.json()["id"] > first["id"]) == (201, True)


async def test_more_tasks_than_one_batch_are_all_deleted(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await submit_many(api, 250, queue="mail", tags=["a", "b"])
    await submit(api)
    page = await act(api, "delete", tag="a", limit=201, expect_at_most=250)
    assert (page["matched"], page["changed"]) == (201, 201)
    page = await act(api, "delete", tag="a", after=page["next"])
    assert page == {"matched": 49, "changed": 49, "next": None}
    assert count_rows(engine, "tasks", "task_tags") == {"tasks": 1, "task_tags": 0}


async def test_a_deleted_task_is_gone_for_its_worker_its_counters_and_whoever_waits(
    api: httpx.AsyncClient,
) -> None:
    task = await submit(api, tags=["a"])
    (lease,) = await claim(api)
    waiting = asyncio.create_task(api.get(f"/tasks/{task['id']}?wait_seconds=60"))
    await asyncio.sleep(0)

    assert await act(api, "delete", tag="a") == {"matched": 1, "changed": 1, "next": None}
    for call in ("heartbeat", "complete", "fail", "release"):
        problem(await api.post(f"/leases/{lease['lease_id']}/{call}", json={}), 404)
    assert (await waiting).status_code == 404
    problem(await api.get(f"/tasks/{task['id']}"), 404)
    assert (await api.get("/tags")).json() == []
    assert (await api.get("/stats")).json()["queues"] == []


async def test_one_task_is_deleted_at_the_clients_door_only(api: httpx.AsyncClient) -> None:
    task = await submit(api)
    problem(await api.post(f"/admin/tasks/{task['id']}/delete"), 422, "action")
    assert await get(api, task["id"]) == task


async def test_two_at_once_change_each_task_once(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    ids = await submit_many(api, 20, queue="default")
    async with held_open(resources.database, claiming()):
        both = [
            asyncio.create_task(act(api, action, queue="default", limit=20))
            for action in ("cancel", "cancel")
        ]
        await until_blocked(engine, 2)
    answers = await asyncio.gather(*both)

    assert sum(answer["changed"] for answer in answers) == 20
    assert [answer["matched"] for answer in answers] == [20, 20]
    assert await standing(api, ids) == ["cancelled"] * 20


async def test_a_delete_and_a_cancel_at_once_leave_nothing(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    await submit_many(api, 20, queue="default")
    async with held_open(resources.database, claiming()):
        both = [
            asyncio.create_task(act(api, action, queue="default"))
            for action in ("delete", "cancel")
        ]
        await until_blocked(engine, 2)
    deleted, _ = await asyncio.gather(*both)

    assert deleted["changed"] == 20
    assert count_rows(engine, "tasks") == {"tasks": 0}


async def test_what_runs_by_the_time_its_turn_comes_is_not_deleted(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    """Whoever deletes what waits does not mean what runs."""
    first, second = await submit_many(api, 2)
    async with held_open(resources.database, claiming()):
        clearing = asyncio.create_task(act(api, "delete", status="to_do", limit=10))
        await until_blocked(engine)

    assert await clearing == {"matched": 2, "changed": 1, "next": None}
    assert (await get(api, first))["status"] == "in_progress"
    problem(await api.get(f"/tasks/{second}"), 404)


async def test_what_is_deleted_meanwhile_is_left_out(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    first, second = await submit_many(api, 2)
    for action in ("pause", "delete"):
        gone = first if action == "pause" else await submit(api)
        gone_id = gone if isinstance(gone, int) else gone["id"]
        async with held_open(resources.database, deleting(gone_id)):
            acting = asyncio.create_task(act(api, action, queue="default"))
            await until_blocked(engine)
        assert (await acting)["changed"] == 1
    problem(await api.get(f"/tasks/{second}"), 404)
