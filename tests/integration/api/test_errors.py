"""Errors that are nobody's bad input, and what all error answers have in common."""

import httpx
import pytest
from sqlalchemy import Engine, text

from app.mysql.schema import Task
from app.service.pages import PageService
from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import NO_LEASE, claim_one, complete, problem, submit

NO_TASK = f"/tasks/{2**63 - 1}"


@pytest.fixture
def many_tasks(engine: Engine, settings: Settings) -> None:
    """So many that a look at every title takes longer than a millisecond."""
    columns = ", ".join(
        column.name
        for column in Task.__table__.columns
        if column.name not in ("id", "title") and column.computed is None
    )
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO tasks (title, status, priority, queue, timeout_seconds, retry_limit,"
                " retry_delay_seconds, retry_backoff, current_retry_count, created_at, updated_at,"
                " attempt, claim_rank) VALUES (REPEAT('x', 255), 'to_do', '中', 'default', 1, 1, 1,"
                " 'fixed', 0, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), 0, 1)"
            )
        )
        for _ in range(14):
            connection.execute(
                text(f"INSERT INTO tasks (title, {columns}) SELECT title, {columns} FROM tasks")
            )


@pytest.mark.parametrize("seconds", [0.001, 0.0004])
async def test_a_search_that_takes_too_long_is_cut_off_with_advice(
    many_tasks: None, settings: Settings, seconds: float
) -> None:
    slow = settings.model_copy(update={"search_timeout_seconds": seconds})
    async with serving(slow) as api:
        found = problem(await api.get("/tasks", params={"title": "not there"}), 422)
        assert found.title == "Search too slow"
        assert "narrow it" in found.detail
        assert f"{seconds:g} s" in found.detail
        await submit(api)


async def test_a_fault_of_ours_is_a_problem_too_and_tells_nothing_of_its_insides(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> bytes:
        raise RuntimeError("a secret")

    monkeypatch.setattr(PageService, "tags", fail)
    answer = await api.get("/tags", headers={"X-Request-Id": "abc"})

    found = problem(answer, 500)
    assert found.title == "Internal error"
    assert "a secret" not in answer.text
    assert answer.headers["x-request-id"] == "abc"


async def test_every_error_is_a_problem_document(api: httpx.AsyncClient) -> None:
    task = await submit(api)
    lease = await claim_one(api)
    await complete(api, lease)
    answers = {
        400: await api.post("/tasks", content=b"{", headers={"Content-Type": "application/json"}),
        404: await api.get(NO_TASK),
        405: await api.put("/tasks"),
        409: await api.post(f"/leases/{lease['lease_id']}/fail"),
        413: await api.post("/tasks", content=b" " * (1024 * 1024 + 1)),
        415: await api.post("/tasks", content=b"{}", headers={"Content-Type": "text/plain"}),
        422: await api.post("/tasks", json={}),
    }
    for status, answer in answers.items():
        found = problem(answer, status)
        assert found.title != found.detail
        assert found.type == "about:blank" or found.type.startswith("urn:rowlock:")
        assert answer.headers["x-request-id"]
    problem(await api.get("/nowhere"), 404)
    assert problem(answers[409], 409).model_extra is not None
    assert answers[409].json()["task_status"] == "done"
    assert answers[409].json()["task_id"] == task["id"]


async def test_the_kinds_of_problems_can_be_told_apart_by_programs(api: httpx.AsyncClient) -> None:
    await submit(api)
    key = {"Idempotency-Key": "key"}
    await api.post("/tasks", json={"title": "x"}, headers=key)
    answers = [
        await api.get(NO_TASK),
        await api.post(f"/leases/{NO_LEASE}/complete"),
        await api.post("/tasks", json={"title": "y"}, headers=key),
        await api.post("/tasks", json={"title": ""}),
        await api.post("/tasks", content=b"{", headers={"Content-Type": "application/json"}),
    ]
    assert [answer.json()["type"] for answer in answers] == [
        "urn:rowlock:task-not-found",
        "urn:rowlock:task-not-found",
        "urn:rowlock:idempotency-key-reused",
        "urn:rowlock:invalid-request",
        "urn:rowlock:not-json",
    ]
