"""A worker's slots: how it fills them, with how many calls, and how it stops."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from app.settings import Settings
from rowlock import AsyncClient, NotAllowedError, RunningAttempt, Task
from tests.conftest import serving
from tests.sdk import (
    CLAIM,
    FINISH,
    HEARTBEAT,
    URL,
    Held,
    Through,
    a_worker,
    answer_lost,
    refused,
    request_lost,
    working,
)

pytest_plugins = ["tests.sdk_clients"]


@pytest.fixture
async def sdk(through: Through) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(URL, transport=through) as client:
        yield client


class Gate:
    """A handler whose every call waits to be let go; it counts how many run at once."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.began: asyncio.Queue[int] = asyncio.Queue()
        self._let_go: asyncio.Queue[None] = asyncio.Queue()
        self.lost: list[str | None] = []

    async def __call__(self, task: Task, attempt: RunningAttempt) -> str:
        self.running += 1
        self.most = max(self.most, self.running)
        self.began.put_nowait(task.id)
        try:
            await self._let_go.get()
        finally:
            self.running -= 1
            self.lost.append(attempt.lost)
        return "done"

    def let_go(self, count: int) -> None:
        for _ in range(count):
            self._let_go.put_nowait(None)

    async def have_begun(self, count: int) -> list[int]:
        async with asyncio.timeout(20):
            return [await self.began.get() for _ in range(count)]


async def test_it_claims_only_for_free_slots_with_one_call_for_all_and_one_a_task_after(
    sdk: AsyncClient, through: Through, api: httpx.AsyncClient
) -> None:
    gate = Gate()
    worker = a_worker(through, concurrency=3)
    worker.handler(gate)
    await sdk.submit_many({"title": "x"} for _ in range(10))
    async with working(worker):
        await gate.have_begun(3)
        assert (through.count(CLAIM), through.count(FINISH)) == (1, 0)
        for done in range(1, 5):
            gate.let_go(1)
            await gate.have_begun(1)
            assert (through.count(CLAIM), through.count(FINISH)) == (1, done)
        assert len([task async for task in sdk.list(status="in_progress")]) == 3
        gate.let_go(6)
        async for task in sdk.list():
            assert (await sdk.wait(task.id, 20)).status == "done"
    assert gate.most == 3


async def test_what_ends_together_is_told_together(sdk: AsyncClient, through: Through) -> None:
    gate = Gate()
    worker = a_worker(through, concurrency=8)
    worker.handler(gate)
    await sdk.submit_many({"title": "x"} for _ in range(16))
    async with working(worker):
        await gate.have_begun(8)
        gate.let_go(8)
        await gate.have_begun(8)
        assert (through.count(CLAIM), through.count(FINISH)) == (1, 1)
        gate.let_go(8)
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


async def test_told_to_stop_it_lets_running_work_end_and_takes_no_more(
    sdk: AsyncClient, through: Through
) -> None:
    gate = Gate()
    worker = a_worker(through, concurrency=2)
    worker.handler(gate)
    ids = await sdk.submit_many({"title": "x"} for _ in range(5))
    running = asyncio.create_task(worker.run_async())
    await gate.have_begun(2)
    worker.stop()
    await asyncio.sleep(0)  # it hears of it by the event loop
    gate.let_go(2)
    async with asyncio.timeout(20):
        await running
    found = [await sdk.get(task_id) for task_id in ids]
    assert [task.status for task in found] == ["done", "done", "to_do", "to_do", "to_do"]


