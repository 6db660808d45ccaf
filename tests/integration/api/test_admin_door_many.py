"""Management's hand on all tasks that match a filter."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.service.resources import Resources
from tests.concurrency.ordering import held_open, until_blocked
from tests.concurrency.steps import claim as claiming
from tests.support.calls import Document, claim, document, get, problem, submit
from tests.support.factories import TaskFactory


async def act_on_all(api: httpx.AsyncClient, action: str, **filters: Any) -> Document:
    answer = await api.post(f"/admin/tasks/{action}", params=filters)
    assert answer.status_code == 200, answer.text
    return document(answer)


def done(count: int) -> Document:
    return {"matched": count, "changed": count, "next": None}


async def statuses(api: httpx.AsyncClient) -> dict[str, str]:
    return {task["title"]: task["status"] for task in (await api.get("/tasks")).json()}


async def test_all_that_match_are_changed_where_their_state_allows_it(
    api: httpx.AsyncClient, session: Session
) -> None:
    for trait in ("to_do", "in_progress", "done", "paused", "retrying", "failed", "cancelled"):
        for queue in ("mail", "image"):
            fields = {} if trait == "to_do" else {trait: True}
            TaskFactory(title=f"{trait} {queue}", queue=queue, **fields)
    before = await statuses(api)
    answer = await act_on_all(api, "cancel", queue="mail")

    assert answer == {"matched": 7, "changed": 4, "next": None}
    cancelled = {f"{trait} mail" for trait in ("to_do", "in_progress", "paused", "retrying")}
    assert await statuses(api) == {
        title: "cancelled" if title in cancelled else status for title, status in before.items()
    }


@pytest.mark.parametrize(
    ("action", "fields", "filters"),
    [
        ("pause", {"priority": "高"}, {"priority": "high"}),
        ("resume", {"paused": True, "tags": ["a", "b"]}, {"tag": ["a", "b"]}),
        ("cancel", {"title": "50% off_er"}, {"title": "50% off_"}),
        ("retry", {"failed": True}, {"status": "failed"}),
    ],
)
async def test_every_action_takes_the_filters_of_lists(
    api: httpx.AsyncClient, session: Session, action: str, fields: Document, filters: Document
) -> None:
    TaskFactory(title="another", priority="低")
    matching = [TaskFactory(**fields).id for _ in range(3)]
    target = {"pause": "paused", "cancel": "cancelled"}.get(action, "to_do")

    assert await act_on_all(api, action, **filters) == done(3)
    assert [(await get(api, task_id))["status"] for task_id in matching] == [target] * 3
    assert (await statuses(api))["another"] == "to_do"


async def test_a_dry_run_only_counts(api: httpx.AsyncClient) -> None:
    tasks = [await submit(api) for _ in range(3)]

    answer = await act_on_all(api, "cancel", status="to_do", dry_run="true")

    assert answer["matched"] == 3
    assert answer["changed"] == 0
    assert [await get(api, task["id"]) for task in tasks] == tasks


@pytest.mark.parametrize("query", ["", "dry_run=true", "dry_run=false"])
async def test_without_a_filter_nothing_is_done(api: httpx.AsyncClient, query: str) -> None:
    task = await submit(api)

    assert "filter" in problem(await api.post(f"/admin/tasks/cancel?{query}"), 422).detail
    assert await get(api, task["id"]) == task


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=open", "status"),
        ("queue=Mail", "queue"),
        ("id=0", "id"),
        ("queue=mail&limit=0", "limit"),
        ("queue=mail&limit=1001", "limit"),
        ("queue=mail&after=x", "after"),
        ("queue=mail&expect_at_most=-1", "expect_at_most"),
        ("queue=mail&expect_at_most=100001", "expect_at_most"),
        ("cursor=x", "cursor"),
        ("order=asc", "order"),
        ("tgas=a", "tgas"),
        ("queue=mail&dry_run=perhaps", "dry_run"),
        ("created_after=yesterday", "created_after"),
    ],
)
async def test_a_malformed_filter_is_refused_by_name(
    api: httpx.AsyncClient, query: str, field: str
) -> None:
    task = await submit(api, queue="mail")

    problem(await api.post(f"/admin/tasks/cancel?{query}"), 422, field)
    assert await get(api, task["id"]) == task


async def test_an_unknown_action_is_refused(api: httpx.AsyncClient) -> None:
    problem(await api.post("/admin/tasks/finish?queue=mail"), 422)


async def test_a_filter_that_matches_nothing_changes_nothing(api: httpx.AsyncClient) -> None:
    await submit(api)

    assert await act_on_all(api, "cancel", tag="nowhere") == done(0)


async def test_more_tasks_than_one_batch_are_all_changed(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    for _ in range(2):
        await api.post("/tasks/batch", json={"tasks": [{"title": "t", "queue": "many"}] * 601})
    await submit(api, queue="another")

    assert await act_on_all(api, "pause", queue="many") == done(1202)
    with engine.connect() as connection:
        counts = connection.execute(text("SELECT status, COUNT(*) FROM tasks GROUP BY status"))
        assert sorted(counts) == [("paused", 1202), ("to_do", 1)]


async def test_what_no_longer_matches_when_its_turn_comes_is_left_alone(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    """Whoever cancels what waits does not mean what runs."""
    first, second = await submit(api), await submit(api)
    async with held_open(resources.database, claiming()) as claimed:
        assert [task.id for task in claimed] == [first["id"]]
        cancelling = asyncio.create_task(act_on_all(api, "cancel", status="to_do"))
        await until_blocked(engine)
    answer = await cancelling

    assert answer == {"matched": 2, "changed": 1, "next": None}
    assert (await get(api, first["id"]))["status"] == "in_progress"
    assert (await get(api, second["id"]))["status"] == "cancelled"


async def test_actions_on_many_end_the_leases_of_those_that_ran(api: httpx.AsyncClient) -> None:
    for _ in range(3):
        await submit(api)
    leases = await claim(api, limit=3)
    await act_on_all(api, "cancel", status="in_progress")

    for lease in leases:
        problem(await api.post(f"/leases/{lease['lease_id']}/complete"), 409)
