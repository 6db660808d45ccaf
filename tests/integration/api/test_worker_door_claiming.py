"""Claiming: what is handed out, to whom, and in which order."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Engine

from tests.support.calls import as_listed, claim, claim_one, fail, get, problem, submit
from tests.support.elapse import elapse, is_between, moment, mysql_now


def titles(leases: list[dict[str, dict[str, str]]]) -> list[str]:
    return [lease["task"]["title"] for lease in leases]


async def test_work_is_handed_out_by_priority_and_then_by_age(api: httpx.AsyncClient) -> None:
    for title, priority in [
        ("old low", "低"),
        ("old medium", "中"),
        ("old high", "高"),
        ("young high", "高"),
        ("young medium", "中"),
        ("young low", "低"),
    ]:
        await submit(api, title=title, priority=priority)

    assert titles(await claim(api, limit=10)) == [
        *("old high", "young high"),
        *("old medium", "young medium"),
        *("old low", "young low"),
    ]


async def test_tasks_of_the_same_moment_are_handed_out_by_id(api: httpx.AsyncClient) -> None:
    answer = await api.post("/tasks/batch", json={"tasks": [{"title": "t"} for _ in range(20)]})
    stored = answer.json()
    assert len({task["created_at"] for task in stored}) == 1

    handed = [await claim_one(api) for _ in range(20)]

    assert [lease["task"]["id"] for lease in handed] == [task["id"] for task in stored]


async def test_queues_are_served_in_the_order_they_are_asked(api: httpx.AsyncClient) -> None:
    await submit(api, title="mail", queue="mail", priority="高")
    await submit(api, title="image", queue="image", priority="低")
    await submit(api, title="default", priority="高")

    leases = await claim(api, queues=["image", "mail", "image"], limit=10)

    assert titles(leases) == ["image", "mail"]


async def test_only_as_many_are_handed_out_as_were_asked_for(api: httpx.AsyncClient) -> None:
    for number in range(5):
        await submit(api, title=str(number))

    assert titles(await claim(api)) == ["0"]
    assert titles(await claim(api, limit=3)) == ["1", "2", "3"]
    assert titles(await claim(api, limit=100)) == ["4"]
    assert await claim(api, limit=100) == []


async def test_the_limit_holds_across_queues(api: httpx.AsyncClient) -> None:
    for queue in ("a", "b"):
        for number in range(2):
            await submit(api, title=f"{queue}{number}", queue=queue)

    assert titles(await claim(api, queues=["a", "b"], limit=3)) == ["a0", "a1", "b0"]


async def test_workers_that_ask_at_once_get_different_tasks(api: httpx.AsyncClient) -> None:
    stored = [(await submit(api))["id"] for _ in range(6)]

    answers = await asyncio.gather(*(claim(api, limit=2) for _ in range(5)))

    handed = [lease["task"]["id"] for leases in answers for lease in leases]
    assert sorted(handed) == stored
    assert len({lease["lease_id"] for leases in answers for lease in leases}) == 6


async def test_a_delayed_task_is_not_handed_out_before_its_time(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    soon = mysql_now(engine) + timedelta(hours=1)
    task = await submit(api, available_at=f"{soon.isoformat()}Z", priority="高")
    assert moment(task["available_at"]) == soon

    assert await claim(api) == []
    elapse(engine, 3599)
    assert await claim(api) == []


async def test_a_task_whose_time_has_come_already_is_handed_out_at_once(
    api: httpx.AsyncClient,
) -> None:
    task = await submit(api, available_at="2020-01-01T00:00:00Z")

    assert (await claim_one(api))["task"]["id"] == task["id"]


async def test_a_task_that_has_ended_or_is_paused_is_not_handed_out(
    api: httpx.AsyncClient,
) -> None:
    for action in ("pause", "cancel"):
        task = await submit(api)
        await api.post(f"/admin/tasks/{task['id']}/{action}")
    await submit(api)
    await fail(api, await claim_one(api), retryable=False)

    assert await claim(api, limit=10) == []


async def test_a_retry_keeps_its_place_in_the_order(api: httpx.AsyncClient) -> None:
    await submit(api, title="old", retry_delay_seconds=0)
    await submit(api, title="young")
    await fail(api, await claim_one(api))

    assert titles(await claim(api, limit=2)) == ["old", "young"]


async def test_a_lease_says_all_a_worker_needs(api: httpx.AsyncClient, engine: Engine) -> None:
    task = await submit(
        api, payload={"path": "/a", "n": 2**53 + 1}, tags=["b", "a"], timeout_seconds=90
    )
    before = mysql_now(engine)
    lease = await claim_one(api, worker="host-1")
    after = mysql_now(engine)

    assert set(lease) == {"lease_id", "attempt", "deadline", "expires_at", "task"}
    task_id, _, token = lease["lease_id"].partition(".")
    assert int(task_id) == task["id"]
    assert len(token) == 32
    assert lease["attempt"] == 1
    started = moment(lease["task"]["started_at"])
    assert is_between(before, started, after)
    assert moment(lease["deadline"]) == started + timedelta(seconds=90)
    assert lease["expires_at"] == lease["deadline"]
    assert lease["task"] == task | {
        "status": "in_progress",
        "attempt": 1,
        "worker": "host-1",
        "started_at": lease["task"]["started_at"],
        "updated_at": lease["task"]["started_at"],
    }
    assert as_listed(await get(api, task["id"])) == lease["task"]


async def test_a_lease_that_promises_heartbeats_expires_before_the_deadline(
    api: httpx.AsyncClient,
) -> None:
    await submit(api, timeout_seconds=90)
    lease = await claim_one(api, lease_seconds=10)

    started = moment(lease["task"]["started_at"])
    assert moment(lease["expires_at"]) == started + timedelta(seconds=10)
    assert moment(lease["deadline"]) == started + timedelta(seconds=90)


async def test_no_lease_outlives_the_deadline(api: httpx.AsyncClient) -> None:
    await submit(api, timeout_seconds=7)
    lease = await claim_one(api, lease_seconds=3600)

    assert lease["expires_at"] == lease["deadline"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("worker", ""),
        ("worker", "w" * 256),
        ("queues", []),
        ("queues", ["Mail"]),
        ("queues", ["q" * 65]),
        ("limit", 0),
        ("limit", 101),
        ("limit", "1"),
        ("wait_seconds", -1),
        ("wait_seconds", 31),
        ("lease_seconds", 4),
        ("lease_seconds", 3601),
        ("status", "done"),
    ],
)
async def test_a_claim_out_of_bounds_is_refused_by_field(
    api: httpx.AsyncClient, field: str, value: object
) -> None:
    task = await submit(api)
    answer = await api.post("/leases", json={"worker": "w"} | {field: value})

    problem(answer, 422, field)
    assert (await get(api, task["id"]))["status"] == "to_do"
