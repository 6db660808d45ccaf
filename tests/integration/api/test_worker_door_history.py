"""The attempts of a task, as its history shows them."""

from typing import Any

import httpx
from sqlalchemy import Engine

from app.service import sweeping
from app.service.resources import Resources
from tests.support.calls import claim_one, complete, fail, get, submit
from tests.support.elapse import elapse, moment
from tests.support.worker_calls import a_lease, act, attempts, release


def told(history: list[dict[str, Any]]) -> list[tuple[int, str, str | None]]:
    return [(entry["attempt"], entry["outcome"], entry["error"]) for entry in history]


async def test_every_ended_attempt_is_told_in_order(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    task = await submit(api, timeout_seconds=10, retry_limit=9, retry_delay_seconds=0)
    await fail(api, await claim_one(api, worker="w1"), error="it broke")
    await release(api, await claim_one(api, worker="w2"))
    await claim_one(api, worker="w3")
    elapse(engine, 11)
    await sweeping.time_out(resources)
    await claim_one(api, worker="w4")
    await act(api, task["id"], "cancel")
    await act(api, task["id"], "retry")
    done = await complete(api, await claim_one(api, worker="w5"))
    history = await attempts(api, task["id"])

    assert told(history) == [
        (1, "failed", "it broke"),
        (2, "released", None),
        (3, "timed_out", "timed out after 10 s"),
        (4, "cancelled", None),
        (5, "done", None),
    ]
    assert [entry["worker"] for entry in history] == ["w1", "w2", "w3", "w4", "w5"]
    assert history[4]["finished_at"] == done["completed_at"]
    for entry in history:
        assert set(entry) == {
            *("attempt", "worker", "started_at", "finished_at", "outcome", "error"),
        }
        assert moment(entry["started_at"]) <= moment(entry["finished_at"])


async def test_the_attempt_that_runs_is_there_without_an_end(api: httpx.AsyncClient) -> None:
    task = await submit(api)
    assert await attempts(api, task["id"]) == []
    await claim_one(api)

    (running,) = await attempts(api, task["id"])
    assert (running["outcome"], running["finished_at"]) == (None, None)


async def test_a_task_that_failed_for_good_shows_every_failure(api: httpx.AsyncClient) -> None:
    task = await submit(api, retry_limit=1, retry_delay_seconds=0)
    for error in ("first", "second"):
        await fail(api, await claim_one(api), error=error)

    assert told(await attempts(api, task["id"])) == [
        (1, "failed", "first"),
        (2, "failed", "second"),
    ]
    assert (await get(api, task["id"]))["error"] == "second"


async def test_an_end_sent_twice_is_told_once(api: httpx.AsyncClient) -> None:
    lease = await a_lease(api)
    for _ in range(2):
        await fail(api, lease, error="it broke")

    assert told(await attempts(api, lease["task"]["id"])) == [(1, "failed", "it broke")]


async def test_a_task_without_a_history_and_one_that_is_not_there_differ(
    api: httpx.AsyncClient,
) -> None:
    task = await submit(api)
    await api.delete(f"/tasks/{task['id']}")

    assert (await api.get(f"/tasks/{task['id']}/attempts")).status_code == 404
