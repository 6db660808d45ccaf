"""Tasks that depend on each other, from several processes at once: in every snapshot it is known
for how many each still waits, none begins too early, and all come to their end."""

import asyncio
from contextlib import AsyncExitStack
from itertools import cycle
from random import Random
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from app.domain.states import Event
from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.concurrency import steps
from tests.concurrency.ordering import deadlocks, held_open, until_blocked
from tests.conftest import serving
from tests.support.calls import claim_one, complete, get, submit
from tests.support.flows import child_of, claimable, end, waits

BATCHES, PROCESSES, WORKERS = 60, 3, 4
GONE = ("urn:rowlock:lease-is-gone", "urn:rowlock:task-not-found")
OPEN = "status NOT IN ('done', 'failed', 'cancelled')"
# One statement each, and so one snapshot.
WRONG_COUNTS = f"""
SELECT task_id, unmet, COUNT(parent.id) AS really FROM task_waits
LEFT JOIN task_dependencies ON child_id = task_id
LEFT JOIN tasks AS parent ON parent.id = parent_id AND parent.{OPEN}
GROUP BY task_id, unmet HAVING unmet <> really
"""
WRONG_ROWS = """
SELECT id, flags, status, task_id FROM tasks LEFT JOIN task_waits ON task_id = id
WHERE (flags & 2 = 2) <> (task_id IS NOT NULL)
"""
TOO_EARLY = f"""
SELECT child.id, parent.id FROM task_dependencies
JOIN tasks AS child ON child.id = child_id JOIN tasks AS parent ON parent.id = parent_id
WHERE (child.attempt > 0 OR child.claim_rank IS NOT NULL) AND parent.{OPEN}
"""


def found(engine: Engine, statement: str) -> list[Any]:
    with engine.connect() as connection:
        return [*connection.execute(text(statement)).all()]


