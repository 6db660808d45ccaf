"""Calls about dependencies that many tests make, and how the tables stand afterwards."""

from collections.abc import Sequence
from typing import Any

import httpx
from sqlalchemy import Engine, text

from tests.support.calls import Document, claim, document, get, submit


async def child_of(api: httpx.AsyncClient, *parents: Document, **fields: Any) -> Document:
    """A task that depends on these."""
    return await submit(api, depends_on=[task["id"] for task in parents], **fields)


async def batch(api: httpx.AsyncClient, *items: Document) -> list[Document]:
    """Tasks, stored together."""
    tasks = [{"title": f"item {place}"} | item for place, item in enumerate(items)]
    answer = await api.post("/tasks/batch", json={"tasks": tasks})
    assert answer.status_code == 201, answer.text
    return list(answer.json())


async def claimable(api: httpx.AsyncClient) -> list[int]:
    """The tasks that can be claimed now; they are given back."""
    leases = await claim(api, limit=100)
    for lease in leases:
        answer = await api.post(f"/leases/{lease['lease_id']}/release")
        assert answer.status_code == 200, answer.text
    return sorted(lease["task"]["id"] for lease in leases)


async def lease_of(api: httpx.AsyncClient, task: Document) -> Document:
    """The lease of this task, of those that can be claimed; the others are given back."""
    (found,) = await leases_of(api, [task])
    return found


async def leases_of(api: httpx.AsyncClient, tasks: Sequence[Document]) -> list[Document]:
    """Likewise of several."""
    wanted = {task["id"] for task in tasks}
    leases = await claim(api, limit=100)
    for lease in leases:
        if lease["task"]["id"] not in wanted:
            await api.post(f"/leases/{lease['lease_id']}/release")
    found = [lease for lease in leases if lease["task"]["id"] in wanted]
    assert len(found) == len(wanted), "not all of them can be claimed"
    return found


async def end(api: httpx.AsyncClient, task: Document, how: str = "complete") -> Document:
    """The task after a worker has completed it, or failed it for good."""
    lease = await lease_of(api, task)
    body = {"retryable": False} if how == "fail" else {}
    answer = await api.post(f"/leases/{lease['lease_id']}/{how}", json=body)
    assert answer.status_code == 200, answer.text
    return document(answer)


async def act(api: httpx.AsyncClient, task: Document, action: str) -> Document:
    """The task after management has done so."""
    answer = await api.post(f"/admin/tasks/{task['id']}/{action}")
    assert answer.status_code == 200, answer.text
    return document(answer)


async def statuses(api: httpx.AsyncClient, *tasks: Document) -> list[str]:
    """As they are now."""
    return [(await get(api, task["id"]))["status"] for task in tasks]


def waits(engine: Engine) -> dict[int, int]:
    """Who waits, and for how many, by the table."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT task_id, unmet FROM task_waits ORDER BY 1"))
        return {row.task_id: row.unmet for row in rows}


def edges(engine: Engine) -> list[tuple[int, int]]:
    """Who depends on whom, by the table: (parent, child)."""
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT parent_id, child_id FROM task_dependencies ORDER BY 1, 2")
        )
        return [(parent, child) for parent, child in rows]
