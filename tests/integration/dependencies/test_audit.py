"""Waits and dependencies that SQL has left wrong are set right by the audit, once, and counted."""

import asyncio
from collections.abc import Collection
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from app.api import ops
from app.domain.dependency import Wait
from app.domain.states import Status
from app.mysql.connection import Connection
from app.queue.dependencies import rows
from app.queue.sweeps import audit_dependencies
from app.service import auditing, sweeping
from app.service.resources import Resources
from tests.support.calls import claim, get, submit
from tests.support.explaining import sent_by
from tests.support.flows import act, batch, child_of, claimable, edges, end, statuses, waits

AUDIT = "audit_dependencies"
RUN = {"on_parent_failure": "run"}


@pytest.fixture(autouse=True)
def _in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "AUDIT_BATCH", 3)
    monkeypatch.setattr(auditing, "AUDIT_WAITS", 2)
    monkeypatch.setattr(ops, "QUEUES_SHOWN_FOR_SECONDS", -1.0)


def damage(engine: Engine, statement: str, **values: int) -> None:
    with engine.begin() as connection:
        assert connection.execute(text(statement), values).rowcount == 1


async def audit(resources: Resources) -> int:
    return await sweeping.SWEEPS[AUDIT](resources)


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE task_waits SET unmet = 7 WHERE task_id = :id",
        "UPDATE task_waits SET unmet = 1 WHERE task_id = :id",
        "UPDATE task_waits SET unmet = 0, look_at = UTC_TIMESTAMP(6) WHERE task_id = :id",
        "UPDATE task_waits SET unmet = -3, look_at = UTC_TIMESTAMP(6) WHERE task_id = :id",
        "DELETE FROM task_waits WHERE task_id = :id",
    ],
)
async def test_for_how_many_a_task_waits_is_counted_anew(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, wrong: str
) -> None:
    parents = [await submit(api) for _ in range(3)]
    others = [await child_of(api, *parents) for _ in range(4)]
    child = await child_of(api, *parents)
    others += [await child_of(api, *parents) for _ in range(4)]
    await end(api, parents[1])
    damage(engine, wrong, id=child["id"])

    assert [await audit(resources) for _ in range(2)] == [1, 0]

    assert waits(engine) == {task["id"]: 2 for task in [*others, child]}
    await sweeping.end_waits(resources)
    await end(api, parents[0])
    assert (await get(api, child["id"]))["waiting_on"] == "tasks"
    await end(api, parents[2])
    assert child["id"] in await claimable(api)


