"""Heartbeats: what they promise, what they show, and when they are refused."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Engine

from app.service import sweeping
from app.service.resources import Resources
from tests.support.calls import Document, claim, claim_one, complete, fail, get, problem, submit
from tests.support.elapse import elapse, is_between, moment, mysql_now
from tests.support.worker_calls import a_lease, act, heartbeat, release


async def test_a_heartbeat_moves_the_expiry_on(api: httpx.AsyncClient, engine: Engine) -> None:
    await submit(api, timeout_seconds=90)
    lease = await claim_one(api, lease_seconds=30)
    elapse(engine, 20)
    before = mysql_now(engine)
    answer = await heartbeat(api, lease)

    assert set(answer) == {"expires_at", "deadline"}
    expires_in = moment(answer["expires_at"]) - timedelta(seconds=30)
    assert is_between(before, expires_in, mysql_now(engine))
    assert moment(answer["deadline"]) == moment(lease["deadline"]) - timedelta(seconds=20)


async def test_no_heartbeat_moves_the_expiry_past_the_deadline(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await submit(api, timeout_seconds=90)
    lease = await claim_one(api, lease_seconds=30)
    elapse(engine, 70)
    answer = await heartbeat(api, lease)

    assert answer["expires_at"] == answer["deadline"]


async def test_without_a_promise_a_heartbeat_changes_nothing(api: httpx.AsyncClient) -> None:
    lease = await a_lease(api)

    assert await heartbeat(api, lease) == {
        "expires_at": lease["expires_at"],
        "deadline": lease["deadline"],
    }


async def test_a_heartbeat_needs_no_body(api: httpx.AsyncClient) -> None:
    lease = await a_lease(api)
    answer = await api.post(f"/leases/{lease['lease_id']}/heartbeat")

    assert answer.status_code == 200


@pytest.mark.parametrize("progress", [0.5, "half", {"done": 3, "of": 2**60}, [1, None], False, 0])
async def test_progress_is_shown_as_the_worker_said_it(
    api: httpx.AsyncClient, progress: object
) -> None:
    lease = await a_lease(api)
    assert (await get(api, lease["task"]["id"]))["progress"] is None
    await heartbeat(api, lease, progress)

    assert (await get(api, lease["task"]["id"]))["progress"] == progress


async def test_progress_is_what_the_last_heartbeat_said(api: httpx.AsyncClient) -> None:
    lease = await a_lease(api)
    shown = []
    for progress in (1, 2, None):
        await heartbeat(api, lease, progress)
        shown.append((await get(api, lease["task"]["id"]))["progress"])

    assert shown == [1, 2, None]


async def test_progress_is_shown_of_one_task_only_not_in_lists(api: httpx.AsyncClient) -> None:
    lease = await a_lease(api)
    await heartbeat(api, lease, "half")

    (listed,) = (await api.get("/tasks")).json()
    assert listed["progress"] is None


async def test_progress_is_over_with_its_attempt(api: httpx.AsyncClient) -> None:
    lease = await a_lease(api)
    await heartbeat(api, lease, "half")
    await fail(api, lease, retry_after_seconds=0)
    assert (await get(api, lease["task"]["id"]))["progress"] is None

    lease = await claim_one(api)
    assert (await get(api, lease["task"]["id"]))["progress"] is None
    await heartbeat(api, lease, "more")
    await complete(api, lease)
    assert (await get(api, lease["task"]["id"]))["progress"] is None


async def test_progress_beyond_256_kib_is_refused(api: httpx.AsyncClient) -> None:
    lease = await a_lease(api)
    answer = await api.post(
        f"/leases/{lease['lease_id']}/heartbeat", json={"progress": "x" * 256 * 1024}
    )

    problem(answer, 422, "progress")


End = Callable[[httpx.AsyncClient, Document], Awaitable[object]]


@pytest.mark.parametrize(
    ("ending", "outcome", "status"),
    [
        (complete, "done", "done"),
        (fail, "failed", "retrying"),
        (release, "released", "to_do"),
        (lambda api, lease: act(api, lease["task"]["id"], "cancel"), "cancelled", "cancelled"),
    ],
)
async def test_a_heartbeat_after_the_end_is_refused_with_the_reason(
    api: httpx.AsyncClient, ending: End, outcome: str, status: str
) -> None:
    lease = await a_lease(api)
    await ending(api, lease)
    answer = await api.post(f"/leases/{lease['lease_id']}/heartbeat")

    assert outcome in problem(answer, 409).detail
    assert (answer.json()["outcome"], answer.json()["task_status"]) == (outcome, status)


async def test_a_heartbeat_after_the_time_out_is_refused_with_the_reason(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    lease = await a_lease(api, timeout_seconds=10)
    elapse(engine, 11)
    await sweeping.time_out(resources)
    answer = await api.post(f"/leases/{lease['lease_id']}/heartbeat")

    assert "timed_out" in problem(answer, 409).detail
    assert answer.json()["task_status"] == "retrying"


async def test_a_heartbeat_of_a_deleted_task_is_not_found(api: httpx.AsyncClient) -> None:
    lease = await a_lease(api)
    await heartbeat(api, lease, "half")
    await api.delete(f"/tasks/{lease['task']['id']}")

    problem(await api.post(f"/leases/{lease['lease_id']}/heartbeat"), 404)


async def test_a_forged_heartbeat_is_refused_and_shows_no_progress(
    api: httpx.AsyncClient,
) -> None:
    lease = await a_lease(api)
    forged = f"{lease['task']['id']}.{'0' * 32}"
    answer = await api.post(f"/leases/{forged}/heartbeat", json={"progress": "mine"})

    problem(answer, 409)
    assert (await get(api, lease["task"]["id"]))["progress"] is None


async def test_heartbeats_at_once_each_get_their_own_answer(api: httpx.AsyncClient) -> None:
    for _ in range(6):
        await submit(api)
    leases = await claim(api, limit=6)
    await complete(api, leases[0])
    await api.delete(f"/tasks/{leases[1]['task']['id']}")

    answers = await asyncio.gather(
        *(
            api.post(f"/leases/{lease['lease_id']}/heartbeat", json={"progress": number})
            for number, lease in enumerate(leases)
        )
    )

    assert [answer.status_code for answer in answers] == [409, 404, 200, 200, 200, 200]
    for number, lease in enumerate(leases[2:], start=2):
        assert (await get(api, lease["task"]["id"]))["progress"] == number
