"""Clients and management against workers: whoever comes second waits, or passes by, and is told."""

import asyncio

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.domain.states import Event
from app.service.resources import Resources
from tests.concurrency import steps
from tests.concurrency.ordering import held_open, until_blocked
from tests.concurrency.steps import claimed_ids, row
from tests.support.factories import TaskFactory, lease_of


async def test_a_priority_changed_while_the_task_is_claimed_changes_no_order(
    session: Session, engine: Engine, other: Resources, api: httpx.AsyncClient
) -> None:
    task = TaskFactory(priority="低")

    async with held_open(other.database, steps.claim()):
        patch = asyncio.create_task(api.patch(f"/tasks/{task.id}", json={"priority": "高"}))
        await until_blocked(engine)
    answer = await patch

    assert answer.status_code == 200
    assert (answer.json()["priority"], answer.json()["status"]) == ("高", "in_progress")
    found = row(engine, task.id)
    assert (found["priority"], found["status"]) == ("高", "in_progress")
    assert found["claim_rank"] is None, "a running task must not be claimable"
    assert await claimed_ids(api) == []


async def test_a_claim_passes_by_a_task_whose_priority_is_being_changed(
    session: Session, engine: Engine, other: Resources, api: httpx.AsyncClient
) -> None:
    changing, same = TaskFactory(priority="高"), TaskFactory(priority="中")

    async with held_open(other.database, steps.patch(changing.id, priority="低")):
        assert await claimed_ids(api) == [same.id]

    assert row(engine, changing.id)["claim_rank"] == 2
    assert await claimed_ids(api) == [changing.id]


async def test_what_a_running_attempt_was_given_is_not_changed_under_it(
    session: Session, engine: Engine, other: Resources, api: httpx.AsyncClient
) -> None:
    task = TaskFactory(payload='{"n":1}')

    async with held_open(other.database, steps.claim()):
        patch = asyncio.create_task(api.patch(f"/tasks/{task.id}", json={"payload": {"n": 2}}))
        await until_blocked(engine)
    answer = await patch

    assert answer.status_code == 409
    assert answer.json()["field"] == "payload"
    assert row(engine, task.id)["payload"] == '{"n":1}'


async def test_a_task_that_is_being_deleted_is_not_handed_out(
    session: Session, other: Resources, api: httpx.AsyncClient
) -> None:
    deleted, kept = TaskFactory(), TaskFactory()

    async with held_open(other.database, steps.delete(deleted.id)):
        assert await claimed_ids(api) == [kept.id]

    assert await claimed_ids(api) == []
    assert (await api.get(f"/tasks/{deleted.id}")).status_code == 404


async def test_a_delete_waits_for_the_claim_and_then_wins(
    session: Session, engine: Engine, other: Resources, api: httpx.AsyncClient
) -> None:
    task = TaskFactory()

    async with held_open(other.database, steps.claim()) as (claimed,):
        delete = asyncio.create_task(api.delete(f"/tasks/{task.id}"))
        await until_blocked(engine)
    assert (await delete).status_code == 204

    lease = f"{claimed.id}.{claimed.lease_token}"
    for verb in ("heartbeat", "complete", "fail", "release"):
        assert (await api.post(f"/leases/{lease}/{verb}")).status_code == 404, verb
    finish = {"items": [{"lease_id": lease, "outcome": "complete"}]}
    answer = await api.post("/leases/finish", json=finish)
    assert answer.json()["items"][0]["status"] == 404


async def test_of_two_deletes_at_once_one_finds_nothing(
    session: Session, engine: Engine, other: Resources, api: httpx.AsyncClient
) -> None:
    task = TaskFactory(in_progress=True, tags=["shared"])

    async with held_open(other.database, steps.delete(task.id)):
        second = asyncio.create_task(api.delete(f"/tasks/{task.id}"))
        await until_blocked(engine)

    assert (await second).status_code == 404


@pytest.mark.parametrize("verb", ["complete", "fail", "release"])
async def test_a_finisher_that_waits_for_a_cancel_is_refused(
    session: Session, engine: Engine, other: Resources, api: httpx.AsyncClient, verb: str
) -> None:
    task = TaskFactory(in_progress=True)

    async with held_open(other.database, steps.change(task.id, Event.CANCEL)):
        late = asyncio.create_task(api.post(f"/leases/{lease_of(task)}/{verb}"))
        await until_blocked(engine)
    answer = await late

    assert answer.status_code == 409
    assert answer.json()["task_status"] == "cancelled"
    assert answer.json()["outcome"] == "cancelled"
    assert row(engine, task.id)["status"] == "cancelled"


async def test_a_cancel_that_waits_for_a_completion_is_refused(
    session: Session, engine: Engine, other: Resources, api: httpx.AsyncClient
) -> None:
    task = TaskFactory(in_progress=True)

    async with held_open(other.database, steps.complete(lease_of(task))):
        cancel = asyncio.create_task(api.post(f"/admin/tasks/{task.id}/cancel"))
        await until_blocked(engine)
    answer = await cancel

    assert answer.status_code == 409
    assert answer.json()["task_status"] == "done"
    assert row(engine, task.id)["status"] == "done"


async def test_a_cancel_that_waits_for_a_claim_takes_the_task_from_its_worker(
    session: Session, engine: Engine, other: Resources, api: httpx.AsyncClient
) -> None:
    task = TaskFactory()

    async with held_open(other.database, steps.claim()) as (claimed,):
        cancel = asyncio.create_task(api.post(f"/admin/tasks/{task.id}/cancel"))
        await until_blocked(engine)
    assert (await cancel).json()["status"] == "cancelled"

    beat = await api.post(f"/leases/{claimed.id}.{claimed.lease_token}/heartbeat")
    assert beat.status_code == 409
    assert beat.json()["task_status"] == "cancelled"


async def test_a_pause_that_waits_for_a_claim_comes_too_late(
    session: Session, engine: Engine, other: Resources, api: httpx.AsyncClient
) -> None:
    task = TaskFactory()

    async with held_open(other.database, steps.claim()):
        pause = asyncio.create_task(api.post(f"/admin/tasks/{task.id}/pause"))
        await until_blocked(engine)
    answer = await pause

    assert answer.status_code == 409
    assert answer.json()["task_status"] == "in_progress"


async def test_a_claim_passes_by_a_task_that_is_being_paused(
    session: Session, other: Resources, api: httpx.AsyncClient
) -> None:
    task = TaskFactory()

    async with held_open(other.database, steps.change(task.id, Event.PAUSE)):
        assert await claimed_ids(api) == []

    assert await claimed_ids(api) == []
    assert (await api.get(f"/tasks/{task.id}")).json()["status"] == "paused"
