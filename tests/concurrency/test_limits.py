"""Limits, from several processes at once: in every snapshot at most so many run, slots and lines
are what the tasks say, and nobody waits where there is room."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from itertools import cycle
from random import Random
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.concurrency.ordering import deadlocks
from tests.conftest import serving
from tests.support.groups import check, limit, stand

SUBMITS, PROCESSES, WORKERS, GROUPS = 60, 3, 3, 20
OPEN = "status NOT IN ('done', 'failed', 'cancelled')"
# One statement each, and so one snapshot.
RUNNING = (
    "SELECT queue, COALESCE(group_key, '-'), COUNT(*) FROM tasks WHERE status = 'in_progress' "
    "GROUP BY queue, group_key"
)
WRONG_SLOTS = """
SELECT task_groups.id, group_key, held, really FROM task_groups JOIN
(SELECT queue, group_key AS of_key, SUM(flags & 8 > 0) AS really FROM tasks
 WHERE status IN ('to_do', 'retrying', 'in_progress') GROUP BY queue, group_key) AS counted
ON counted.queue = task_groups.queue AND of_key = group_key WHERE held <> really
"""
WRONG_LINES = """
SELECT task_groups.id, group_key, waiting, COUNT(task_id) AS really FROM task_groups
LEFT JOIN group_waits ON group_id = task_groups.id
GROUP BY task_groups.id, group_key, waiting HAVING waiting <> really
"""
MOST = {"small": 3, "both": 2, "all": 4}
QUEUES_MOST = {"both": 6, "all": 4}


def found(engine: Engine, statement: str) -> list[Any]:
    with engine.connect() as connection:
        return [*connection.execute(text(statement)).all()]


class Storm:
    """Clients, workers, management and schedulers, as long as there is something to do."""

    def __init__(self, engine: Engine, random: Random, *, changes_limits: bool) -> None:
        self._engine = engine
        self._random = random
        self._changes_limits = changes_limits
        self._ids: list[int] = [1]
        self._clients = 0
        self.is_over = False
        self.most: Mapping[str, int] = {}

    async def submit(self, api: httpx.AsyncClient) -> None:
        self._clients += 1
        for _ in range(SUBMITS // PROCESSES):
            answer = await api.post("/tasks/batch", json={"tasks": self._items()})
            assert answer.status_code in {201, 409, 422, 503}, answer.text
            if answer.status_code == 201:
                self._ids += [task["id"] for task in answer.json()]
        self._clients -= 1

    def _items(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        for number in range(self._random.randint(1, 8)):
            item: dict[str, Any] = {
                **{"title": "t", "ref": str(number), "retry_limit": 1, "retry_delay_seconds": 0},
                "queue": self._random.choice([*MOST]),
                "priority": self._random.choice("高中低"),
            }
            if self._random.random() < 0.9:
                item["group"] = f"g{self._random.randrange(GROUPS)}"
            if number and self._random.random() < 0.2:
                item["depends_on"] = [str(self._random.randrange(number))]
                item["on_parent_failure"] = "run"
            items.append(item)
        return items

    async def work(self, api: httpx.AsyncClient, name: str) -> None:
        claim = {"worker": name, "queues": [*MOST], "limit": 5, "wait_seconds": 0.2}
        items: list[dict[str, Any]] = []
        while not self.is_over:
            body = {"items": items, "claim": claim}
            answer = await api.post("/leases/finish", json=body)
            if answer.status_code == 503:
                continue
            assert answer.status_code == 200, answer.text
            items = [
                {
                    "lease_id": lease["lease_id"],
                    "outcome": self._random.choice(["complete"] * 7 + ["fail", "release"]),
                }
                for lease in answer.json()["leases"]
            ]

    async def manage(self, api: httpx.AsyncClient) -> None:
        while not self.is_over:
            task_id = self._random.choice(self._ids[-100:])
            action = self._random.choice(["pause", "cancel", "retry", "delete", "patch", "patch"])
            if action == "delete":
                answer = await api.delete(f"/tasks/{task_id}")
            elif action == "patch":
                body = {"priority": self._random.choice("高中低")}
                answer = await api.patch(f"/tasks/{task_id}", json=body)
            elif action == "retry" and not self._clients:
                continue
            else:
                answer = await api.post(f"/admin/tasks/{task_id}/{action}")
            assert answer.status_code in {200, 204, 404, 409, 503}, answer.text
            await api.post("/admin/tasks/resume", params={"status": "paused"})

    async def change_limits(self, api: httpx.AsyncClient) -> None:
        while self._changes_limits and not self.is_over:
            for queue, most in MOST.items():
                body = {
                    "running_per_group": self._random.choice([None, 1, most]),
                    "running": self._random.choice([None, 1, QUEUES_MOST.get(queue, 5)]),
                }
                await limit(api, queue, **body)
            await asyncio.sleep(0.3)

    async def sweep(self, resources: Resources) -> None:
        while not self.is_over:
            for name in ("waits", "promote", "slots", "adopt", "audit_slots"):
                repaired = await sweeping.SWEEPS[name](resources)
                assert name != "audit_slots" or not repaired
            await asyncio.sleep(0.05)

    async def watch(self) -> None:
        while not self.is_over:
            assert not await asyncio.to_thread(found, self._engine, WRONG_LINES)
            assert not await asyncio.to_thread(found, self._engine, WRONG_SLOTS)
            if not self._changes_limits:
                self._look(await asyncio.to_thread(found, self._engine, RUNNING))
            if not self._clients:
                self.is_over = not found(self._engine, f"SELECT 1 FROM tasks WHERE {OPEN} LIMIT 1")

    def _look(self, running: list[Any]) -> None:
        of_queue = dict.fromkeys(MOST, 0)
        for queue, group, count in running:
            of_queue[queue] += count
            assert group == "-" or queue == "all" or count <= MOST[queue], (queue, group, count)
        for queue, most in QUEUES_MOST.items():
            assert of_queue[queue] <= most, (queue, of_queue)


@pytest.mark.parametrize("changes_limits", [False, True])
async def test_in_a_storm_slots_are_what_the_tasks_say_and_all_come_to_their_end(
    engine: Engine,
    settings: Settings,
    resources: Resources,
    monkeypatch: pytest.MonkeyPatch,
    *,
    changes_limits: bool,
) -> None:
    monkeypatch.setattr("app.queue.groups.settling.AT_ONCE", 3)
    storm = Storm(engine, Random(7), changes_limits=changes_limits)
    before = deadlocks(engine)
    async with AsyncExitStack() as stack, asyncio.timeout(120):
        processes = [await stack.enter_async_context(serving(settings)) for _ in range(PROCESSES)]
        await limit(processes[0], "small", running_per_group=MOST["small"])
        await limit(processes[0], "both", running_per_group=2, running=QUEUES_MOST["both"])
        await limit(processes[0], "all", running=QUEUES_MOST["all"])
        await asyncio.sleep(1.5)  # until each process knows of them
        async with asyncio.TaskGroup() as group:
            for api in processes:
                group.create_task(storm.submit(api))
                group.create_task(storm.manage(api))
            apis = zip(cycle(processes), range(PROCESSES * WORKERS), strict=False)
            for api, number in apis:
                group.create_task(storm.work(api, f"worker {number}"))
            group.create_task(storm.change_limits(processes[0]))
            for _ in range(2):
                group.create_task(storm.sweep(resources))
            group.create_task(storm.watch())
    assert stand(engine) == {}
    check(engine)
    assert deadlocks(engine) == before
