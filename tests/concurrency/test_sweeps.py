"""Several schedulers, no leader: each overdue task is moved once, and no sweep waits."""

import asyncio
from collections import Counter
from datetime import timedelta

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.domain.states import Status
from app.queue.sweeps import deadlines
from app.service import sweeping
from app.service.resources import Resources
from tests.concurrency import steps
from tests.concurrency.ordering import held_open
from tests.support.factories import TaskFactory, now


async def test_two_sweeps_share_the_overdue_tasks(
    session: Session, engine: Engine, other: Resources, resources: Resources
) -> None:
    tasks = TaskFactory.create_batch(10, overdue=True)

    async with held_open(other.database, steps.time_out(limit=4)) as first:
        assert await sweeping.time_out(resources) == 6

    assert len(first) == 4
    assert await sweeping.time_out(resources) == 0
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT status, current_retry_count, claim_rank FROM tasks"))
        assert {tuple(row) for row in rows} == {("retrying", 1, None)}
        ended = connection.execute(text("SELECT task_id, outcome FROM task_attempts"))
        assert Counter(tuple(row) for row in ended) == {(t.id, "timed_out"): 1 for t in tasks}


async def test_two_sweeps_promote_each_task_once(
    session: Session, engine: Engine, other: Resources, resources: Resources
) -> None:
    TaskFactory.create_batch(
        10,
        retrying=True,
        available_at=now() - timedelta(seconds=1),
        claim_rank=None,
        sweep_at=now() - timedelta(seconds=1),
    )

    async with held_open(
        other.database, lambda c: deadlines.promote_once(c, status=Status.RETRYING, limit=4)
    ) as first:
        assert await sweeping.promote(resources) == 6

    assert len(first) == 4
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT status, claim_rank, sweep_at FROM tasks"))
        assert {tuple(row) for row in rows} == {("retrying", 1, None)}


async def test_schedulers_at_full_speed_move_each_task_once(
    session: Session, engine: Engine, other: Resources, resources: Resources
) -> None:
    TaskFactory.create_batch(60, overdue=True, retry_limit=0)

    moved = await asyncio.gather(
        *(sweeping.time_out(process) for process in (other, resources) for _ in range(4))
    )

    assert sum(moved) == 60
    with engine.connect() as connection:
        counts = connection.execute(text("SELECT status, COUNT(*) FROM tasks GROUP BY status"))
        assert [tuple(row) for row in counts] == [("failed", 60)]
        ended = connection.execute(
            text("SELECT COUNT(*), COUNT(DISTINCT task_id) FROM task_attempts")
        )
        assert tuple(ended.one()) == (60, 60)
