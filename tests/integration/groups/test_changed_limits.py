"""Limits that are set, changed and removed while tasks are there."""

from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from app.domain.slots import Limits
from app.domain.states import Status
from app.mysql.connection import Connection
from app.queue.sweeps import adoption
from app.service import limiting, sweeping
from app.service.resources import Resources
from tests.support.calls import claim_one, complete, fail, get, submit
from tests.support.elapse import elapse
from tests.support.groups import check, claimed, ids, limit, running, stand
from tests.support.worker_calls import act

IN_FORCE = 2.0
ADOPTS = "SELECT COUNT(*) FROM queue_settings WHERE adopts_from IS NOT NULL"


@pytest.fixture(autouse=True)
def _in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiting, "ADOPTED_AT_ONCE", 2)
    monkeypatch.setattr(limiting, "GROUPS_AT_ONCE", 2)


def is_adopting(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(connection.execute(text(ADOPTS)).scalar_one())


async def adopt(engine: Engine, resources: Resources, seconds: float = IN_FORCE) -> int:
    """All processes know the limits, and the sweep comes."""
    elapse(engine, seconds)
    moved = await sweeping.SWEEPS["adopt"](resources)
    await sweeping.SWEEPS["slots"](resources)
    check(engine)
    return moved


async def change(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, **settings: Any
) -> int:
    await limit(api, **settings)
    return await adopt(engine, resources)


async def work_off(api: httpx.AsyncClient, engine: Engine, most: int) -> list[int]:
    """Do all that there is, by as many as are let; the tasks in their order."""
    done: list[int] = []
    leases = await claimed(api, until=1)
    while leases:
        assert max(running(engine).values()) <= most
        for lease in leases:
            done.append(lease["task"]["id"])
            await complete(api, lease)
        check(engine)
        leases = await claimed(api)
    return done


async def test_tasks_that_are_there_get_the_limit(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    running_ones = [await submit(api, group="a") for _ in range(3)]
    leases = await claimed(api)
    waiting = [await submit(api, group="a") for _ in range(5)]
    delayed = await submit(api, group="a", available_at="2099-01-01T00:00:00Z")
    paused = await submit(api, group="a")
    await act(api, paused["id"], "pause")
    child = await submit(api, group="a", depends_on=[running_ones[0]["id"]])
    other = await submit(api, group="b")
    free = await submit(api)

    assert await change(api, engine, resources, running_per_group=2) == 12

    assert stand(engine) == {("default", "a"): (3, 5), ("default", "b"): (1, 0)}
    assert ids(await claimed(api, until=2)) == [other["id"], free["id"]]
    assert (await get(api, delayed["id"]))["waiting_on"] == "time"
    assert (await get(api, child["id"]))["waiting_on"] == "tasks"
    await complete(api, leases[0])  # which frees the child
    assert await claimed(api) == []
    check(engine)
    for lease in leases[1:]:
        await complete(api, lease)
    await act(api, paused["id"], "resume")
    check(engine)
    expected = {task["id"] for task in (*waiting, paused, child)}
    assert set(await work_off(api, engine, 2)) == expected
    check(engine)


async def test_the_queues_limit_is_for_all_of_them(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    tasks = [await submit(api, priority=priority) for priority in "低高中高低"]
    await submit(api, queue="other")
    assert await change(api, engine, resources, running=1) == len(tasks)
    order = [tasks[number]["id"] for number in (1, 3, 2, 0, 4)]
    assert await work_off(api, engine, 1) == order
    assert stand(engine) == {}


async def test_a_retry_has_the_limit_that_was_set_after_its_end(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    tasks = [await submit(api, group="a", retry_limit=0) for _ in range(3)]
    for lease in await claimed(api):
        await fail(api, lease)
    assert await change(api, engine, resources, running_per_group=1) == 0
    for task in tasks:
        await act(api, task["id"], "retry")
    check(engine)
    assert await work_off(api, engine, 1) == [task["id"] for task in tasks]


async def test_raised_and_lowered(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await limit(api, running_per_group=1)
    for group in "abcde":
        for _ in range(4):
            await submit(api, group=group)
    assert len(await claimed(api)) == 5

    assert await change(api, engine, resources, running_per_group=3) == 0
    leases = await claimed(api, until=10)
    assert len(leases) == 10

    await change(api, engine, resources, running_per_group=2)
    for lease in leases[::2]:  # one of each group
        await complete(api, lease)
    assert await claimed(api) == []
    for lease in leases[1::2]:
        await complete(api, lease)
    assert running(engine) == dict.fromkeys("abcde", 1)
    assert len(await claimed(api, until=5)) == 5
    check(engine)


async def test_removed_it_is_no_more_in_anybodys_way(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.queue.groups.settling.AT_ONCE", 3)
    await limit(api, running=2, running_per_group=1)
    tasks = [await submit(api, group=group) for group in "abc" for _ in range(10)]
    await change(api, engine, resources)
    assert sorted(ids(await claimed(api, until=len(tasks)))) == sorted(task["id"] for task in tasks)
    check(engine)
    # And again.
    await change(api, engine, resources, running_per_group=1)
    assert {len(await claimed(api)), sum(running(engine).values())} == {0, len(tasks)}


async def test_it_goes_on_until_it_finds_nothing_late_enough(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await submit(api)
    await limit(api, running=1)
    assert await sweeping.SWEEPS["adopt"](resources) == 0  # not all know of it yet
    assert await adopt(engine, resources) == 1
    assert await adopt(engine, resources) == 0
    assert is_adopting(engine)
    late = resources.settings.database_timeout_seconds
    with engine.begin() as connection:  # a transaction that began before, and is committed now
        connection.execute(text("UPDATE tasks SET flags = 0, claim_rank = 1, sweep_at = NULL"))
        connection.execute(text("DELETE FROM task_groups"))
    assert await adopt(engine, resources, late) == 1
    assert is_adopting(engine)
    assert await adopt(engine, resources) == 0
    assert not is_adopting(engine)


async def test_who_is_claimed_during_the_walk_is_met_at_its_end(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await submit(api, retry_delay_seconds=0)
    await fail(api, await claim_one(api))
    await limit(api, running=1)
    look = adoption.adopt

    async def then_claimed(connection: Connection, **of: Any) -> adoption.Adopted:
        if of["status"] is Status.RETRYING and not running(engine):
            await claim_one(api)
        return await look(connection, **of)

    monkeypatch.setattr(adoption, "adopt", then_claimed)
    late = resources.settings.database_timeout_seconds + IN_FORCE
    assert await adopt(engine, resources, late) == 1
    assert stand(engine) == {("default", ""): (1, 0)}
    assert is_adopting(engine)
    assert running(engine) == {None: 1}
    assert (await get(api, task["id"]))["status"] == "in_progress"


async def test_a_row_that_somebody_holds_is_the_next_walks(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await submit(api)
    await limit(api, running=1)
    late = resources.settings.database_timeout_seconds + IN_FORCE
    elapse(engine, late)
    with engine.connect() as stranger:
        stranger.execute(text("SELECT id FROM tasks FOR UPDATE"))
        assert await sweeping.SWEEPS["adopt"](resources) == 0
        assert is_adopting(engine)
    assert await adopt(engine, resources) == 1
    assert await adopt(engine, resources) == 0
    assert not is_adopting(engine)


async def test_set_again_meanwhile_it_begins_anew(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await submit(api, group="a")
    await limit(api, running=1)
    elapse(engine, resources.settings.database_timeout_seconds + IN_FORCE)
    (of,) = await resources.database.read(adoption.due)
    assert of.limits == Limits(running=1)
    await limit(api, running=1, running_per_group=1)
    await resources.database.transact(partial(adoption.end, of=of))
    assert is_adopting(engine)
    assert await adopt(engine, resources) == 1
    assert stand(engine) == {("default", ""): (1, 0), ("default", "a"): (1, 0)}


async def test_settings_that_limit_nothing_move_nothing(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await limit(api, ageing_seconds={"中": 5, "低": 5})
    assert not is_adopting(engine)