@pytest.mark.parametrize("way", ["grace is over", "told twice", "cancelled"])
async def test_what_does_not_end_in_time_is_given_back_at_no_cost(
    sdk: AsyncClient, through: Through, way: str
) -> None:
    gate = Gate()
    worker = a_worker(
        through, concurrency=2, grace_seconds=0.05 if way == "grace is over" else 3600
    )
    worker.handler(gate)
    ids = await sdk.submit_many({"title": "x"} for _ in range(3))
    running = asyncio.create_task(worker.run_async())
    await gate.have_begun(2)
    if way == "cancelled":
        running.cancel()
    else:
        worker.stop()
    if way == "told twice":
        worker.stop()
    async with asyncio.timeout(20):
        await asyncio.wait([running])
    assert running.cancelled() == (way == "cancelled")
    assert gate.lost == ["released", "released"]
    for task_id in ids:
        task = await sdk.get(task_id)
        assert (task.status, task.current_retry_count) == ("to_do", 0)
    assert [a.outcome for a in await sdk.attempts(ids[0])] == ["released"]


async def test_work_that_is_saved_at_the_last_moment_counts(
    sdk: AsyncClient, through: Through
) -> None:
    has_begun = asyncio.Event()
    worker = a_worker(through, grace_seconds=0)

    @worker.handler
    async def careful(task: Task, attempt: RunningAttempt) -> str:
        has_begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            assert attempt.lost == "released"
        return "saved"

    task = await sdk.submit("x")
    async with working(worker):
        await has_begun.wait()
    done = await sdk.get(task.id)
    assert (done.status, done.result) == ("done", "saved")


async def test_what_a_poll_brings_after_the_stop_is_given_back(
    sdk: AsyncClient, through: Through
) -> None:
    held = Held()
    through.spoil(CLAIM, held)
    worker = a_worker(through, concurrency=2)
    worker.handler(lambda task, attempt: None)
    ids = await sdk.submit_many({"title": "x"} for _ in range(3))
    async with working(worker):
        await held.is_there.wait()
        assert (await sdk.get(ids[0])).status == "in_progress"
        worker.stop()
        await asyncio.sleep(0)  # it hears of it by the event loop
        held.let_go.set()
    for task_id in ids:
        task = await sdk.get(task_id)
        assert (task.status, task.current_retry_count) == ("to_do", 0)


async def test_what_a_finish_brings_after_the_stop_is_given_back(
    sdk: AsyncClient, through: Through
) -> None:
    held = Held()
    through.spoil(FINISH, held)
    worker = a_worker(through)
    worker.handler(lambda task, attempt: None)
    first, second = await sdk.submit_many({"title": "x"} for _ in range(2))
    async with working(worker):
        await held.is_there.wait()
        worker.stop()
        await asyncio.sleep(0)  # it hears of it by the event loop
        held.let_go.set()
    assert (await sdk.get(first)).status == "done"
    assert (await sdk.get(second)).status == "to_do"


async def test_with_the_server_away_it_keeps_its_work_and_goes_on_when_it_is_back(
    sdk: AsyncClient, through: Through, api: httpx.AsyncClient
) -> None:
    gate = Gate()
    worker = a_worker(through, concurrency=2)
    worker.handler(gate)
    ids = await sdk.submit_many({"title": "x"} for _ in range(3))
    async with working(worker):
        await gate.have_begun(2)
        through.break_down(request_lost)
        gate.let_go(2)
        await through.answered(FINISH, times=3)
        through.break_down(refused(503))
        await through.answered(FINISH, times=4)
        through.break_down(answer_lost)
        await through.answered(FINISH, times=5)
        through.break_down(None)
        await gate.have_begun(1)
        gate.let_go(1)
        for task_id in ids:
            task = await sdk.wait(task_id, 20)
            assert (task.status, task.attempt) == ("done", 1)


async def test_what_cannot_be_told_before_the_deadline_is_dropped(
    sdk: AsyncClient, through: Through, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    worker = a_worker(through)
    worker.handler(gate)
    await sdk.submit("x", timeout_seconds=1)
    async with working(worker):
        await gate.have_begun(1)
        through.break_down(request_lost)
        gate.let_go(1)
        async with asyncio.timeout(20):
            while "could not be told in time" not in caplog.text:
                await through.answered(FINISH, times=through.count(FINISH) + 1)
        through.break_down(None)
        other = await sdk.submit("y")
        await gate.have_begun(1)
        gate.let_go(1)
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
