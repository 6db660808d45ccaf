"""The client door: what is submitted is what is answered, and what is there to be read."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from sqlalchemy import Engine, text

from tests.support.calls import Document, claim_one, complete, fail, get, problem, submit

MINIMAL: Document = {
    "description": None,
    "status": "to_do",
    "priority": "中",
    "tags": [],
    "due_date": None,
    "timeout_seconds": 300,
    "retry_limit": 3,
    "current_retry_count": 0,
    "completed_at": None,
    "queue": "default",
    "payload": None,
    "result": None,
    "error": None,
    "attempt": 0,
    "worker": None,
    "available_at": None,
    "started_at": None,
    "retry_delay_seconds": 5,
    "retry_backoff": "exponential",
    "traceparent": None,
    "origin": None,
    "unique_key": None,
    "group": None,
    "waiting_on": None,
    "deadline_at": None,
    "lease_expires_at": None,
    "last_heartbeat_at": None,
    "progress": None,
}

WHOLE: Document = {
    "title": "resize 图片 😀",
    "description": "every size\nthere is 🗻",
    "priority": "低",
    "tags": ["b", "核心业务"],
    "due_date": "2030-01-31T08:00:00.123456Z",
    "timeout_seconds": 2_592_000,
    "retry_limit": 100,
    "retry_delay_seconds": 86_400,
    "retry_backoff": "fixed",
    "queue": "images_2.big-ones",
    "payload": {"path": "/ä/😀", "sizes": [1, 2.5, None, True, {"": []}]},
    "available_at": "2029-01-31T08:00:00Z",
}


async def test_a_title_is_enough_and_the_rest_has_its_defaults(api: httpx.AsyncClient) -> None:
    before = datetime.now(UTC)
    answer = await api.post("/tasks", json={"title": "resize"})

    assert answer.status_code == 201
    task = answer.json()
    for asked in ("https://jobs.example/tasks", "https://example/jobs/v1/tasks"):
        assert urljoin(asked, answer.headers["location"]) == f"{asked}/{task['id']}"
    assert task == MINIMAL | {
        "id": task["id"],
        "title": "resize",
        "created_at": task["created_at"],
        "updated_at": task["created_at"],
    }
    assert task["created_at"].endswith("Z")
    assert abs((datetime.fromisoformat(task["created_at"]) - before).total_seconds()) < 60
    assert await get(api, task["id"]) == task


async def test_every_field_that_is_given_is_kept(api: httpx.AsyncClient) -> None:
    task = await submit(api, **WHOLE)

    assert {field: task[field] for field in WHOLE} == WHOLE
    assert await get(api, task["id"]) == task
    assert (await api.get("/tasks")).json() == [task]


async def test_null_is_as_if_nothing_was_said(api: httpx.AsyncClient) -> None:
    nulls = dict.fromkeys(("description", "due_date", "available_at", "payload"))
    task = await submit(api, **nulls)
    assert {field: task[field] for field in MINIMAL} == MINIMAL


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "题" * 255),
        ("description", "高" * 21_845),
        ("tags", [f"{n:064}" for n in range(32)]),
        ("timeout_seconds", 1),
        ("retry_limit", 0),
        ("retry_delay_seconds", 0),
        ("queue", "q" * 64),
        ("due_date", "1000-01-01T00:00:00Z"),
        ("due_date", "9999-12-31T23:59:59.999999Z"),
        ("payload", "x" * (256 * 1024 - 2)),
        ("payload", False),
        ("payload", []),
        ("payload", "\0"),
    ],
)
async def test_each_field_reaches_to_its_bounds(
    api: httpx.AsyncClient, field: str, value: Any
) -> None:
    task = await submit(api, **{field: value})
    assert task[field] == value
    assert (await get(api, task["id"]))[field] == value


async def test_a_title_and_tags_are_trimmed(api: httpx.AsyncClient) -> None:
    task = await submit(api, title=f" \t{'x' * 255}\n ", tags=["  a tag "])
    assert task["title"] == "x" * 255
    assert task["tags"] == ["a tag"]


@pytest.mark.parametrize(
    ("said", "answered"),
    [("high", "高"), ("medium", "中"), ("low", "低"), ("高", "高"), ("中", "中"), ("低", "低")],
)
async def test_priorities_are_answered_in_chinese(
    api: httpx.AsyncClient, said: str, answered: str
) -> None:
    task = await submit(api, priority=said)
    assert task["priority"] == answered
    assert (await get(api, task["id"]))["priority"] == answered


async def test_tags_are_made_on_the_fly_folded_and_sorted(api: httpx.AsyncClient) -> None:
    task = await submit(api, tags=["b", "核心业务", "a", "b", " a", "B", "😀", "é", "e"])
    assert task["tags"] == ["B", "a", "b", "e", "é", "核心业务", "😀"]
    assert await get(api, task["id"]) == task
    assert (await api.get("/tags")).json() == [{"name": n, "tasks": 1} for n in task["tags"]]


async def test_a_tag_that_mysql_has_lost_is_made_again(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    """A backup was restored under a process that remembers the tag's id."""
    task = await submit(api, tags=["a"])
    await api.delete(f"/tasks/{task['id']}")
    for _ in range(2):
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM task_tags"))
            connection.execute(text("DELETE FROM tags"))
        task = await submit(api, tags=["a", "b"])
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM task_tags"))
            connection.execute(text("DELETE FROM tags"))
        patched = await api.patch(f"/tasks/{task['id']}", json={"tags": ["b"]})
        assert patched.json()["tags"] == ["b"]
        found = await api.get("/tasks", params={"tag": "b", "id": task["id"]})
        assert found.json() == [patched.json()]


