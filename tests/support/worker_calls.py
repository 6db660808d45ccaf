"""A worker's and management's calls, beside those in `tests.support.calls`."""

from typing import Any, Final

import httpx

from tests.support.calls import Document, claim_one, document, submit

FINISHES: Final = {
    "complete": {"result": 1},
    "fail": {"error": "it broke", "retry_after_seconds": 0},
    "release": None,
}


async def a_lease(api: httpx.AsyncClient, **fields: Any) -> Document:
    """The lease of a new task, the only one there is to have."""
    await submit(api, **fields)
    return await claim_one(api)


async def end(api: httpx.AsyncClient, lease_id: str, finish: str) -> httpx.Response:
    """The answer to finishing an attempt in one of the ways of `FINISHES`."""
    return await api.post(f"/leases/{lease_id}/{finish}", json=FINISHES[finish])


async def heartbeat(api: httpx.AsyncClient, lease: Document, progress: Any = None) -> Document:
    """What a heartbeat was answered."""
    body = {"progress": progress}
    answer = await api.post(f"/leases/{lease['lease_id']}/heartbeat", json=body)
    assert answer.status_code == 200, answer.text
    return document(answer)


async def release(api: httpx.AsyncClient, lease: Document, **fields: Any) -> Document:
    """The task, given back."""
    answer = await api.post(f"/leases/{lease['lease_id']}/release", json=fields or None)
    assert answer.status_code == 200, answer.text
    return document(answer)


async def finish(
    api: httpx.AsyncClient, *items: Document, claim: Document | None = None
) -> Document:
    """What `POST /leases/finish` says of all of them."""
    answer = await api.post("/leases/finish", json={"items": items, "claim": claim})
    assert answer.status_code == 200, answer.text
    return document(answer)


async def act(api: httpx.AsyncClient, task_id: int, action: str) -> Document:
    """The task after management paused, resumed, cancelled or retried it."""
    answer = await api.post(f"/admin/tasks/{task_id}/{action}")
    assert answer.status_code == 200, answer.text
    return document(answer)


async def attempts(api: httpx.AsyncClient, task_id: int) -> list[Document]:
    """The task's ended attempts."""
    answer = await api.get(f"/tasks/{task_id}/attempts")
    assert answer.status_code == 200, answer.text
    return list(answer.json())
