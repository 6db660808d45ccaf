"""Slots and lines that SQL has left wrong are set right by the audit, once, and counted."""

import asyncio
from collections.abc import Collection
from functools import partial

import httpx
import pytest
from sqlalchemy import Engine, text

from app.api import ops
from app.domain.slots import Group, Limits, Standing
from app.domain.states import Status
from app.mysql.connection import Connection
from app.queue.groups import rows
from app.queue.sweeps import audit_slots
from app.service import auditing, sweeping
from app.service.resources import Resources
from tests.support.calls import claim, claim_one, complete, submit
from tests.support.explaining import sent_by
from tests.support.groups import check, claimed, limit, stand
from tests.support.worker_calls import act

AUDIT = "audit_slots"
ANY_LINE = "group_id, 1, NOW() FROM group_waits LIMIT 1"


@pytest.fixture(autouse=True)
def _in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "AUDIT_BATCH", 3)
    monkeypatch.setattr(auditing, "AUDIT_GROUPS", 2)
    monkeypatch.setattr(ops, "QUEUES_SHOWN_FOR_SECONDS", -1.0)


def damage(engine: Engine, statement: str, rows: int = 1) -> None:
    with engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount == rows


async def audit(resources: Resources) -> int:
    return await sweeping.SWEEPS[AUDIT](resources)


async def a_queue(api: httpx.AsyncClient) -> int:
    """Two groups with a slot each and one of the queue, and who waits for them: of tasks 1 to 12
    the first runs, 2 waits for the queue's slot, the others for those of their groups. The id
    before theirs."""
    await limit(api, running=1, running_per_group=1)
    for _ in range(6):
        for group in ("a", "b "):
            await submit(api, group=group)
    return int((await claim_one(api))["task"]["id"]) - 1


@pytest.mark.parametrize(
    ("wrong", "count"),
    [
        ("UPDATE task_groups SET held = 5 WHERE group_key = 'a'", 1),
        ("UPDATE task_groups SET held = 0 WHERE group_key = ''", 1),
        ("UPDATE task_groups SET held = -2, waiting = 77 WHERE group_key = 'b '", 1),
        ("UPDATE task_groups SET waiting = 0 WHERE group_key = 'a'", 1),
        ("UPDATE task_groups SET waiting = 2, is_full = 0, look_at = NOW() WHERE queue <> ''", 3),
        ("DELETE FROM task_groups WHERE group_key = 'a'", 1),
        ("DELETE FROM task_groups", 3),
        ("DELETE FROM group_waits WHERE task_id = {base} + 5", 1),
        ("DELETE FROM group_waits WHERE task_id = {base} + 2", 1),
        ("DELETE FROM group_waits", 11),
        ("INSERT INTO group_waits SELECT {base} + 99, " + ANY_LINE, 1),
        ("INSERT INTO group_waits VALUES ({base} + 99, REPEAT('f', 32), 1, NOW())", 1),
        ("INSERT INTO group_waits SELECT {base} + 1, " + ANY_LINE, 1),
        ("UPDATE group_waits SET group_id = REPEAT('f', 32) WHERE task_id = {base} + 7", 1),
        ("UPDATE group_waits SET claim_rank = 0 WHERE task_id IN ({base} + 7, {base} + 8)", 2),
        ("UPDATE tasks SET priority = '高' WHERE id IN ({base} + 7, {base} + 8)", 2),
    ],
)
async def test_what_tables_say_of_the_tasks_is_set_right(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, wrong: str, count: int
) -> None:
    base = await a_queue(api)
    damage(engine, wrong.format(base=base), count)
    repaired = await audit(resources)
    assert repaired >= count or "INSERT" not in wrong
    assert await audit(resources) == 0
    check(engine)
    assert repaired