@pytest.mark.parametrize(
    "payload",
    [
        "18446744073709551616",
        "-123456789012345678901234567890",
        '{"id": 9007199254740993, "big": 99999999999999999999999999}',
        "[1.0, 0.1, -0.0, 1e-7, 1.7976931348623157e308]",
        '{"b": 1, "a": {"": null}, "é": "\\u0000\\n\\"\\\\😀"}',
    ],
)
async def test_a_payload_is_kept_to_the_letter(api: httpx.AsyncClient, payload: str) -> None:
    answer = await api.post(
        "/tasks",
        content=f'{{"title": "a task", "payload": {payload}}}',
        headers={"Content-Type": "application/json"},
    )
    # Compared as text, so that neither 1 and 1.0 nor the order of keys is taken as equal.
    sent = json.dumps(json.loads(payload))
    task = answer.json()
    assert json.dumps(task["payload"]) == sent
    assert json.dumps((await get(api, task["id"]))["payload"]) == sent
    lease = await claim_one(api)
    assert json.dumps(lease["task"]["payload"]) == sent


async def test_a_number_that_is_no_integer_is_the_nearest_double(api: httpx.AsyncClient) -> None:
    said = b"[1.10, 1E2, 0.10000000000000000555, 1e-400]"
    body = b'{"title": "a task", "payload": %b}' % said
    answer = await api.post("/tasks", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201
    assert b'"payload":[1.1,100.0,0.1,0.0]' in answer.content
    body = b'{"title": "a task", "payload": [1e400]}'
    answer = await api.post("/tasks", content=body, headers={"Content-Type": "application/json"})
    problem(answer, 422, "payload")


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        ("2030-06-01T08:00:00+08:00", "2030-06-01T00:00:00Z"),
        ("2030-06-01T08:00:00.5-03:30", "2030-06-01T11:30:00.500000Z"),
        ("2030-06-01T08:00:00", "2030-06-01T08:00:00Z"),
        ("2030-06-01t08:00:00z", "2030-06-01T08:00:00Z"),
        ("0999-12-31T23:30:00-01:00", "1000-01-01T00:30:00Z"),
    ],
)
async def test_a_time_may_have_any_offset_and_a_naive_one_is_utc(
    api: httpx.AsyncClient, said: str, answered: str
) -> None:
    task = await submit(api, due_date=said)
    assert task["due_date"] == answered
    assert await get(api, task["id"]) == task


async def test_a_task_is_not_claimed_before_it_is_available(api: httpx.AsyncClient) -> None:
    await submit(api, available_at="2999-01-01T00:00:00Z")
    due = await submit(api, available_at="2020-01-01T00:00:00Z")
    lease = await claim_one(api, limit=100)
    assert lease["task"]["id"] == due["id"]


@pytest.mark.parametrize("call", ["", "/attempts", "?wait_seconds=1"])
async def test_a_task_that_is_not_there_is_404(api: httpx.AsyncClient, call: str) -> None:
    found = problem(await api.get(f"/tasks/{2**63 - 1}{call}"), 404)
    assert found.title == "Task not found"
    assert str(2**63 - 1) in found.detail


async def test_the_attempts_of_a_task_are_told_in_order(api: httpx.AsyncClient) -> None:
    task = await submit(api, retry_delay_seconds=0)
    assert (await api.get(f"/tasks/{task['id']}/attempts")).json() == []

    failed = await claim_one(api, worker="one")
    await fail(api, failed, error="it broke")
    released = await claim_one(api, worker="two")
    await api.post(f"/leases/{released['lease_id']}/release")
    done = await claim_one(api, worker="three")
    finished = await complete(api, done)

    attempts = (await api.get(f"/tasks/{task['id']}/attempts")).json()
    assert [(a["attempt"], a["worker"], a["outcome"], a["error"]) for a in attempts] == [
        (1, "one", "failed", "it broke"),
        (2, "two", "released", None),
        (3, "three", "done", None),
    ]
    assert attempts[0]["started_at"] == failed["task"]["started_at"]
    assert attempts[2]["finished_at"] == finished["completed_at"]
    times = [time for a in attempts for time in (a["started_at"], a["finished_at"])]
    assert times == sorted(times)
