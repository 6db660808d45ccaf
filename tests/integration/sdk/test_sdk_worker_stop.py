"""How a worker stops: what it finishes, and what it gives back."""

import asyncio

import pytest

from rowlock import AsyncClient, RunningAttempt, Task
from tests.support.sdk import (
    CLAIM,
    FINISH,
    Held,
    HeldWork,
    Through,
    a_worker,
    working,
)

pytest_plugins = ["tests.support.sdk_clients"]


async def test_told_to_stop_it_lets_running_work_end_and_takes_no_more(
    sdk: AsyncClient, through: Through
) -> None:
    work = HeldWork()
    worker = a_worker(through, concurrency=2)
    worker.handler(work)
    ids = await sdk.submit_many({"title": "x"} for _ in range(5))
    running = asyncio.create_task(worker.run_async())
    await work.have_begun(2)
    worker.stop()
    await asyncio.sleep(0)  # it hears of it by the event loop
    work.let_go(2)
    async with asyncio.timeout(20):
        await running
    found = [await sdk.get(task_id) for task_id in ids]
    assert [task.status for task in found] == ["done", "done", "to_do", "to_do", "to_do"]


@pytest.mark.parametrize("way", ["grace is over", "told twice", "cancelled"])
async def test_what_does_not_end_in_time_is_given_back_at_no_cost(
    sdk: AsyncClient, through: Through, way: str
) -> None:
    work = HeldWork()
    worker = a_worker(
        through, concurrency=2, grace_seconds=0.05 if way == "grace is over" else 3600
    )
    worker.handler(work)
    ids = await sdk.submit_many({"title": "x"} for _ in range(3))
    running = asyncio.create_task(worker.run_async())
    await work.have_begun(2)
    if way == "cancelled":
        running.cancel()
    else:
        worker.stop()
    if way == "told twice":
        worker.stop()
    async with asyncio.timeout(20):
        await asyncio.wait([running])
    assert running.cancelled() == (way == "cancelled")
    assert work.lost == ["released", "released"]
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
