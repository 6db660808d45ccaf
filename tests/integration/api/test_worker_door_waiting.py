"""Waiting for work: what wakes a worker, and what the wait does not cost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from app.processes.application import create_app
from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import claim, claim_one, complete, get, submit
from tests.support.elapse import elapse, mysql_now
from tests.support.hanging_up import HangingCaller
from tests.support.worker_calls import act, attempts, finish, release

Began = asyncio.Queue[None]
Waiting = asyncio.Task[list[dict[str, Any]]]

WAIT = 30


@pytest.fixture
def unpolled(settings: Settings) -> Settings:
    """Nobody looks for work that this process was not told of."""
    return settings.model_copy(update={"poll_interval_seconds": 3600.0})


@pytest.fixture
async def quiet_api(unpolled: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The API of a process that learns of work only from its own callers."""
    async with serving(unpolled) as client:
        yield client


async def waiting(api: httpx.AsyncClient, began: Began, **fields: Any) -> Waiting:
    """A claim that has found nothing and waits."""
    task = asyncio.create_task(claim(api, wait_seconds=WAIT, **fields))
    await began.get()
    return task


@asynccontextmanager
async def waiting_to_hang_up(
    settings: Settings, began: Began
) -> AsyncIterator[tuple[httpx.AsyncClient, HangingCaller]]:
    """A process, and a worker that waits there and may hang up."""
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", timeout=90
        ) as client,
    ):
        caller = HangingCaller(app)
        caller.post("/leases", {"worker": "w", "wait_seconds": WAIT})
        await began.get()
        yield client, caller
        await caller.done()


async def test_a_waiting_worker_gets_a_task_as_soon_as_it_is_submitted(
    quiet_api: httpx.AsyncClient, begins_to_wait: Began
) -> None:
    worker = await waiting(quiet_api, begins_to_wait)
    task = await submit(quiet_api)

    assert [lease["task"]["id"] for lease in await worker] == [task["id"]]


async def test_a_waiting_worker_gets_what_another_process_took_in(
    api: httpx.AsyncClient, other_api: httpx.AsyncClient, begins_to_wait: Began
) -> None:
    worker = await waiting(api, begins_to_wait)
    task = await submit(other_api)

    assert [lease["task"]["id"] for lease in await worker] == [task["id"]]


async def test_the_wait_ends_empty_when_nothing_came(api: httpx.AsyncClient) -> None:
    await submit(api, queue="another")

    assert await claim(api, wait_seconds=0.05) == []


async def test_a_worker_that_need_not_wait_does_not(
    quiet_api: httpx.AsyncClient, begins_to_wait: Began
) -> None:
    task = await submit(quiet_api)
    lease = await claim_one(quiet_api, wait_seconds=WAIT)

    assert lease["task"]["id"] == task["id"]
    assert begins_to_wait.empty()


async def test_a_worker_waits_for_all_the_queues_it_asked_for(
    quiet_api: httpx.AsyncClient, begins_to_wait: Began
) -> None:
    worker = await waiting(quiet_api, begins_to_wait, queues=["mail", "image"])
    await submit(quiet_api, queue="another")
    task = await submit(quiet_api, queue="image")

    assert [lease["task"]["id"] for lease in await worker] == [task["id"]]


async def test_the_first_to_wait_is_the_first_to_be_served(
    quiet_api: httpx.AsyncClient, begins_to_wait: Began
) -> None:
    workers = [await waiting(quiet_api, begins_to_wait, worker=name) for name in "abc"]
    for worker in workers:
        task = await submit(quiet_api)
        assert [lease["task"]["id"] for lease in await worker] == [task["id"]]


@pytest.mark.parametrize("action", ["retry", "resume"])
async def test_what_management_gives_back_wakes_a_worker(
    quiet_api: httpx.AsyncClient, begins_to_wait: Began, action: str
) -> None:
    task = await submit(quiet_api)
    await act(quiet_api, task["id"], {"retry": "cancel", "resume": "pause"}[action])
    worker = await waiting(quiet_api, begins_to_wait)
    await act(quiet_api, task["id"], action)

    assert [lease["task"]["id"] for lease in await worker] == [task["id"]]


async def test_what_another_worker_releases_wakes_a_worker(
    quiet_api: httpx.AsyncClient, begins_to_wait: Began
) -> None:
    task = await submit(quiet_api)
    lease = await claim_one(quiet_api)
    worker = await waiting(quiet_api, begins_to_wait)
    await release(quiet_api, lease)

    assert [lease["task"]["id"] for lease in await worker] == [task["id"]]


