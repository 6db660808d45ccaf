"""Management's hand on one task: allowed where the state table says, refused elsewhere."""

from itertools import product

import httpx
import pytest
from sqlalchemy.orm import Session

from app.api import admin
from app.domain.states import TRANSITIONS, Event, Status
from tests.support.calls import claim, claim_one, document, fail, get, problem, submit
from tests.support.factories import TaskFactory, lease_of
from tests.support.worker_calls import a_lease, act, attempts, end, heartbeat

ACTIONS = tuple(admin.Action)


@pytest.mark.parametrize(("status", "action"), list(product(Status, ACTIONS)))
async def test_an_action_is_taken_exactly_where_the_state_allows_it(
    api: httpx.AsyncClient, session: Session, status: Status, action: str
) -> None:
    task = TaskFactory(**({} if status is Status.TO_DO else {status.value: True}))
    before = await get(api, task.id)
    answer = await api.post(f"/admin/tasks/{task.id}/{action}")
    targets = {t.target for t in TRANSITIONS if (t.source, t.event) == (status, Event(action))}

    if targets:
        assert answer.status_code == 200
        assert answer.json()["status"] in targets
        assert await get(api, task.id) == answer.json()
    else:
        assert f"is {status}" in problem(answer, 409).detail
        assert answer.json()["task_status"] == status
        assert await get(api, task.id) == before


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_task_that_is_not_there_is_not_found(api: httpx.AsyncClient, action: str) -> None:
    problem(await api.post(f"/admin/tasks/999999999/{action}"), 404)


@pytest.mark.parametrize("path", ["0/pause", "x/pause", f"{2**63}/pause", "1/finish", "1/Pause"])
async def test_a_malformed_call_is_refused(api: httpx.AsyncClient, path: str) -> None:
    problem(await api.post(f"/admin/tasks/{path}"), 422)


async def test_an_action_takes_no_parameters(api: httpx.AsyncClient) -> None:
    task = await submit(api)

    problem(await api.post(f"/admin/tasks/{task['id']}/pause?dry_run=true"), 422, "dry_run")
    assert await get(api, task["id"]) == task


async def test_a_paused_task_is_handed_out_again_once_resumed(api: httpx.AsyncClient) -> None:
    task = await submit(api)
    await act(api, task["id"], "pause")
    assert await claim(api) == []

    assert (await act(api, task["id"], "resume"))["status"] == "to_do"
    assert (await claim_one(api))["task"]["id"] == task["id"]


async def test_a_resumed_retry_is_a_retry_and_its_delay_goes_on(api: httpx.AsyncClient) -> None:
    failed = await fail(api, await a_lease(api), retry_after_seconds=3600)
    await act(api, failed["id"], "pause")
    task = await act(api, failed["id"], "resume")

    assert (task["status"], task["current_retry_count"]) == ("retrying", 1)
    assert task["available_at"] == failed["available_at"]
    assert await claim(api) == []


async def test_a_cancelled_tasks_worker_is_refused_from_then_on(api: httpx.AsyncClient) -> None:
    lease = await a_lease(api)
    await heartbeat(api, lease, "half")
    task = await act(api, lease["task"]["id"], "cancel")

    assert task["status"] == "cancelled"
    answer = await api.post(f"/leases/{lease['lease_id']}/heartbeat")
    problem(answer, 409)
    assert document(answer)["task_status"] == "cancelled"
    problem(await end(api, lease["lease_id"], "complete"), 409)
    assert await get(api, task["id"]) == task
    assert [a["outcome"] for a in await attempts(api, task["id"])] == ["cancelled"]


async def test_cancelling_what_does_not_run_leaves_no_attempt(api: httpx.AsyncClient) -> None:
    task = await submit(api)
    await act(api, task["id"], "cancel")

    assert await attempts(api, task["id"]) == []


async def test_a_retried_task_has_all_its_retries_again(api: httpx.AsyncClient) -> None:
    await submit(api, retry_limit=1, retry_delay_seconds=0)
    for _ in range(2):
        failed = await fail(api, await claim_one(api), error="it broke")
    assert failed["status"] == "failed"
    task = await act(api, failed["id"], "retry")

    assert (task["status"], task["current_retry_count"], task["error"]) == ("to_do", 0, None)
    again = await fail(api, await claim_one(api))
    assert (again["status"], again["attempt"]) == ("retrying", 3)


async def test_a_retried_task_does_not_listen_to_its_old_workers(
    api: httpx.AsyncClient, session: Session
) -> None:
    task = TaskFactory(in_progress=True)
    old_lease = lease_of(task)
    await act(api, task.id, "cancel")
    await act(api, task.id, "retry")
    await claim_one(api)

    problem(await end(api, old_lease, "complete"), 409)
    assert (await get(api, task.id))["status"] == "in_progress"
