"""Claims against claims, submits and pauses: nobody waits, and nobody gets another's task."""

import asyncio

import httpx
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.domain.states import Priority
from app.queue import manage, submitting
from app.queue.requests import Submission
from app.queue.tags import TagIds
from app.service.resources import Resources
from app.settings import Settings
from tests.concurrency.ordering import held_open
from tests.concurrency.steps import claim, claimed_ids
from tests.conftest import serving
from tests.support.factories import TaskFactory
from tests.support.rows import a_new_task

URGENT = a_new_task(title="urgent", priority=Priority.HIGH)


async def test_a_second_claimer_gets_the_other_tasks_and_does_not_wait_for_the_first(
    session: Session, other: Resources, api: httpx.AsyncClient
) -> None:
    tasks = TaskFactory.create_batch(5)

    async with held_open(other.database, claim(limit=2)) as first:
        second = await claimed_ids(api)

    assert [task.id for task in first] == [task.id for task in tasks[:2]]
    assert second == [task.id for task in tasks[2:]]


async def test_a_claimer_that_finds_everything_locked_gets_nothing_at_once(
    session: Session, other: Resources, api: httpx.AsyncClient
) -> None:
    TaskFactory.create_batch(3)

    async with held_open(other.database, claim(limit=3)):
        assert await claimed_ids(api) == []


async def test_tasks_of_a_claim_that_was_rolled_back_are_there_for_the_next(
    session: Session, engine: Engine, api: httpx.AsyncClient
) -> None:
    task = TaskFactory()

    with engine.connect() as crashing:
        crashing.exec_driver_sql(
            "SELECT id FROM tasks WHERE id = %s FOR UPDATE", (task.id,)
        ).scalar_one()
        assert await claimed_ids(api) == []
        crashing.rollback()

    assert await claimed_ids(api) == [task.id]


async def test_a_claim_neither_waits_for_nor_sees_a_submit_under_way(
    session: Session, other: Resources, api: httpx.AsyncClient
) -> None:
    waiting = TaskFactory()

    async with held_open(
        other.database,
        lambda c: submitting.submit(c, submissions=[Submission([URGENT])], tag_ids=TagIds()),
    ) as (submitted,):
        # It would come first, in the very range that the claim reads.
        assert await claimed_ids(api) == [waiting.id]

    assert not isinstance(submitted, Exception)
    assert await claimed_ids(api) == [submitted.tasks[0].id]


async def test_a_submit_does_not_wait_for_a_claim_under_way(
    session: Session, other: Resources, api: httpx.AsyncClient
) -> None:
    TaskFactory.create_batch(3)

    async with held_open(other.database, claim(limit=10)):
        for priority in ("高", "中", "低"):
            answer = await api.post("/tasks", json={"title": "more", "priority": priority})
            assert answer.status_code == 201, answer.text


async def test_a_pause_of_the_queue_lets_a_claim_under_way_finish_and_stops_the_next(
    session: Session, other: Resources, api: httpx.AsyncClient
) -> None:
    TaskFactory.create_batch(3)

    async with held_open(other.database, claim()) as first:
        paused = await api.post("/admin/queues/default/pause")
        assert paused.status_code == 200, paused.text
        assert await claimed_ids(api) == []

    assert len(first) == 1
    assert await claimed_ids(api) == []
    assert (await api.post("/admin/queues/default/resume")).status_code == 200
    assert len(await claimed_ids(api)) == 2


async def test_a_pause_of_the_queue_under_way_stops_nobody_before_its_commit(
    session: Session, other: Resources, api: httpx.AsyncClient
) -> None:
    TaskFactory.create_batch(2)

    async with held_open(other.database, lambda c: manage.pause_queue(c, queue="default")):
        assert len(await claimed_ids(api, limit=1)) == 1

    assert await claimed_ids(api, limit=1) == []


async def test_many_claimers_of_two_processes_share_the_tasks_out(
    session: Session, settings: Settings
) -> None:
    tasks = TaskFactory.create_batch(40)

    async with serving(settings) as one, serving(settings) as two:
        hands = await asyncio.gather(
            *(claimed_ids(process, limit=3) for process in (one, two) for _ in range(10))
        )

    handed = [task_id for hand in hands for task_id in hand]
    assert sorted(handed) == [task.id for task in tasks]
