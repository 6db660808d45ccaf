"""`GET /tasks?order_by=available_at`: what waits for its time, by it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.orm import Session

from tests.integration.api.test_list_pages import pages
from tests.support.calls import Document, claim_one, fail, problem, submit
from tests.support.factories import TaskFactory, now

BY_TIME = {"order_by": "available_at"}


async def delayed(api: httpx.AsyncClient, **params: Any) -> list[Document]:
    answer = await api.get("/tasks", params={**BY_TIME, **params})
    assert answer.status_code == 200, answer.text
    return list(answer.json())


@pytest.fixture
def ids(session: Session) -> list[int]:
    """Tasks by the time they wait for, three each; the last one was created first."""
    times = [now() + timedelta(hours=hours) for hours in (1, 1, 1, 30, 30, 30, 900, 900, 900)]
    made = [
        TaskFactory(
            **({"retrying": True} if number % 2 else {}),
            available_at=at,
            created_at=at - timedelta(days=40 + number),
            queue=["default", "mail", "images"][number % 3],
            tags=["a"] if number % 3 == 0 else ["b"],
        )
        for number, at in enumerate(times)
    ]
    return [task.id for task in made]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 4, 8, 9])
async def test_its_pages_together_are_every_delayed_task_once(
    api: httpx.AsyncClient, ids: list[int], order: str, limit: int
) -> None:
    answer = await api.get("/tasks", params={**BY_TIME, "order": order, "limit": limit})
    found = [task["id"] for page in await pages(api, answer) for task in page]
    assert found == (ids if order == "asc" else ids[::-1])


async def test_it_has_what_waits_for_its_time_and_nothing_else(
    api: httpx.AsyncClient, session: Session
) -> None:
    for state in ("", "in_progress", "done", "retrying", "failed"):
        TaskFactory(**({state: True} if state else {}), available_at=now() - timedelta(hours=1))
        TaskFactory(**({state: True} if state else {}))
    for state in ("paused", "cancelled"):
        TaskFactory(**{state: True}, available_at=now() + timedelta(hours=1))
    later = await submit(api, available_at="2999-01-01T00:00:00Z")
    failed = await submit(api, queue="mail", retry_delay_seconds=3600)
    failed = await fail(api, await claim_one(api, queues=["mail"]))
    # Its time has come, and no sweep has seen it yet.
    due = TaskFactory(
        available_at=now() - timedelta(seconds=1),
        claim_rank=None,
        sweep_at=now() - timedelta(seconds=1),
    )
    found = await delayed(api, order="asc")
    assert [task["id"] for task in found][1:] == [failed["id"], later["id"]]
    assert found[0]["id"] == due.id
    assert {task["waiting_on"] for task in found} == {"time"}
    everything = (await api.get("/tasks?limit=1000")).json()
    waiting = {task["id"] for task in everything if task["waiting_on"] == "time"}
    assert waiting == {task["id"] for task in found}


async def test_what_never_comes_is_the_last_of_it(api: httpx.AsyncClient, ids: list[int]) -> None:
    never = "9999-12-31T23:59:59.999999Z"
    task = await submit(api, available_at=never)
    assert [found["id"] for found in await delayed(api, order="asc")] == [*ids, task["id"]]
    assert [found["id"] for found in await delayed(api, available_after=never)] == [task["id"]]
    assert task["id"] not in [found["id"] for found in await delayed(api, available_before=never)]


async def test_filters_combine_with_it(api: httpx.AsyncClient, ids: list[int]) -> None:
    everything = await delayed(api, order="asc")
    at = everything[3]["available_at"]
    for said, holds in (
        ({"queue": "mail"}, lambda t: t["queue"] == "mail"),
        ({"tag": "a"}, lambda t: t["tags"] == ["a"]),
        ({"status": "retrying"}, lambda t: t["status"] == "retrying"),
        ({"status": ["retrying", "to_do"]}, lambda _: True),
        ({"id": ids[2:5]}, lambda t: t["id"] in ids[2:5]),
        ({"title": everything[0]["title"]}, lambda t: t["title"] == everything[0]["title"]),
        ({"available_after": at}, lambda t: t["available_at"] >= at),
        ({"available_before": at}, lambda t: t["available_at"] < at),
        ({"available_after": at, "available_before": at}, lambda _: False),
        ({"created_after": everything[4]["created_at"]},
         lambda t: t["created_at"] >= everything[4]["created_at"]),
        ({"worker": "nobody"}, lambda _: False),
        ({"completed_after": at}, lambda _: False),
        ({"due_before": at}, lambda _: False),
    ):  # fmt: skip
        assert await delayed(api, order="asc", **said) == [t for t in everything if holds(t)], said


@pytest.mark.parametrize("status", ["done", "in_progress", "paused", ["to_do", "failed"]])
async def test_what_never_waits_for_its_time_is_no_list_by_it(
    api: httpx.AsyncClient, status: Any
) -> None:
    answer = await api.get("/tasks", params={**BY_TIME, "status": status})
    assert "to_do or retrying" in problem(answer, 422, "order_by").detail


async def test_a_cursor_is_good_for_its_own_order_only(
    api: httpx.AsyncClient, ids: list[int]
) -> None:
    answer = await api.get("/tasks", params={**BY_TIME, "limit": 2})
    cursor = httpx.URL(answer.links["next"]["url"]).params["cursor"]
    for other in ("", "&order_by=created_at"):
        problem(await api.get(f"/tasks?limit=2&cursor={cursor}{other}"), 422, "cursor")
