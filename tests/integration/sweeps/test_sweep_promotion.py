"""Tasks whose wait is over become claimable: delayed ones, and retries."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.queue.requests import Move
from app.service.resources import Resources
from app.service.sweeping import promote
from app.settings import Settings
from tests.support.calls import Document, claim, claim_one, fail, get, submit
from tests.support.elapse import mysql_now
from tests.support.factories import TaskFactory, now
from tests.support.worker_calls import a_lease, act

Later = Callable[[float], None]


async def a_delayed_task(api: httpx.AsyncClient, engine: Engine, **fields: object) -> Document:
    """A task that may be claimed in an hour."""
    in_an_hour = mysql_now(engine) + timedelta(hours=1)
    return await submit(api, available_at=f"{in_an_hour.isoformat()}Z", **fields)


async def test_a_delayed_task_is_claimable_when_its_time_has_come(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, later: Later
) -> None:
    task = await a_delayed_task(api, engine)
    later(3598)
    assert (await promote(resources), await claim(api)) == (0, [])
    later(3)
    assert await promote(resources) == 1

    assert (await get(api, task["id"]))["status"] == "to_do", "promotion is no transition"
    assert (await claim_one(api))["task"]["id"] == task["id"]
    assert await promote(resources) == 0


async def test_a_retry_is_claimable_when_its_delay_is_over(
    api: httpx.AsyncClient, resources: Resources, later: Later
) -> None:
    task = await fail(api, await a_lease(api), retry_after_seconds=60)
    later(58)
    assert (await promote(resources), await claim(api)) == (0, [])
    later(3)
    assert await promote(resources) == 1

    assert (await get(api, task["id"]))["status"] == "retrying"
    assert (await claim_one(api))["task"]["id"] == task["id"]


async def test_a_promoted_task_takes_its_place_by_priority_and_age(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, later: Later
) -> None:
    await submit(api, title="older", priority="低")
    await a_delayed_task(api, engine, title="delayed", priority="低")
    later(3601)
    await submit(api, title="younger", priority="低")
    await promote(resources)

    handed = await claim(api, limit=3)
    assert [lease["task"]["title"] for lease in handed] == ["older", "delayed", "younger"]


async def test_a_priority_changed_during_the_delay_counts_after_it(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, later: Later
) -> None:
    task = await a_delayed_task(api, engine, priority="低")
    await submit(api, priority="中")
    await api.patch(f"/tasks/{task['id']}", json={"priority": "高"})
    later(3601)
    await promote(resources)

    assert (await claim_one(api))["task"]["id"] == task["id"]


@pytest.mark.parametrize("action", ["pause", "cancel"])
async def test_a_task_taken_out_during_its_delay_is_not_promoted(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, later: Later, action: str
) -> None:
    task = await a_delayed_task(api, engine)
    await act(api, task["id"], action)
    later(3601)

    assert await promote(resources) == 0
    assert await claim(api) == []


async def test_a_task_resumed_after_its_delay_needs_no_promotion(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, later: Later
) -> None:
    task = await a_delayed_task(api, engine)
    await act(api, task["id"], "pause")
    later(3601)
    await act(api, task["id"], "resume")

    assert (await claim_one(api))["task"]["id"] == task["id"]


async def test_a_backlog_makes_nobody_else_wait(
    settings: Settings, session: Session, engine: Engine
) -> None:
    """Retries behind delayed tasks, and what became due last behind what was due before."""
    resources = Resources(settings.model_copy(update={"sweep_batch_size": 2}))
    long_due, due = now() - timedelta(seconds=60), now() - timedelta(seconds=1)

    def waits(since: datetime) -> dict[str, object]:
        return {"available_at": since, "claim_rank": None, "sweep_at": since}

    TaskFactory.create_batch(40, queue="backlog", **waits(long_due))
    TaskFactory.create_batch(40, queue="backlog", retrying=True, **waits(long_due))
    TaskFactory(queue="honest", **waits(due))
    TaskFactory(queue="honest", retrying=True, **waits(due))
    promoted: list[str] = []
    moved = resources.after_commit.moved

    async def note(moves: Sequence[Move]) -> None:
        promoted.extend(new.queue for _, new in moves)
        await moved(moves)

    resources.after_commit.moved = note  # type: ignore[method-assign, assignment]
    assert await promote(resources) == 82
    assert [place for place, queue in enumerate(promoted) if queue == "honest"][-1] < 8
    await resources.close()


async def test_what_becomes_due_during_a_long_run_is_not_left_for_the_next_one(
    settings: Settings, session: Session, engine: Engine
) -> None:
    resources = Resources(settings.model_copy(update={"sweep_batch_size": 2}))
    since = now() - timedelta(seconds=60)
    waits = {"available_at": since, "claim_rank": None, "sweep_at": since}
    TaskFactory.create_batch(40, **waits)
    moved = resources.after_commit.moved
    promoted: list[str] = []

    async def note(moves: Sequence[Move]) -> None:
        if not promoted:
            TaskFactory(queue="honest", retrying=True, **waits)
        promoted.extend(new.queue for _, new in moves)
        await moved(moves)

    resources.after_commit.moved = note  # type: ignore[method-assign, assignment]
    assert await promote(resources) == 41
    assert promoted.index("honest") < 8
    await resources.close()


async def test_all_are_promoted_however_small_the_batches(
    settings: Settings, session: Session, api: httpx.AsyncClient
) -> None:
    resources = Resources(settings.model_copy(update={"sweep_batch_size": 2}))
    due = now() - timedelta(seconds=1)
    for trait in ({}, {"retrying": True}):
        TaskFactory.create_batch(4, available_at=due, claim_rank=None, sweep_at=due, **trait)

    assert await promote(resources) == 8
    assert len(await claim(api, limit=100)) == 8
    await resources.close()