class Storm:
    """Clients, workers, management and schedulers, as long as there is something to do."""

    def __init__(self, engine: Engine, random: Random, actions: list[str]) -> None:
        self._engine = engine
        self._random = random
        self._actions = actions
        self._ids: list[int] = [0]
        self._clients = 0
        self.is_over = False

    async def submit(self, api: httpx.AsyncClient) -> None:
        self._clients += 1
        for _ in range(BATCHES // PROCESSES):
            answer = await api.post("/tasks/batch", json={"tasks": self._items()})
            assert answer.status_code in {201, 409, 422, 503}, answer.text
            if answer.status_code == 201:
                self._ids += [task["id"] for task in answer.json()]
            await self._block(api)
        self._clients -= 1

    def _items(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        for number in range(self._random.randint(1, 8)):
            refs = [str(n) for n in range(number) if self._random.random() < 0.3]
            recent = self._ids[-20:]
            ids = [i for i in self._random.sample(recent, min(2, len(recent))) if i]
            item = {"title": "t", "ref": str(number), "depends_on": refs + ids}
            if item["depends_on"] and self._random.random() < 0.5:
                item["on_parent_failure"] = "run"
            items.append(item | {"retry_limit": 1, "retry_delay_seconds": 0})
        return items

    async def _block(self, api: httpx.AsyncClient) -> None:
        body = {"title": "b", "blocks": [self._random.choice(self._ids[-20:]) or 1]}
        answer = await api.post("/tasks", json=body)
        assert answer.status_code in {201, 409, 422, 503}, answer.text

    async def work(self, api: httpx.AsyncClient, name: str) -> None:
        claim = {"worker": name, "limit": 5, "wait_seconds": 0.2}
        while not self.is_over:
            answer = await api.post("/leases", json=claim)
            assert answer.status_code == 200, answer.text
            await self._end(api, [self._finish(lease) for lease in answer.json()])

    async def _end(self, api: httpx.AsyncClient, items: list[dict[str, Any]]) -> None:
        while items:
            ended = await api.post("/leases/finish", json={"items": items})
            if ended.is_server_error:
                assert ended.status_code == 503, ended.text
                continue
            # What cannot be stored keeps its attempt from ending.
            items = [
                {**item, "submit": []}
                for item, answer in zip(items, ended.json()["items"], strict=True)
                if answer["status"] != 200 and answer["type"] not in GONE
            ]

    def _finish(self, lease: dict[str, Any]) -> dict[str, Any]:
        outcome = "fail" if self._random.random() < 0.2 else "complete"
        item = {"lease_id": lease["lease_id"], "outcome": outcome}
        if not self._clients or self._random.random() < 0.7:
            return item
        named = self._random.sample([lease["task"]["id"], *self._ids[-20:]], 2)
        unique = {
            "key": self._random.choice("abc"),
            "while": self._random.choice(["waiting", "active"]),
            "conflict": self._random.choice(["keep", "replace", "reject"]),
        }
        child = {"title": "c", "depends_on": [i for i in named if i]}
        if child["depends_on"] and self._random.random() < 0.5:
            child["on_parent_failure"] = "run"
        blocks = {"title": "b", "blocks": [self._random.choice(self._ids[-20:]) or 1]}
        ways = [child, blocks, {"title": "u", "unique": unique}]
        return item | {"submit": self._random.sample(ways, self._random.randint(1, 2))}

    async def manage(self, api: httpx.AsyncClient) -> None:
        while not self.is_over:
            task_id, action = self._random.choice(self._ids), self._random.choice(self._actions)
            if action == "delete":
                answer = await api.delete(f"/tasks/{task_id or 1}")
            else:
                answer = await api.post(f"/admin/tasks/{task_id or 1}/{action}")
            assert answer.status_code in {200, 204, 404, 409, 503}, answer.text
            await api.post("/admin/tasks/resume", params={"status": "paused"})

    async def sweep(self, resources: Resources) -> None:
        while not self.is_over:
            await sweeping.end_waits(resources)
            await sweeping.promote(resources)
            await asyncio.sleep(0.05)

    async def watch(self, *, is_strict: bool) -> None:
        while not self.is_over:
            assert not await asyncio.to_thread(found, self._engine, WRONG_COUNTS)
            assert not await asyncio.to_thread(found, self._engine, WRONG_ROWS)
            if is_strict:
                assert not await asyncio.to_thread(found, self._engine, TOO_EARLY)
            if not self._clients:
                self.is_over = not found(self._engine, f"SELECT 1 FROM tasks WHERE {OPEN} LIMIT 1")


@pytest.mark.parametrize("is_strict", [True, False])
async def test_in_a_storm_all_come_to_their_end_and_none_begins_too_early(
    engine: Engine, settings: Settings, resources: Resources, *, is_strict: bool
) -> None:
    # Who retries a task makes it open again, whoever has begun after it.
    actions = ["pause", "cancel", "delete", "cancel?ancestors=true"]
    if not is_strict:
        actions += ["retry", "retry?descendants=true"]
    storm = Storm(engine, Random(7), actions)
    before = deadlocks(engine)
    async with AsyncExitStack() as stack, asyncio.timeout(120), asyncio.TaskGroup() as group:
        processes = [await stack.enter_async_context(serving(settings)) for _ in range(PROCESSES)]
        for api in processes:
            group.create_task(storm.submit(api))
            group.create_task(storm.manage(api))
        for api, number in zip(cycle(processes), range(PROCESSES * WORKERS), strict=False):
            group.create_task(storm.work(api, f"worker {number}"))
        for _ in range(2):
            group.create_task(storm.sweep(resources))
        group.create_task(storm.watch(is_strict=is_strict))
    assert waits(engine) == {}
    assert deadlocks(engine) == before


async def test_who_submits_while_the_last_one_ends_is_free_at_once(
    api: httpx.AsyncClient, other: Resources, engine: Engine
) -> None:
    parent = await submit(api)
    lease = await claim_one(api)
    async with held_open(other.database, steps.complete(lease["lease_id"])):
        call = asyncio.create_task(child_of(api, parent))
        await until_blocked(engine)
    child = await call
    assert child["waiting_on"] is None
    assert await claimable(api) == [child["id"]]


async def test_who_ends_while_one_is_submitted_frees_it(
    api: httpx.AsyncClient, other: Resources, engine: Engine
) -> None:
    parent = await submit(api)
    lease = await claim_one(api)
    async with held_open(other.database, steps.submit(depends_on=[parent["id"]])):
        call = asyncio.create_task(complete(api, lease))
        await until_blocked(engine)
    await call
    (child_id,) = await claimable(api)
    assert child_id != parent["id"]
    assert waits(engine) == {}


async def test_of_two_that_end_at_once_one_frees_what_waits_for_both(
    api: httpx.AsyncClient, other: Resources, engine: Engine
) -> None:
    parents = [await submit(api), await submit(api)]
    child = await child_of(api, *parents)
    first = await claim_one(api)
    # Its transaction has the row of the wait until it commits.
    async with held_open(other.database, steps.settled(steps.complete(first["lease_id"]))):
        call = asyncio.create_task(end(api, parents[1]))
        await until_blocked(engine)
    await call
    assert waits(engine) == {}
    assert await claimable(api) == [child["id"]]


async def test_who_is_retried_while_another_one_ends_is_waited_for(
    api: httpx.AsyncClient, other: Resources, engine: Engine
) -> None:
    parents = [await submit(api), await submit(api)]
    child = await submit(api, depends_on=[task["id"] for task in parents], on_parent_failure="run")
    await end(api, parents[0], "fail")
    retry = steps.settled(steps.change(parents[0]["id"], Event.RETRY))
    async with held_open(other.database, retry):
        call = asyncio.create_task(end(api, parents[1]))
        await until_blocked(engine)
    await call
    assert waits(engine) == {child["id"]: 1}
    assert (await get(api, child["id"]))["waiting_on"] == "tasks"
