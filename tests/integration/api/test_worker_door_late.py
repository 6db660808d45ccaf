"""Ending an attempt that is no longer the worker's to end: refused, and nothing changes."""

import httpx
import pytest
from sqlalchemy import Engine

from app.service import sweeping
from app.service.resources import Resources
from tests.support.calls import as_listed, get, problem
from tests.support.elapse import elapse
from tests.support.worker_calls import FINISHES, a_lease, act, end

FORGED = "0" * 32


@pytest.mark.parametrize("finish", FINISHES)
async def test_a_late_finisher_is_told_the_present_status(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, finish: str
) -> None:
    lease = await a_lease(api, timeout_seconds=1)
    elapse(engine, 2)
    assert await sweeping.time_out(resources) == 1
    answer = await end(api, lease["lease_id"], finish)

    assert "timed_out" in problem(answer, 409).detail
    assert answer.json()["task_status"] == "retrying"
    assert (await get(api, lease["task"]["id"]))["current_retry_count"] == 1


@pytest.mark.parametrize("finish", FINISHES)
async def test_a_cancelled_tasks_worker_is_told_so(api: httpx.AsyncClient, finish: str) -> None:
    lease = await a_lease(api)
    await act(api, lease["task"]["id"], "cancel")
    answer = await end(api, lease["lease_id"], finish)

    assert "cancelled" in problem(answer, 409).detail
    assert answer.json()["task_status"] == "cancelled"


@pytest.mark.parametrize("finish", FINISHES)
async def test_a_deleted_task_is_not_found(api: httpx.AsyncClient, finish: str) -> None:
    lease = await a_lease(api)
    await api.delete(f"/tasks/{lease['task']['id']}")

    problem(await end(api, lease["lease_id"], finish), 404)


@pytest.mark.parametrize("finish", FINISHES)
async def test_a_forged_token_ends_nothing(api: httpx.AsyncClient, finish: str) -> None:
    lease = await a_lease(api)
    answer = await end(api, f"{lease['task']['id']}.{FORGED}", finish)

    problem(answer, 409)
    assert answer.json()["task_status"] == "in_progress"
    assert as_listed(await get(api, lease["task"]["id"])) == lease["task"]


@pytest.mark.parametrize("finish", [*FINISHES, "heartbeat"])
@pytest.mark.parametrize(
    "lease_id",
    [
        *("1", "1.", f"x.{FORGED}", f"0.{FORGED}", f"-1.{FORGED}", f"１.{FORGED}"),
        *(f"1.{FORGED[1:]}", f"1.{FORGED}0", f"1.{FORGED}.1", f"1.{'G' * 32}"),
        f"{2**63}.{FORGED}",
    ],
)
async def test_a_malformed_lease_id_is_refused_by_name(
    api: httpx.AsyncClient, lease_id: str, finish: str
) -> None:
    answer = await api.post(f"/leases/{lease_id}/{finish}")

    problem(answer, 422, "lease_id")
