"""Ends of attempts that store tasks, against each other and against what takes the lease away."""

import asyncio

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.service.resources import Resources
from app.settings import Settings
from tests.concurrency import steps
from tests.concurrency.ordering import held_open, until_blocked
from tests.conftest import serving
from tests.support.calls import Document
from tests.support.factories import TaskFactory, lease_of

NEXT = [{"title": "next", "queue": "next"}] * 2


def stored(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return [
            *connection.execute(
                text("SELECT id FROM tasks WHERE queue = 'next' ORDER BY id")
            ).scalars()
        ]


@pytest.mark.parametrize("finish", ["complete", "fail"])
async def test_who_waits_for_the_sweep_has_stored_nothing(
    session: Session, engine: Engine, other: Resources, api: httpx.AsyncClient, finish: str
) -> None:
    task = TaskFactory(overdue=True)
    async with held_open(other.database, steps.time_out()):
        late = asyncio.create_task(
            api.post(f"/leases/{lease_of(task)}/{finish}", json={"submit": NEXT})
        )
        await until_blocked(engine)
    answer = await late
    assert (answer.status_code, answer.json()["outcome"]) == (409, "timed_out")
    assert stored(engine) == []


async def test_of_two_that_end_one_attempt_one_stores_and_both_are_told(
    session: Session, engine: Engine, settings: Settings
) -> None:
    task = TaskFactory(in_progress=True)
    path = f"/leases/{lease_of(task)}/complete"
    async with serving(settings) as one, serving(settings) as two:
        with engine.connect() as gate:
            gate.exec_driver_sql("SELECT id FROM tasks WHERE id = %s FOR UPDATE", (task.id,))
            calls = [
                asyncio.create_task(each.post(path, json={"submit": NEXT})) for each in (one, two)
            ]
            await until_blocked(engine, 2)
            gate.rollback()
        answers: list[Document] = [(await call).json() for call in calls]
    assert answers[0] == answers[1]
    assert answers[0]["submitted"] == stored(engine)
    assert len(stored(engine)) == len(NEXT)
