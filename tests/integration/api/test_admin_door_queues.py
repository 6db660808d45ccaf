"""Pausing and resuming a queue, and what stands in each."""

import httpx
import pytest
from sqlalchemy import Engine

from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import Document, claim, claim_one, complete, fail, problem, submit
from tests.support.elapse import is_between, moment, mysql_now
from tests.support.worker_calls import heartbeat


async def set_queue(api: httpx.AsyncClient, queue: str, action: str) -> Document:
    answer = await api.post(f"/admin/queues/{queue}/{action}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def queues(api: httpx.AsyncClient) -> dict[str, Document]:
    return {state["queue"]: state for state in (await api.get("/admin/queues")).json()}


async def test_a_paused_queue_hands_out_nothing_and_others_go_on(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await submit(api, title="paused", queue="mail", priority="高")
    await submit(api, title="runs", queue="image", priority="低")
    before = mysql_now(engine)
    state = await set_queue(api, "mail", "pause")

    assert (state["queue"], state["paused"]) == ("mail", True)
    assert is_between(before, moment(state["paused_at"]), mysql_now(engine))
    (lease,) = await claim(api, queues=["mail", "image"], limit=10)
    assert lease["task"]["title"] == "runs"

    resumed = await set_queue(api, "mail", "resume")
    assert resumed == {"queue": "mail", "paused": False, "paused_at": None}
    assert (await claim_one(api, queues=["mail"]))["task"]["title"] == "paused"


async def test_what_runs_in_a_paused_queue_may_be_brought_to_its_end(
    api: httpx.AsyncClient,
) -> None:
    for _ in range(2):
        await submit(api)
    first, second = await claim(api, limit=2)
    await set_queue(api, "default", "pause")

    await heartbeat(api, first)
    assert (await complete(api, first))["status"] == "done"
    assert (await fail(api, second, retry_after_seconds=0))["status"] == "retrying"
    assert await claim(api) == []


async def test_tasks_may_be_submitted_to_a_paused_queue(api: httpx.AsyncClient) -> None:
    await set_queue(api, "mail", "pause")
    task = await submit(api, queue="mail")
    assert await claim(api, queues=["mail"]) == []
    await set_queue(api, "mail", "resume")

    assert (await claim_one(api, queues=["mail"]))["task"]["id"] == task["id"]


async def test_a_pause_holds_in_every_process(api: httpx.AsyncClient, settings: Settings) -> None:
    async with serving(settings) as other:
        await submit(other)
        await set_queue(api, "default", "pause")
        assert await claim(other) == []
        await set_queue(other, "default", "resume")
        assert len(await claim(api)) == 1


async def test_pausing_twice_is_pausing_once(api: httpx.AsyncClient) -> None:
    first = await set_queue(api, "mail", "pause")
    assert await set_queue(api, "mail", "pause") == first
    await set_queue(api, "mail", "resume")

    assert (await set_queue(api, "mail", "resume"))["paused"] is False


async def test_the_list_shows_every_queue_that_has_tasks_or_is_paused(
    api: httpx.AsyncClient,
) -> None:
    await submit(api, queue="mail", priority="高")
    await submit(api, queue="mail")
    await claim_one(api, queues=["mail"])
    await set_queue(api, "empty", "pause")
    found = await queues(api)

    assert list(found) == ["empty", "mail"]
    assert found["empty"]["paused"] is True
    assert found["empty"]["waiting"] == 0
    assert found["mail"]["paused"] is False
    assert (found["mail"]["waiting"], found["mail"]["in_progress"]) == (1, 1)
    assert found["mail"]["tasks"]["in_progress"]["高"] == 1
    assert found["mail"]["tasks"]["to_do"]["中"] == 1
    assert found["mail"]["oldest_waiting_seconds"] >= 0


@pytest.mark.parametrize("queue", ["Mail", "a" * 65, "a b", "高"])
@pytest.mark.parametrize("action", ["pause", "resume"])
async def test_what_cannot_be_a_queues_name_is_refused(
    api: httpx.AsyncClient, queue: str, action: str
) -> None:
    problem(await api.post(f"/admin/queues/{queue}/{action}"), 422, "name")
