"""Whose row another connection holds: seen at once, and nobody waits."""

import asyncio

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.service.resources import Resources
from tests.concurrency.ordering import held_open
from tests.concurrency.steps import claim, claimed_ids, complete
from tests.integration.why.conftest import names
from tests.support.calls import Document, document
from tests.support.factories import TaskFactory, lease_of

PASSED_OVER = "workers pass it over until that transaction ends."
NOT_ENDED = "neither its worker nor the sweep can end the attempt until that transaction ends."


async def ask(api: httpx.AsyncClient, task_id: int) -> Document:
    answer = await api.get(f"/tasks/{task_id}/why")
    assert answer.status_code == 200, answer.text
    return document(answer)


def locked(found: Document) -> list[str]:
    """What is said of the row, if anything is."""
    return [r["detail"] for r in found["reasons"] if r["reason"] == "row_locked"]


@pytest.mark.parametrize("lock", ["FOR UPDATE", "LOCK IN SHARE MODE"])
@pytest.mark.parametrize("trait", [None, "delayed", "in_progress"])
async def test_a_row_that_a_stranger_holds(
    session: Session, engine: Engine, api: httpx.AsyncClient, lock: str, trait: str | None
) -> None:
    task, other = TaskFactory(**({trait: True} if trait else {})).id, TaskFactory().id
    so = NOT_ENDED if trait == "in_progress" else PASSED_OVER
    with engine.connect() as stranger:
        stranger.exec_driver_sql(f"SELECT id FROM tasks WHERE id = %s {lock}", (task,))
        async with asyncio.timeout(0.9):  # less than anybody waits for a row
            found = await ask(api, task)
        assert locked(found) == [f"Another connection to MySQL holds the task's row: {so}"]
        assert found["is_claimable"] == (trait is None)
        assert locked(await ask(api, other)) == []
        # As is said: the worker gets the other one.
        assert await claimed_ids(api) == [other]
        stranger.rollback()
    assert locked(await ask(api, task)) == []


async def test_what_has_ended_or_is_paused_is_looked_at_without_locks(
    session: Session, engine: Engine, api: httpx.AsyncClient
) -> None:
    tasks = [TaskFactory(**{trait: True}).id for trait in ("done", "failed", "paused")]
    with engine.connect() as stranger:
        stranger.exec_driver_sql("SELECT id FROM tasks FOR UPDATE")
        found = [names(await ask(api, task)) for task in tasks]
    assert found == [["ended"], ["ended"], ["paused"]]


async def test_a_claim_and_a_finish_that_are_not_committed_yet(
    session: Session, api: httpx.AsyncClient, other: Resources
) -> None:
    task, running = TaskFactory().id, TaskFactory(in_progress=True)
    async with held_open(other.database, claim()) as (claimed,):
        assert claimed.id == task
        found = await ask(api, task)
        assert (found["status"], len(locked(found))) == ("to_do", 1)
    assert (await ask(api, task))["status"] == "in_progress"

    async with held_open(other.database, complete(lease_of(running))):
        found = await ask(api, running.id)
        assert (found["status"], len(locked(found))) == ("in_progress", 1)
    assert names(await ask(api, running.id)) == ["ended"]