async def test_a_task_whose_time_comes_wakes_a_worker(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, begins_to_wait: Began
) -> None:
    soon = mysql_now(engine) + timedelta(hours=1)
    task = await submit(api, available_at=f"{soon.isoformat()}Z")
    worker = await waiting(api, begins_to_wait)
    elapse(engine, 3600)
    assert await sweeping.promote(resources) == 1

    assert [lease["task"]["id"] for lease in await worker] == [task["id"]]


async def test_a_queue_that_is_resumed_wakes_its_workers(
    api: httpx.AsyncClient, begins_to_wait: Began
) -> None:
    await api.post("/admin/queues/default/pause")
    task = await submit(api)
    worker = await waiting(api, begins_to_wait)
    await api.post("/admin/queues/default/resume")

    assert [lease["task"]["id"] for lease in await worker] == [task["id"]]


async def test_finishing_may_wait_for_the_next_work_and_ends_the_old_at_once(
    quiet_api: httpx.AsyncClient, begins_to_wait: Began
) -> None:
    await submit(quiet_api)
    lease = await claim_one(quiet_api)
    item = {"lease_id": lease["lease_id"], "outcome": "complete"}
    worker = asyncio.create_task(
        finish(quiet_api, item, claim={"worker": "w", "wait_seconds": WAIT})
    )
    await begins_to_wait.get()
    assert (await get(quiet_api, lease["task"]["id"]))["status"] == "done"
    task = await submit(quiet_api)
    answer = await worker

    assert [found["status"] for found in answer["items"]] == [200]
    assert [found["task"]["id"] for found in answer["leases"]] == [task["id"]]


async def test_nothing_is_claimed_for_a_worker_that_hung_up(
    unpolled: Settings, begins_to_wait: Began
) -> None:
    async with waiting_to_hang_up(unpolled, begins_to_wait) as (api, caller):
        caller.hang_up()
        task = await submit(api)
        await caller.done()

        assert await get(api, task["id"]) == task
        assert await attempts(api, task["id"]) == []


async def test_the_wake_of_a_worker_that_hung_up_goes_to_the_next(
    unpolled: Settings, begins_to_wait: Began
) -> None:
    async with waiting_to_hang_up(unpolled, begins_to_wait) as (api, caller):
        next_worker = await waiting(api, begins_to_wait)
        caller.hang_up()
        task = await submit(api)
        async with asyncio.timeout(WAIT / 2):
            leases = await next_worker

        assert [lease["task"]["id"] for lease in leases] == [task["id"]]


async def test_whoever_finds_others_waiting_stands_in_line_and_looks_at_no_task(
    unpolled: Settings, begins_to_wait: Began, reads_of_tasks: list[str]
) -> None:
    async with serving(unpolled) as client:
        first = await waiting(client, begins_to_wait)
        assert reads_of_tasks, "by the first"
        reads_of_tasks.clear()
        late = [await waiting(client, begins_to_wait) for _ in range(20)]
        assert await claim(client, wait_seconds=0.05) == []
        assert reads_of_tasks == []
        await client.post("/tasks/batch", json={"tasks": [{"title": "t"}] * 21})
        handed = [lease["task"]["id"] for worker in (first, *late) for lease in await worker]
        assert handed == sorted(handed), "in the order they came"
        assert len(set(handed)) == 21


async def test_whoever_comes_while_the_first_still_looks_looks_too(
    unpolled: Settings, begins_to_wait: Began
) -> None:
    async with serving(unpolled) as client:
        tasks = [await submit(client), await submit(client)]
        both = await asyncio.gather(*(claim(client, wait_seconds=WAIT) for _ in range(2)))
        assert {lease["task"]["id"] for leases in both for lease in leases} == {
            task["id"] for task in tasks
        }
        assert begins_to_wait.empty()


async def test_a_wait_holds_no_connection_and_no_transaction(
    settings: Settings, engine: Engine, begins_to_wait: Began
) -> None:
    few = settings.model_copy(update={"database_pool_size": 2, "poll_interval_seconds": 3600.0})
    async with serving(few) as client:
        workers = [await waiting(client, begins_to_wait) for _ in range(40)]
        with engine.connect() as connection:
            open_transactions = connection.exec_driver_sql(
                "SELECT COUNT(*) FROM information_schema.innodb_trx"
            ).scalar_one()
        assert open_transactions == 0

        # With 40 of them waiting on 2 connections, whoever holds one would be missed here.
        other = await submit(client, queue="another")
        await complete(client, await claim_one(client, queues=["another"]))
        assert (await get(client, other["id"]))["status"] == "done"
        await client.post("/tasks/batch", json={"tasks": [{"title": "t"}] * 40})
        handed = [lease["task"]["id"] for worker in workers for lease in await worker]
        assert len(set(handed)) == len(handed) == 40
