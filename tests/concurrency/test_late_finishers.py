"""A worker finishes while the sweep ends its attempt: one of them wins, and its word stands."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.service import sweeping
from app.service.resources import Resources
from tests.concurrency import steps
from tests.concurrency.ordering import held_open, until_blocked
from tests.concurrency.steps import row
from tests.support.factories import TaskFactory, lease_of


async def outcomes(api: httpx.AsyncClient, task_id: int) -> list[str]:
    answer = await api.get(f"/tasks/{task_id}/attempts")
    return [attempt["outcome"] for attempt in answer.json()]


@pytest.mark.parametrize("finish", ["complete", "fail", "release"])
async def test_a_finisher_that_waits_for_the_sweep_is_told_the_present_status(
    session: Session, engine: Engine, other: Resources, api: httpx.AsyncClient, finish: str
) -> None:
    task = TaskFactory(overdue=True)

    async with held_open(other.database, steps.time_out()):
        late = asyncio.create_task(api.post(f"/leases/{lease_of(task)}/{finish}"))
        await until_blocked(engine)
    answer = await late

    assert answer.status_code == 409
    assert answer.json()["task_status"] == "retrying"
    assert answer.json()["outcome"] == "timed_out"
    assert row(engine, task.id)["status"] == "retrying"
    assert row(engine, task.id)["current_retry_count"] == 1
    assert await outcomes(api, task.id) == ["timed_out"]


async def test_the_sweep_leaves_an_attempt_alone_that_is_being_finished(
    session: Session, engine: Engine, other: Resources, resources: Resources, api: httpx.AsyncClient
) -> None:
    task = TaskFactory(overdue=True)

    async with held_open(other.database, steps.complete(lease_of(task))):
        assert await sweeping.time_out(resources) == 0

    assert await sweeping.time_out(resources) == 0
    assert row(engine, task.id)["status"] == "done"
    assert row(engine, task.id)["result"] == '"in time"'
    assert await outcomes(api, task.id) == ["done"]


async def test_in_one_call_the_late_item_alone_is_refused(
    session: Session, engine: Engine, other: Resources, api: httpx.AsyncClient
) -> None:
    late, in_time = TaskFactory(overdue=True), TaskFactory(in_progress=True)
    items: list[dict[str, Any]] = [
        {"lease_id": lease_of(task), "outcome": "complete"} for task in (late, in_time)
    ]

    async with held_open(other.database, steps.time_out()):
        call = asyncio.create_task(api.post("/leases/finish", json={"items": items}))
        await until_blocked(engine)
    answer = (await call).json()["items"]

    assert [item["status"] for item in answer] == [409, 200]
    assert [item["task"]["status"] for item in answer] == ["retrying", "done"]


@pytest.mark.parametrize("finish", ["complete", "fail", "release"])
async def test_a_finisher_cannot_end_the_attempt_that_another_worker_is_given(
    session: Session, engine: Engine, other: Resources, api: httpx.AsyncClient, finish: str
) -> None:
    task = TaskFactory(overdue=True, retry_delay_seconds=0)
    lease = lease_of(task)
    await other.database.transact(steps.time_out())

    async with held_open(other.database, steps.claim()) as (claimed,):
        late = asyncio.create_task(api.post(f"/leases/{lease}/{finish}"))
        await until_blocked(engine)
    answer = await late

    assert answer.status_code == 409
    assert answer.json()["task_status"] == "in_progress"
    assert answer.json()["outcome"] == "timed_out"
    held = f"{claimed.id}.{claimed.lease_token}"
    assert (await api.post(f"/leases/{held}/complete")).status_code == 200
    assert await outcomes(api, task.id) == ["timed_out", "done"]


async def test_two_workers_finishing_one_lease_at_once_get_the_same_answer(
    session: Session, engine: Engine, other: Resources, api: httpx.AsyncClient
) -> None:
    task = TaskFactory(in_progress=True)

    async with held_open(other.database, steps.complete(lease_of(task))):
        again = asyncio.create_task(
            api.post(f"/leases/{lease_of(task)}/complete", json={"result": "in time"})
        )
        await until_blocked(engine)
    answer = await again

    assert answer.status_code == 200
    assert answer.json()["status"] == "done"
    assert answer.json()["result"] == "in time"
    assert await outcomes(api, task.id) == ["done"]
