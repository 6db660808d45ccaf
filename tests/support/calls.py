"""Calls that many tests begin with: submit, claim, complete; and what a refusal looks like."""

from typing import Any

import httpx

from app.api.answers import Problem

Document = dict[str, Any]

PROBLEM = "application/problem+json"
NO_LEASE = f"{10**18 - 1}.{'0' * 32}"


async def submit(api: httpx.AsyncClient, **fields: Any) -> Document:
    """A task, stored."""
    answer = await api.post("/tasks", json={"title": "a task"} | fields)
    assert answer.status_code == 201, answer.text
    return document(answer)


async def get(api: httpx.AsyncClient, task_id: int) -> Document:
    """The task as a client sees it now."""
    answer = await api.get(f"/tasks/{task_id}")
    assert answer.status_code == 200, answer.text
    return document(answer)


async def claim(api: httpx.AsyncClient, **fields: Any) -> list[Document]:
    """Leases for a worker."""
    answer = await api.post("/leases", json={"worker": "a-worker"} | fields)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


async def claim_one(api: httpx.AsyncClient, **fields: Any) -> Document:
    """The only lease there is to have."""
    (lease,) = await claim(api, **fields)
    return lease


async def complete(api: httpx.AsyncClient, lease: Document, result: Any = None) -> Document:
    """The task, done."""
    answer = await api.post(f"/leases/{lease['lease_id']}/complete", json={"result": result})
    assert answer.status_code == 200, answer.text
    return document(answer)


async def fail(api: httpx.AsyncClient, lease: Document, **fields: Any) -> Document:
    """The task after its attempt failed."""
    answer = await api.post(f"/leases/{lease['lease_id']}/fail", json=fields)
    assert answer.status_code == 200, answer.text
    return document(answer)


def document(answer: httpx.Response) -> Document:
    """The JSON object that was answered."""
    found = answer.json()
    assert isinstance(found, dict), found
    return found


def problem(answer: httpx.Response, status: int, field: str | None = None) -> Problem:
    """The problem document that was answered: it has `status` and names `field`, or a part
    of it, as `tags.0` is of `tags`."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    assert answer.headers["content-type"] == PROBLEM
    found = Problem.model_validate_json(answer.content)
    assert found.status == status
    assert found.type
    assert found.title
    assert found.detail
    if field is not None:
        named = [error["field"] for error in found.errors or ()]
        assert any(f"{name}.".startswith(f"{field}.") for name in named), found
    return found


def as_listed(task: Document) -> Document:
    """A task without what only `GET /tasks/{id}` says of the attempt under way."""
    only_there = ("progress", "deadline_at", "lease_expires_at", "last_heartbeat_at")
    return {**task, **dict.fromkeys(only_there)}