@pytest.mark.parametrize(
    "wrong",
    [
        "DELETE FROM tasks WHERE id = {base} + 1",
        "DELETE FROM tasks WHERE id IN ({base} + 1, {base} + 2, {base} + 5)",
        "UPDATE tasks SET status = 'cancelled', deadline_at = NULL, lease_token = NULL, "
        "claimed_from = NULL, sweep_at = NULL WHERE id = {base} + 1",
        "UPDATE task_groups SET held = 9 WHERE queue <> ''",
    ],
)
async def test_slots_that_nobody_has_are_given_out(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, wrong: str
) -> None:
    base = await a_queue(api)
    with engine.begin() as connection:
        connection.execute(text(wrong.format(base=base)))
    assert await audit(resources) > 0
    check(engine)
    free = int("held" not in wrong)
    assert len(await claimed(api, until=free)) == free
    assert await audit(resources) == 0


async def test_it_is_counted(api: httpx.AsyncClient, engine: Engine, resources: Resources) -> None:
    await a_queue(api)
    damage(engine, "UPDATE task_groups SET held = 9 WHERE group_key = 'a'")
    sweeper = sweeping.Sweeper(resources)
    for _ in range(2):
        await sweeper.run(AUDIT)
    await sweeper.report()
    assert 'rowlock_repairs_total{what="slots"} 1.0' in (await api.get("/metrics")).text


async def test_what_moves_between_the_look_and_the_lock_is_counted_once(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    await limit(api, running_per_group=2)
    tasks = [await submit(api, group="a") for _ in range(4)]
    lease = await claim_one(api)
    damage(engine, "UPDATE task_groups SET held = 1, waiting = 9")
    lock = rows.lock

    async def lock_late(
        connection: Connection, groups: Collection[Group]
    ) -> tuple[dict[Group, Standing], dict[str, Limits]]:
        monkeypatch.setattr(rows, "lock", lock)
        await act(api, tasks[3]["id"], "cancel")
        await complete(api, lease)
        return await lock(connection, groups)

    monkeypatch.setattr(rows, "lock", lock_late)
    assert await audit(resources) == 1
    assert stand(engine) == {("default", "a"): (2, 0)}
    check(engine)


async def test_it_locks_nothing_where_nothing_is_wrong(
    api: httpx.AsyncClient, resources: Resources
) -> None:
    await a_queue(api)
    for work in (
        partial(audit_slots.lines, after=0, limit=10),
        partial(audit_slots.unseen, status=Status.TO_DO, after=0, limit=10),
        partial(audit_slots.figures, after="", limit=10),
    ):
        sent = await sent_by(resources.database, work, about="")
        assert sent
        assert all("SELECT" in s.text and "FOR UPDATE" not in s.text for s in sent)


async def test_a_queue_that_takes_too_long_to_look_at_is_left_alone(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_queue(api)
    await limit(api, "later", running=1)
    damage(engine, "UPDATE task_groups SET held = 9 WHERE group_key = ''")
    monkeypatch.setattr(audit_slots, "READ_SECONDS", 0.2)
    slow = audit_slots._FIGURES.replace("MIN(group_key)", "MAX(SLEEP(1)), MIN(group_key)")
    monkeypatch.setattr(audit_slots, "_FIGURES", slow)
    assert await audit(resources) == 0


async def test_nothing_is_set_right_while_tasks_move(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await limit(api, running=4, running_per_group=2)
    over = asyncio.Event()

    async def submit_some(group: str) -> None:
        for number in range(12):
            task = await submit(api, group=group, priority="高中低"[number % 3], retry_limit=1)
            if number % 4 == 0:
                await api.post(f"/admin/tasks/{task['id']}/pause")  # it may run by then

    async def work(worker: str) -> None:
        while not over.is_set():
            for lease in await claim(api, worker=worker, limit=3, wait_seconds=0.1):
                how = "fail" if lease["task"]["id"] % 5 == 0 else "complete"
                await api.post(f"/leases/{lease['lease_id']}/{how}", json={})

    async def watch() -> int:
        repaired = 0
        while not over.is_set():
            repaired += await audit(resources)
        return repaired

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch())
        for number in range(3):
            group.create_task(work(f"w{number}"))
        await asyncio.gather(*(submit_some(of) for of in "abcd"))
        while stand(engine):
            await api.post("/admin/tasks/resume", params={"status": "paused"})
            await sweeping.SWEEPS["promote"](resources)
            await sweeping.SWEEPS["slots"](resources)
            await asyncio.sleep(0.05)
        over.set()
    assert await watching == 0
    check(engine)
    assert await claimed(api) == []
