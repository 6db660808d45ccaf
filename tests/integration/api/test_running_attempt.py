"""What a client sees of an attempt under way, and of what a task waits for."""

from datetime import timedelta

import httpx
import pytest

from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import Document, as_listed, claim_one, complete, fail, get, submit
from tests.support.elapse import moment

NONE = {"deadline_at": None, "lease_expires_at": None, "last_heartbeat_at": None}


def of_attempt(task: Document) -> Document:
    return {name: task[name] for name in NONE}


async def beat(api: httpx.AsyncClient, lease: Document) -> Document:
    answer = await api.post(f"/leases/{lease['lease_id']}/heartbeat", json={"progress": 1})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_task_tells_of_its_attempt_while_that_runs(api: httpx.AsyncClient) -> None:
    task = await submit(api, timeout_seconds=600)
    assert of_attempt(await get(api, task["id"])) == NONE
    lease = await claim_one(api, lease_seconds=60)
    running = await get(api, task["id"])

    assert as_listed(running) == lease["task"], "elsewhere it is not told"
    assert running["deadline_at"] == lease["deadline"]
    expires_at, heard_at = moment(running["lease_expires_at"]), running["last_heartbeat_at"]
    assert abs(expires_at - moment(lease["expires_at"])) < timedelta(seconds=1)
    assert abs(moment(heard_at) - moment(running["started_at"])) < timedelta(seconds=1)

    told = await beat(api, lease)
    after = await get(api, task["id"])
    assert moment(after["last_heartbeat_at"]) > moment(heard_at)
    expires_at = moment(after["lease_expires_at"])
    assert abs(expires_at - moment(told["expires_at"])) < timedelta(seconds=1)

    await complete(api, lease)
    assert of_attempt(await get(api, task["id"])) == NONE


async def test_without_a_promise_only_the_deadline_counts(api: httpx.AsyncClient) -> None:
    task = await submit(api)
    lease = await claim_one(api)
    expected = {**NONE, "deadline_at": lease["deadline"], "lease_expires_at": lease["deadline"]}
    assert of_attempt(await get(api, task["id"])) == expected


async def test_without_redis_only_the_deadline_counts(redisless: Settings) -> None:
    async with serving(redisless) as api:
        task = await submit(api)
        lease = await claim_one(api, lease_seconds=30)
        expected = {**NONE, "deadline_at": lease["deadline"], "lease_expires_at": lease["deadline"]}
        assert of_attempt(await get(api, task["id"])) == expected


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_the_attempt_under_way_is_the_last_of_them(
    api: httpx.AsyncClient, limit: int
) -> None:
    task = await submit(api, retry_delay_seconds=0)
    await fail(api, await claim_one(api, worker="first"), error="broken")
    lease = await claim_one(api, worker="second")

    found, url = [], f"/tasks/{task['id']}/attempts?limit={limit}"
    while url:
        answer = await api.get(url)
        found += answer.json()
        url = answer.links.get("next", {}).get("url", "")
        url = url and f"/tasks/{task['id']}/{url}"
    assert [attempt["outcome"] for attempt in found] == ["failed", None]
    assert found[1] == {
        "attempt": 2,
        "worker": "second",
        "started_at": lease["task"]["started_at"],
        **dict.fromkeys(("finished_at", "outcome", "error")),
    }


async def test_what_a_task_waits_for(api: httpx.AsyncClient) -> None:
    assert (await submit(api))["waiting_on"] is None
    later = await submit(api, queue="later", available_at="2999-01-01T00:00:00Z")
    assert later["waiting_on"] == (await get(api, later["id"]))["waiting_on"] == "time"
    paused = (await api.post(f"/admin/tasks/{later['id']}/pause")).json()
    assert paused["waiting_on"] is None
    resumed = (await api.post(f"/admin/tasks/{later['id']}/resume")).json()
    assert resumed["waiting_on"] == "time"
    lease = await claim_one(api)
    assert lease["task"]["waiting_on"] is None
    assert (await fail(api, lease, retry_after_seconds=60))["waiting_on"] == "time"
    by_id = {task["id"]: task["waiting_on"] for task in (await api.get("/tasks")).json()}
    assert set(by_id.values()) == {"time"}
