"""A worker's slots: how it fills them, with how many calls, and without the server."""

import asyncio
import json

import httpx
import pytest

from app.settings import Settings
from rowlock import AsyncClient, NotAllowedError, RunningAttempt, Task
from rowlock.worker import claim_loop
from tests.conftest import serving
from tests.support.sdk import (
    CLAIM,
    FINISH,
    HEARTBEAT,
    HeldWork,
    Through,
    a_worker,
    answer_lost,
    refused,
    request_lost,
    working,
)

pytest_plugins = ["tests.support.sdk_clients"]


async def test_it_claims_only_for_free_slots_with_one_call_for_all_and_one_a_task_after(
    sdk: AsyncClient, through: Through, api: httpx.AsyncClient
) -> None:
    work = HeldWork()
    worker = a_worker(through, concurrency=3)
    worker.handler(work)
    await sdk.submit_many({"title": "x"} for _ in range(10))
    async with working(worker):
        await work.have_begun(3)
        assert (through.count(CLAIM), through.count(FINISH)) == (1, 0)
        for done in range(1, 5):
            work.let_go(1)
            await work.have_begun(1)
            assert (through.count(CLAIM), through.count(FINISH)) == (1, done)
        assert len([task async for task in sdk.list(status="in_progress")]) == 3
        work.let_go(6)
        async for task in sdk.list():
            assert (await sdk.wait(task.id, 20)).status == "done"
    assert work.most == 3


async def test_what_ends_together_is_told_together(sdk: AsyncClient, through: Through) -> None:
    work = HeldWork()
    worker = a_worker(through, concurrency=8)
    worker.handler(work)
    await sdk.submit_many({"title": "x"} for _ in range(16))
    async with working(worker):
        await work.have_begun(8)
        work.let_go(8)
        await work.have_begun(8)
        assert (through.count(CLAIM), through.count(FINISH)) == (1, 1)
        work.let_go(8)
        await through.answered(FINISH, times=2)
    assert {task.status async for task in sdk.list()} == {"done"}
    assert through.count(FINISH) == 2


async def test_no_heartbeat_is_sent_for_short_work(sdk: AsyncClient, through: Through) -> None:
    worker = a_worker(through, concurrency=8)
    worker.handler(lambda task, attempt: None)
    await sdk.submit_many({"title": "x"} for _ in range(50))
    await worker.run_async(drain=True)
    assert {task.status async for task in sdk.list()} == {"done"}
    assert through.count(HEARTBEAT) == 0


async def test_draining_ends_when_nothing_is_left(sdk: AsyncClient, through: Through) -> None:
    worker = a_worker(through, queues="a", concurrency=2)

    @worker.handler
    async def more(task: Task, attempt: RunningAttempt) -> None:
        if task.title == "first":
            await sdk.submit("second", queue="a")

    await sdk.submit("first", queue="a")
    await sdk.submit("first", queue="b")
    async with asyncio.timeout(20):
        await worker.run_async(drain=True)
    assert [(t.queue, t.status) async for t in sdk.list()] == [
        ("a", "done"),
        ("b", "to_do"),
        ("a", "done"),
    ]
    async with asyncio.timeout(20):
        await worker.run_async(drain=True)


async def test_with_the_server_away_it_keeps_its_work_and_goes_on_when_it_is_back(
    sdk: AsyncClient, through: Through, api: httpx.AsyncClient
) -> None:
    work = HeldWork()
    worker = a_worker(through, concurrency=2)
    worker.handler(work)
    ids = await sdk.submit_many({"title": "x"} for _ in range(3))
    async with working(worker):
        await work.have_begun(2)
        through.break_down(request_lost)
        work.let_go(2)
        await through.answered(FINISH, times=3)
        through.break_down(refused(503))
        await through.answered(FINISH, times=4)
        through.break_down(answer_lost)
        await through.answered(FINISH, times=5)
        through.break_down(None)
        await work.have_begun(1)
        work.let_go(1)
        for task_id in ids:
            task = await sdk.wait(task_id, 20)
            assert (task.status, task.attempt) == ("done", 1)


async def test_however_long_it_is_asked_to_wait_it_asks_again_soon(
    sdk: AsyncClient, through: Through, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim_loop, "LONGEST_PAUSE_SECONDS", 0.05)
    worker = a_worker(through)
    worker.handler(lambda task, attempt: None)
    task = await sdk.submit("x")
    through.spoil(FINISH, refused(503, Retry_After="86400"))
    async with working(worker):
        assert (await sdk.wait(task.id, 20)).status == "done"


async def test_what_cannot_be_told_before_the_deadline_is_dropped(
    sdk: AsyncClient, through: Through, caplog: pytest.LogCaptureFixture
) -> None:
    work = HeldWork()
    worker = a_worker(through)
    worker.handler(work)
    await sdk.submit("x", timeout_seconds=1)
    async with working(worker):
        await work.have_begun(1)
        through.break_down(request_lost)
        work.let_go(1)
        async with asyncio.timeout(20):
            while "could not be reported in time" not in caplog.text:
                await through.answered(FINISH, times=through.count(FINISH) + 1)
        through.break_down(None)
        other = await sdk.submit("y")
        await work.have_begun(1)
        work.let_go(1)
        assert (await sdk.wait(other.id, 20)).status == "done"


@pytest.mark.parametrize(
    ("options", "error"), [({"token": "wrong"}, 401), ({"token": "client"}, 403)]
)
async def test_a_worker_that_is_not_let_in_says_so_and_leaves(
    settings: Settings, options: dict[str, str], error: int
) -> None:
    tokens = {"client_tokens": ("client",), "worker_tokens": ("worker",), "admin_tokens": ("a",)}
    async with serving(settings.model_copy(update=tokens)) as api:
        worker = a_worker(Through(api), **options)
        worker.handler(lambda task, attempt: None)
        async with asyncio.timeout(20):
            with pytest.raises(NotAllowedError) as refusal:
                await worker.run_async()
        assert refusal.value.status == error


async def test_the_worker_door_hears_the_name_and_the_promise(
    sdk: AsyncClient, through: Through
) -> None:
    worker = a_worker(through, queues=["b", "a"], concurrency=200, name="w-1", lease_seconds=60)
    worker.handler(lambda task, attempt: None)
    await worker.run_async(drain=True)
    assert json.loads(through.bodies[0]) == {
        "worker": "w-1",
        "queues": ["b", "a"],
        "limit": 100,
        "wait_seconds": 0,
        "lease_seconds": 60,
    }


async def test_the_heartbeats_of_many_attempts_share_a_call(
    sdk: AsyncClient, through: Through
) -> None:
    """Each alone they took every connection, and the finishes waited behind them."""
    count = 150
    worker = a_worker(through, lease_seconds=5, concurrency=count)
    begun, are_over = asyncio.Semaphore(0), asyncio.Event()

    @worker.handler
    async def long(task: Task, attempt: RunningAttempt) -> None:
        begun.release()
        await are_over.wait()

    ids = await sdk.submit_many([{"title": "long"} for _ in range(count)])
    async with working(worker):
        for _ in range(count):
            await begun.acquire()
        before = through.count(HEARTBEAT)
        await through.answered(HEARTBEAT, before + 2)
        beats = [
            json.loads(b)
            for c, b in zip(through.calls, through.bodies, strict=True)
            if c == HEARTBEAT
        ]
        are_over.set()
        ended = [await sdk.wait(task_id, 20) for task_id in ids]
    assert max(len(beat["items"]) for beat in beats) == count
    assert {(task.status, task.attempt) for task in ended} == {("done", 1)}
