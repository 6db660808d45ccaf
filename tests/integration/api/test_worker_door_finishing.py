"""Ending an attempt: completed, failed, released; once, and again."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Engine

from app.service import sweeping
from app.service.resources import Resources
from tests.support.calls import (
    as_listed,
    claim,
    claim_one,
    complete,
    document,
    fail,
    get,
    problem,
    submit,
)
from tests.support.elapse import elapse, is_between, moment, mysql_now
from tests.support.worker_calls import FINISHES, a_lease, attempts, end, release


async def test_a_completed_task_is_done(api: httpx.AsyncClient, engine: Engine) -> None:
    lease = await a_lease(api)
    before = mysql_now(engine)
    task = await complete(api, lease, {"sha256": "abc"})

    assert task["status"] == "done"
    assert task["result"] == {"sha256": "abc"}
    assert is_between(before, moment(task["completed_at"]), mysql_now(engine))
    assert task == lease["task"] | {
        name: task[name] for name in ("status", "result", "completed_at", "updated_at")
    }
    assert await get(api, task["id"]) == task


@pytest.mark.parametrize(
    "result",
    [
        0,
        False,
        "",
        [],
        {},
        {"z": 1, "a": {"y": [1, 2.5, None]}},
        9_007_199_254_740_993,
        -(2**63),
        10**40,
        1.1e300,
        '高 😀 \u2028 \\u0041 " \\ \n',
        "a\u0000b",
    ],
)
async def test_a_result_is_kept_to_the_letter(api: httpx.AsyncClient, result: object) -> None:
    task = await complete(api, await a_lease(api, payload=result), result)

    for place in ("result", "payload"):
        assert task[place] == result
        assert type(task[place]) is type(result)
    assert (await get(api, task["id"]))["result"] == result


async def test_the_order_of_a_results_fields_is_kept(api: httpx.AsyncClient) -> None:
    task = await complete(api, await a_lease(api), {"z": 1, "a": 2, "m": {"y": 1, "b": 2}})

    assert list(task["result"]) == ["z", "a", "m"]
    assert list(task["result"]["m"]) == ["y", "b"]


async def test_a_task_may_be_completed_without_a_body(api: httpx.AsyncClient) -> None:
    lease = await a_lease(api)
    answer = await api.post(f"/leases/{lease['lease_id']}/complete")

    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["result"]) == ("done", None)


async def test_a_failed_attempt_is_retried_after_the_tasks_delay(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    lease = await a_lease(api, retry_delay_seconds=60, retry_backoff="fixed")
    task = await fail(api, lease, error="no route to host")

    assert (task["status"], task["current_retry_count"]) == ("retrying", 1)
    assert task["error"] == "no route to host"
    assert moment(task["available_at"]) == moment(task["updated_at"]) + timedelta(seconds=60)
    assert await claim(api) == []


async def test_the_delay_doubles_with_each_retry(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    await submit(api, retry_delay_seconds=100)
    for expected in (100, 200, 400):
        task = await fail(api, await claim_one(api))
        delay = moment(task["available_at"]) - moment(task["updated_at"])
        assert 0.9 * expected <= delay.total_seconds() <= 1.1 * expected
        elapse(engine, 500)
        await sweeping.promote(resources)


async def test_the_attempt_after_the_last_retry_ends_in_failed(api: httpx.AsyncClient) -> None:
    await submit(api, retry_limit=2, retry_delay_seconds=0)
    seen = []
    for _ in range(3):
        task = await fail(api, await claim_one(api), error="again")
        seen.append((task["status"], task["current_retry_count"]))

    assert seen == [("retrying", 1), ("retrying", 2), ("failed", 2)]
    assert task["error"] == "again"
    assert await claim(api) == []


async def test_a_failure_that_cannot_be_retried_ends_the_task(api: httpx.AsyncClient) -> None:
    task = await fail(api, await a_lease(api), error="bad input", retryable=False)

    assert (task["status"], task["current_retry_count"]) == ("failed", 0)


async def test_a_worker_may_set_the_delay_of_the_retry(api: httpx.AsyncClient) -> None:
    task = await fail(api, await a_lease(api), retry_after_seconds=7200)
    assert moment(task["available_at"]) - moment(task["updated_at"]) == timedelta(hours=2)

    other = await fail(api, await a_lease(api, title="other"), retry_after_seconds=0)
    assert (await claim_one(api))["task"]["id"] == other["id"]


async def test_a_released_task_can_be_claimed_again_and_no_retry_is_used(
    api: httpx.AsyncClient,
) -> None:
    first = await a_lease(api, retry_limit=0)
    task = await release(api, first)
    assert (task["status"], task["current_retry_count"]) == ("to_do", 0)

    second = await claim_one(api)
    assert second["attempt"] == 2
    assert (await complete(api, second))["status"] == "done"


async def test_a_worker_may_release_for_later_and_say_why(api: httpx.AsyncClient) -> None:
    lease = await a_lease(api, retry_limit=0)
    task = await release(api, lease, delay_seconds=7200, reason="no such tool here")

    assert (task["status"], task["current_retry_count"]) == ("to_do", 0)
    assert moment(task["available_at"]) - moment(task["updated_at"]) == timedelta(hours=2)
    assert task["error"] == "no such tool here"
    assert await get(api, task["id"]) == task
    (ended,) = await attempts(api, task["id"])
    assert (ended["outcome"], ended["error"]) == ("released", "no such tool here")
    assert await claim(api) == []


async def test_a_release_that_says_nothing_changes_no_error(api: httpx.AsyncClient) -> None:
    await fail(api, await a_lease(api), error="disk full", retry_after_seconds=0)
    task = await release(api, await claim_one(api), delay_seconds=None, reason=None)

    assert (task["status"], task["error"]) == ("retrying", "disk full")
    assert (await attempts(api, task["id"]))[-1]["error"] is None
    assert (await claim_one(api))["task"]["id"] == task["id"]


async def test_a_released_retry_is_a_retry_again(api: httpx.AsyncClient) -> None:
    await fail(api, await a_lease(api), retry_after_seconds=0)
    task = await release(api, await claim_one(api))

    assert (task["status"], task["current_retry_count"]) == ("retrying", 1)
    assert (await claim_one(api))["task"]["id"] == task["id"]


@pytest.mark.parametrize("finish", FINISHES)
async def test_the_same_end_sent_twice_is_answered_the_same(
    api: httpx.AsyncClient, finish: str
) -> None:
    lease = await a_lease(api)
    first = await end(api, lease["lease_id"], finish)
    second = await end(api, lease["lease_id"], finish)

    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()


@pytest.mark.parametrize("again", FINISHES)
@pytest.mark.parametrize("first", FINISHES)
async def test_a_second_end_counts_only_if_it_is_the_same(
    api: httpx.AsyncClient, first: str, again: str
) -> None:
    lease = await a_lease(api)
    stands = (await end(api, lease["lease_id"], first)).json()
    answer = await end(api, lease["lease_id"], again)

    if again == first:
        assert answer.status_code == 200
    else:
        refused = document(answer)
        problem(answer, 409)
        assert refused["task_status"] == stands["status"]
        assert refused["task_id"] == stands["id"]
    assert await get(api, stands["id"]) == stands


@pytest.mark.parametrize("again", FINISHES)
@pytest.mark.parametrize("first", ["fail", "release"])
async def test_a_second_end_leaves_alone_who_holds_the_task_now(
    api: httpx.AsyncClient, first: str, again: str
) -> None:
    old = await a_lease(api)
    await end(api, old["lease_id"], first)
    new = await claim_one(api, worker="next")
    answer = await end(api, old["lease_id"], again)

    if again == first:
        assert answer.status_code == 200
        assert answer.json() == new["task"]
    else:
        problem(answer, 409)
        assert answer.json()["task_status"] == "in_progress"
    assert as_listed(await get(api, new["task"]["id"])) == new["task"]
    assert (await complete(api, new))["status"] == "done"
