"""Everything at once, at full speed: every task is done once, and no error shows."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
from sqlalchemy import Engine, text

from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.concurrency.ordering import deadlocks
from tests.conftest import serving

TASKS, PROCESSES, WORKERS = 500, 3, 8


class Run:
    """What the workers of all processes have done together."""

    def __init__(self) -> None:
        self.completed: Counter[int] = Counter()
        self.failed: Counter[int] = Counter()

    @property
    def is_over(self) -> bool:
        return len(self.completed) == TASKS

    async def work(self, api: httpx.AsyncClient, name: str, limits: Iterator[int]) -> None:
        """Claim a few and end them, by turns in one call each and in one call for all."""
        claim = {"worker": name, "wait_seconds": 0.5, "lease_seconds": 30}
        while not self.is_over:
            limit = next(limits)
            answer = await api.post("/leases", json={**claim, "limit": limit})
            assert answer.status_code == 200, answer.text
            leases = answer.json()
            if limit == 1:
                for lease in leases:
                    await self.end_alone(api, lease)
            else:
                await self.end_together(api, leases)

    async def end_alone(self, api: httpx.AsyncClient, lease: dict[str, Any]) -> None:
        beat = await api.post(f"/leases/{lease['lease_id']}/heartbeat", json={"progress": 1})
        assert beat.status_code == 200, beat.text
        answer = await api.post(f"/leases/{lease['lease_id']}/complete")
        assert answer.status_code == 200, answer.text
        self.completed[lease["task"]["id"]] += 1

    async def end_together(self, api: httpx.AsyncClient, leases: list[dict[str, Any]]) -> None:
        items = [
            {
                "lease_id": lease["lease_id"],
                # Every seventh task fails once, and is retried.
                "outcome": "fail"
                if lease["task"]["id"] % 7 == 0 and lease["attempt"] == 1
                else "complete",
            }
            for lease in leases
        ]
        answer = await api.post("/leases/finish", json={"items": items})
        assert answer.status_code == 200, answer.text
        for item, done in zip(items, answer.json()["items"], strict=True):
            assert done["status"] == 200, done
            counted = self.completed if item["outcome"] == "complete" else self.failed
            counted[done["task"]["id"]] += 1

    async def sweep(self, resources: Resources) -> None:
        while not self.is_over:
            for run in sweeping.SWEEPS.values():
                await run(resources)
            await asyncio.sleep(0.05)


async def submit(api: httpx.AsyncClient, count: int) -> None:
    """Submit tasks with shared tags, and change the priority of each while it may be claimed."""
    for number in range(count):
        task = {
            "title": f"task {number}",
            "priority": ("高", "中", "低")[number % 3],
            "tags": [f"tag {number % 5}", f"tag {number % 11}"],
            "retry_delay_seconds": 0,
        }
        answer = await api.post("/tasks", json=task)
        assert answer.status_code == 201, answer.text
        patch = await api.patch(answer.headers["location"], json={"priority": "高"})
        assert patch.status_code == 200, patch.text


async def test_every_task_is_done_exactly_once(
    engine: Engine, settings: Settings, resources: Resources
) -> None:
    run = Run()
    deadlocks_before = deadlocks(engine)
    limits = itertools.cycle([1, 3, 7, 2, 1, 5])

    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        processes = [await stack.enter_async_context(serving(settings)) for _ in range(PROCESSES)]
        for number, api in enumerate(itertools.islice(itertools.cycle(processes), 5)):
            group.create_task(submit(api, TASKS // 5), name=f"submitter {number}")
        for process, number in itertools.product(range(PROCESSES), range(WORKERS)):
            group.create_task(run.work(processes[process], f"{process}-{number}", limits))
        group.create_task(run.sweep(resources))

    assert deadlocks(engine) == deadlocks_before, "all lock in one order"
    assert set(run.completed.values()) == {1}
    assert set(run.failed.values()) == {1}
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT id, status, attempt, claim_rank FROM tasks")).all()
        assert {tuple(r) for r in rows} == {
            (task_id, "done", 1 + run.failed[task_id], None) for task_id in run.completed
        }