async def test_a_wait_that_is_over_is_seen(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    parent = await submit(api)
    child, lost = await child_of(api, parent, **RUN), await child_of(api, parent, **RUN)
    ended = "UPDATE tasks SET status = 'cancelled', claim_rank = NULL WHERE id = :id"
    damage(engine, ended, id=parent["id"])
    damage(engine, "DELETE FROM task_waits WHERE task_id = :id", id=lost["id"])
    assert [await audit(resources) for _ in range(2)] == [2, 0]
    await sweeping.end_waits(resources)
    assert await claimable(api) == [child["id"], lost["id"]]
    assert waits(engine) == {}


@pytest.mark.parametrize("how", ["UPDATE tasks SET status = 'failed', claim_rank = NULL", "DELETE"])
@pytest.mark.parametrize("is_lost", [False, True])
async def test_that_a_parent_has_not_ended_well_is_seen(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, how: str, *, is_lost: bool
) -> None:
    parent, other = await submit(api), await submit(api)
    child, runs = await child_of(api, parent, other), await child_of(api, parent, other, **RUN)
    statement = f"{how} FROM tasks" if how == "DELETE" else how
    damage(engine, f"{statement} WHERE id = :id", id=parent["id"])
    if is_lost:
        for task in (child, runs):
            damage(engine, "DELETE FROM task_waits WHERE task_id = :id", id=task["id"])

    assert [await audit(resources) for _ in range(2)] == [2, 0]
    assert await sweeping.end_waits(resources) == 1

    found = await get(api, child["id"])
    fate = "was deleted" if how == "DELETE" else "has failed"
    assert (found["status"], found["error"]) == ("cancelled", f"dependency {parent['id']} {fate}")
    assert waits(engine) == {runs["id"]: 1}
    await end(api, other)
    assert await claimable(api) == [runs["id"]]
    assert await audit(resources) == 0


async def test_one_that_was_done_before_it_was_deleted_cancels_nobody(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    parent, other = await submit(api), await submit(api)
    child = await child_of(api, parent, other)
    await end(api, parent)
    damage(engine, "DELETE FROM tasks WHERE id = :id", id=parent["id"])
    assert [await audit(resources) for _ in range(2)] == [1, 0]
    assert edges(engine) == [(other["id"], child["id"])]
    assert waits(engine) == {child["id"]: 1}
    await end(api, other)
    assert await claimable(api) == [child["id"]]


@pytest.mark.parametrize(
    ("wrong", "repairs"),
    [
        # Its wait, and that it depends on both.
        ("DELETE FROM tasks WHERE id = :id", 3),
        ("UPDATE tasks SET status = 'cancelled', sweep_at = NULL WHERE id = :id", 1),
        ("UPDATE tasks SET flags = flags & ~2 WHERE id = :id", 1),
    ],
)
async def test_the_wait_of_a_task_that_does_not_wait_goes(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, wrong: str, repairs: int
) -> None:
    parents = [await submit(api) for _ in range(2)]
    child, other = await child_of(api, *parents), await child_of(api, *parents)
    damage(engine, wrong, id=child["id"])
    assert [await audit(resources) for _ in range(2)] == [repairs, 0]
    assert waits(engine) == {other["id"]: 2}


async def test_dependencies_of_what_is_not_there_go(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    parents = [await submit(api) for _ in range(3)]
    children = [await child_of(api, *parents) for _ in range(3)]
    for parent in parents:
        await end(api, parent)
    damage(engine, "DELETE FROM tasks WHERE id = :id", id=parents[1]["id"])
    damage(engine, "DELETE FROM tasks WHERE id = :id", id=children[0]["id"])
    assert [await audit(resources) for _ in range(2)] == [5, 0]
    left = [(p["id"], c["id"]) for p in (parents[0], parents[2]) for c in children[1:]]
    assert edges(engine) == left


async def test_it_is_counted(api: httpx.AsyncClient, engine: Engine, resources: Resources) -> None:
    child = await child_of(api, await submit(api))
    damage(engine, "UPDATE task_waits SET unmet = 2 WHERE task_id = :id", id=child["id"])
    sweeper = sweeping.Sweeper(resources)
    for _ in range(2):
        await sweeper.run(AUDIT)
    await sweeper.report()
    assert 'rowlock_repairs_total{what="dependencies"} 1.0' in (await api.get("/metrics")).text


async def test_what_ends_between_the_look_and_the_lock_is_counted_once(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    parents = [await submit(api) for _ in range(3)]
    child = await child_of(api, *parents)
    damage(engine, "UPDATE task_waits SET unmet = 9 WHERE task_id = :id", id=child["id"])
    lock = rows.lock_waits

    async def lock_late(connection: Connection, ids: Collection[int]) -> list[Wait]:
        monkeypatch.setattr(rows, "lock_waits", lock)
        await end(api, parents[0])
        return await lock(connection, ids)

    monkeypatch.setattr(rows, "lock_waits", lock_late)
    assert await audit(resources) == 1
    assert waits(engine) == {child["id"]: 2}


async def test_nothing_is_set_right_where_only_this_version_has_written(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.queue.dependencies.settling.EDGES", 3)
    fails, retried, cancelled, deleted, told, gone = [await submit(api) for _ in range(6)]
    last = await submit(api)
    for parent in (fails, retried, cancelled, deleted):
        await child_of(api, parent, last)
        await child_of(api, parent, last, **RUN)
    for parent in (told, gone):
        for _ in range(5):
            await child_of(api, parent, last)
    for parent in (fails, retried):
        await end(api, parent, "fail")
    await act(api, retried, "retry")
    await act(api, cancelled, "cancel")
    await end(api, told)
    for parent in (deleted, gone):
        await api.delete(f"/tasks/{parent['id']}")
    paused = await child_of(api, last)
    await act(api, paused, "pause")
    await claim(api, limit=1)
    assert waits(engine)

    assert await audit(resources) == 0
    await sweeping.end_waits(resources)
    assert await audit(resources) == 0


async def test_it_locks_nothing_where_nothing_is_wrong(
    api: httpx.AsyncClient, resources: Resources
) -> None:
    await child_of(api, await submit(api))
    for work in (
        partial(audit_dependencies.lost_waits, status=Status.TO_DO, after=0, limit=10),
        partial(audit_dependencies.waits, after=0, limit=10),
        partial(audit_dependencies.edges, after=(0, 0), limit=10),
    ):
        sent = await sent_by(resources.database, work, about="")
        assert sent
        assert all(s.text.startswith("SELECT") and "FOR UPDATE" not in s.text for s in sent)


async def test_nothing_is_set_right_while_tasks_end(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    def before(n: int) -> list[str]:
        return [str(parent) for parent in range(max(0, n - 3), n) if n % 4]

    items: list[dict[str, Any]] = [{"ref": str(n), "depends_on": before(n)} for n in range(60)]
    tasks = await batch(api, *items)
    over = asyncio.Event()

    async def work() -> None:
        while leases := await claim(api, limit=5):
            for lease in leases:
                await api.post(f"/leases/{lease['lease_id']}/complete", json={})

    async def watch() -> int:
        repaired = 0
        while not over.is_set():
            repaired += await audit(resources)
        return repaired

    watching = asyncio.create_task(watch())
    while set(await statuses(api, *tasks[-4:])) != {"done"}:
        await asyncio.gather(work(), work())
        await sweeping.end_waits(resources)
    over.set()
    assert await watching == 0
    assert waits(engine) == {}
