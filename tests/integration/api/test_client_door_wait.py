"""`GET /tasks/{id}?wait_seconds=`: answers as soon as the task has ended, however it ended."""

import asyncio
import time

import httpx
import pytest
from sqlalchemy.orm import Session

from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import claim_one, complete, fail, get, problem, submit
from tests.support.factories import TaskFactory


async def wait_for(api: httpx.AsyncClient, task_id: int, seconds: float = 60) -> httpx.Response:
    return await api.get(f"/tasks/{task_id}", params={"wait_seconds": seconds})


@pytest.mark.parametrize("status", ["done", "failed", "cancelled"])
async def test_a_task_that_has_ended_is_answered_at_once(
    api: httpx.AsyncClient, session: Session, status: str
) -> None:
    task = TaskFactory(**{status: True})
    async with asyncio.timeout(30):
        answer = await wait_for(api, task.id)
    assert answer.json()["status"] == status
    assert answer.json() == await get(api, task.id)


@pytest.mark.parametrize("end", ["complete", "fail", "cancel", "delete"])
async def test_the_wait_ends_with_the_task(api: httpx.AsyncClient, end: str) -> None:
    task = await submit(api, retry_limit=0)
    waiting = asyncio.create_task(wait_for(api, task["id"]))
    lease = await claim_one(api)
    assert not waiting.done()

    async with asyncio.timeout(30):
        if end == "complete":
            await complete(api, lease, {"n": 1})
        elif end == "fail":
            await fail(api, lease, error="it broke")
        elif end == "cancel":
            await api.post(f"/admin/tasks/{task['id']}/cancel")
        else:
            await api.delete(f"/tasks/{task['id']}")
        answer = await waiting

    if end == "delete":
        problem(answer, 404)
    else:
        statuses = {"complete": "done", "fail": "failed", "cancel": "cancelled"}
        assert answer.json()["status"] == statuses[end]
        assert answer.json() == await get(api, task["id"])


@pytest.mark.parametrize("end", ["complete", "delete"])
async def test_what_another_process_ended_is_seen(
    api: httpx.AsyncClient, settings: Settings, end: str
) -> None:
    task = await submit(api)
    waiting = asyncio.create_task(wait_for(api, task["id"]))
    async with serving(settings) as other, asyncio.timeout(30):
        lease = await claim_one(other)
        if end == "complete":
            await complete(other, lease)
        else:
            await other.delete(f"/tasks/{task['id']}")
        answer = await waiting
    assert answer.status_code == (200 if end == "complete" else 404)
    if end == "complete":
        assert answer.json()["status"] == "done"


async def test_a_failed_attempt_that_is_retried_is_no_end(api: httpx.AsyncClient) -> None:
    task = await submit(api, retry_delay_seconds=0)
    waiting = asyncio.create_task(wait_for(api, task["id"]))
    await fail(api, await claim_one(api))
    lease = await claim_one(api)
    assert not waiting.done()
    await complete(api, lease)
    assert (await waiting).json()["status"] == "done"


async def test_many_wait_for_one_task(api: httpx.AsyncClient) -> None:
    task = await submit(api)
    waiting = [asyncio.create_task(wait_for(api, task["id"])) for _ in range(20)]
    await complete(api, await claim_one(api))
    async with asyncio.timeout(30):
        answers = await asyncio.gather(*waiting)
    assert {answer.json()["status"] for answer in answers} == {"done"}


async def test_at_the_end_of_the_wait_the_task_is_answered_as_it_is(
    api: httpx.AsyncClient,
) -> None:
    task = await submit(api)
    began = time.monotonic()
    answer = await wait_for(api, task["id"], 1)
    assert time.monotonic() - began >= 1
    assert answer.json() == task


async def test_it_shows_how_far_a_running_attempt_has_come(api: httpx.AsyncClient) -> None:
    task = await submit(api)
    lease = await claim_one(api)
    await api.post(f"/leases/{lease['lease_id']}/heartbeat", json={"progress": {"done": 0.5}})
    answer = await wait_for(api, task["id"], 1)
    assert answer.json()["progress"] == {"done": 0.5}
    assert answer.json() == await get(api, task["id"])
