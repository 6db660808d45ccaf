"""Limits that are set while more tasks than that may be claimed, and have slots of older ones."""

from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from app.service import limiting, sweeping
from app.service.resources import Resources
from tests.support.calls import complete, submit
from tests.support.elapse import elapse
from tests.support.groups import check, claimed, ids, limit, stand


@pytest.fixture(autouse=True)
def _in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiting, "ADOPTED_AT_ONCE", 2)


async def change(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, **settings: Any
) -> None:
    await limit(api, **settings)
    elapse(engine, 2)
    await sweeping.SWEEPS["adopt"](resources)
    await sweeping.SWEEPS["slots"](resources)
    check(engine)


async def work_off(api: httpx.AsyncClient) -> list[int]:
    """Do all there is, one by one, and never more than one at a time."""
    done: list[int] = []
    while leases := await claimed(api, until=0 if done else 1):
        assert len(leases) == 1
        done += ids(leases)
        await complete(api, leases[0])
    return done


@pytest.mark.parametrize("of", ["running", "running_per_group"])
async def test_taken_away_and_set_again_it_holds(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, of: str
) -> None:
    await limit(api, "default", **{of: 1})
    tasks = [await submit(api, group="a") for _ in range(7)]
    urgent = await submit(api, group="a", priority="高")
    await change(api, engine, resources)
    assert all(held == len(tasks) + 1 for held, _ in stand(engine).values())

    await change(api, engine, resources, **{of: 1})
    assert all(of_group == (1, len(tasks)) for of_group in stand(engine).values())
    assert await work_off(api) == [task["id"] for task in [urgent, *tasks]]
    check(engine)


async def test_lowered_the_first_keep_their_slots(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await limit(api, running=6)
    tasks = [await submit(api) for _ in range(6)]
    (lease,) = await claimed(api, limit=1)
    await change(api, engine, resources, running=3)
    assert ids(await claimed(api)) == [tasks[1]["id"], tasks[2]["id"]]
    await complete(api, lease)
    assert ids(await claimed(api)) == [tasks[3]["id"]]
    check(engine)


@pytest.mark.parametrize("of", ["rate", "rate_per_group"])
async def test_a_rate_counts_those_that_have_slots_already(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, of: str
) -> None:
    both = {"running": 5, "running_per_group": 5}
    await limit(api, "default", **both)
    tasks = [await submit(api, group="a") for _ in range(5)]
    slowly = {"limit": 1, "per_seconds": 60, "burst": 2}
    await change(api, engine, resources, **both, **{of: slowly})
    await sweeping.SWEEPS["adopt"](resources)  # all are counted by now
    assert ids(await claimed(api)) == [tasks[0]["id"], tasks[1]["id"]]
    elapse(engine, 61)
    await sweeping.SWEEPS["slots"](resources)
    assert ids(await claimed(api)) == [tasks[2]["id"]]
    check(engine)


async def test_those_of_groups_with_room_keep_theirs(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await limit(api, running_per_group=3)
    many = [await submit(api, group="many") for _ in range(3)]
    few = await submit(api, group="few")
    await change(api, engine, resources, running_per_group=1)
    assert stand(engine) == {("default", "many"): (1, 2), ("default", "few"): (1, 0)}
    assert set(ids(await claimed(api))) == {many[0]["id"], few["id"]}
    check(engine)


async def test_a_groups_own_limit_that_is_lowered_is_held_by_the_unclaimed(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    path = "/admin/queues/default/groups/a"
    assert (await api.put(path, json={"running": 5})).status_code == 200
    tasks = [await submit(api, group="a") for _ in range(5)]
    other = [await submit(api, group="b") for _ in range(2)]
    assert (await api.put(path, json={"running": 1})).status_code == 200
    elapse(engine, 2)
    await sweeping.SWEEPS["adopt"](resources)
    assert stand(engine)["default", "a"] == (1, 4)
    assert ids(await claimed(api)) == [task["id"] for task in [tasks[0], *other]]
    check(engine)
