"""An occurrence whose task waits for the end of the one before it, one at most."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.service.firing import fire_due
from app.service.resources import Resources
from tests.support.calls import Document, claim, claim_one, complete, fail
from tests.support.due_schedules import due_since, runs, tasks, tasks_of
from tests.support.elapse import elapse


async def waiting_on(api: httpx.AsyncClient) -> list[str | None]:
    return [task["waiting_on"] for task in await tasks(api)]


async def occur(engine: Engine, resources: Resources) -> None:
    elapse(engine, 60)
    await fire_due(resources)


@pytest.mark.parametrize("is_done", [True, False])
async def test_one_waits_for_the_end_of_the_one_before_it(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session, is_done: bool
) -> None:
    due_since(engine, timedelta(seconds=1), overlap="queue_one")
    await fire_due(resources)
    lease = await claim_one(api)
    await occur(engine, resources)
    await occur(engine, resources)
    assert await waiting_on(api) == [None, "tasks"]
    outcomes = [outcome for outcome, _ in tasks_of(await runs(api))]
    assert outcomes == ["submitted", "submitted", "skipped_overlap"]
    assert await claim(api) == []

    await ended(api, lease, is_done=is_done)
    second = await claim_one(api)
    await occur(engine, resources)
    assert await waiting_on(api) == [None, None, "tasks"]
    await complete(api, second)
    assert len(await claim(api)) == 1


async def ended(api: httpx.AsyncClient, lease: Document, *, is_done: bool) -> None:
    if is_done:
        await complete(api, lease)
    else:
        await fail(api, lease, retryable=False)


async def test_of_a_backlog_one_runs_and_one_waits(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    ago = [timedelta(seconds=60 * n + 30) for n in range(10)]
    due_since(engine, *ago, overlap="queue_one", catch_up="all")
    await fire_due(resources)
    assert await waiting_on(api) == [None, "tasks"]
    outcomes = [outcome for outcome, _ in tasks_of(await runs(api))]
    assert outcomes == ["submitted"] * 2 + ["skipped_overlap"] * 8


async def test_one_that_was_deleted_is_not_waited_for(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    due_since(engine, timedelta(seconds=1), overlap="queue_one")
    await fire_due(resources)
    (task,) = await tasks(api)
    assert (await api.delete(f"/tasks/{task['id']}")).status_code == 204
    await occur(engine, resources)
    assert await waiting_on(api) == [None]
