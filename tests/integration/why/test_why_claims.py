"""What is said before is what claims then do."""

import asyncio
import random

import httpx
import pytest
from sqlalchemy import Engine, text

from app.queue.queue_settings import IN_FORCE_AFTER
from tests.integration.why.conftest import Ask
from tests.support.calls import Document, claim, fail
from tests.support.worker_calls import release

QUEUES = ("default", "images")
FAR = "2999-01-01T00:00:00Z"


async def make(api: httpx.AsyncClient, chance: random.Random) -> list[int]:
    """Tasks that wait in each way there is, and some that do not."""
    bodies = [
        {
            "title": "t",
            "queue": chance.choice(QUEUES),
            "priority": chance.choice(["high", "medium", "low"]),
            "available_at": chance.choice([None, None, "2020-01-01T00:00:00Z", FAR]),
            "retry_limit": chance.choice([0, 5]),
        }
        for _ in range(40)
    ]
    ids: list[int] = []
    while bodies:
        count = chance.randint(1, 10)
        answer = await api.post("/tasks/batch", json={"tasks": bodies[:count]})
        ids += [task["id"] for task in answer.json()]
        bodies = bodies[count:]
    for lease in await claim(api, queues=QUEUES, limit=12):
        match chance.choice(["fail", "retry", "release", "wait", "run"]):
            case "fail":
                await fail(api, lease)
            case "retry":
                await fail(api, lease, retry_after_seconds=0)
            case "release":
                await release(api, lease)
            case "wait":
                await release(api, lease, delay_seconds=3600)
    for task_id in chance.sample(ids, 8):
        await api.post(f"/admin/tasks/{task_id}/{chance.choice(['pause', 'cancel'])}")
    for task_id in chance.sample(ids, 4):
        await api.patch(f"/tasks/{task_id}", json={"priority": "high"})
    return ids


async def let_them_age(api: httpx.AsyncClient, engine: Engine) -> None:
    """Some of those that wait are overdue, and some are not."""
    with engine.begin() as connection:
        for column in ("created_at", "turn_at"):
            # In their order or not.
            shift = "INTERVAL id * 7919 % 1000 SECOND"
            connection.execute(text(f"UPDATE tasks SET {column} = {column} - {shift}"))
    for queue, ages in zip(QUEUES, ({"中": 100, "低": 400}, {"中": 300}), strict=True):
        await api.put(f"/admin/queues/{queue}/settings", json={"ageing_seconds": ages})
    await asyncio.sleep(IN_FORCE_AFTER.total_seconds())


@pytest.mark.parametrize("is_ageing", [False, True], ids=["by priority", "ageing"])
@pytest.mark.parametrize("seed", range(8))
async def test_what_may_be_claimed_is_claimed_in_the_order_that_was_said(
    api: httpx.AsyncClient, ask: Ask, engine: Engine, seed: int, is_ageing: bool
) -> None:
    chance = random.Random(seed)
    ids = await make(api, chance)
    if is_ageing:
        await let_them_age(api, engine)
    paused = chance.choice([None, *QUEUES])
    if paused is not None:
        await api.post(f"/admin/queues/{paused}/pause")
    said = {task_id: await ask(task_id) for task_id in ids}
    assert all(found["reasons"] for found in said.values())
    documents = [(await api.get(f"/tasks/{task_id}")).json() for task_id in ids]

    claimed: set[int] = set()
    for queue in QUEUES:
        expected = [
            task["id"]
            for task in documents
            if task["queue"] == queue and said[task["id"]]["is_claimable"]
        ]
        expected.sort(key=lambda task_id: place(said[task_id]))
        assert [place(said[task_id]) for task_id in expected] == [*range(len(expected))]
        taken = []
        while leases := await claim(api, queues=[queue], limit=chance.randint(1, 5)):
            taken += [lease["task"]["id"] for lease in leases]
        assert taken == expected
        claimed.update(taken)
    for task in documents:
        if task["id"] not in claimed:
            assert not said[task["id"]]["is_claimable"]


def place(found: Document) -> int:
    """How many were said to be ahead."""
    return sum(reason.get("tasks", 0) for reason in found["reasons"])
