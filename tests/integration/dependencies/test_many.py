"""Tasks on which so many depend that they are told bit by bit."""

import asyncio

import httpx
import pytest
from sqlalchemy import Engine

from app.queue.dependencies import rows
from app.service import sweeping
from app.service.resources import Resources
from tests.support.calls import problem, submit
from tests.support.flows import act, batch, child_of, claimable, edges, end, waits

FEW = 3


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "EDGES", FEW)
    monkeypatch.setattr("app.queue.dependencies.settling.EDGES", FEW)


def fanouts(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return [*connection.exec_driver_sql("SELECT parent_id FROM fanouts ORDER BY 1").scalars()]


async def children(api: httpx.AsyncClient, parent: dict[str, int], count: int) -> list[int]:
    tasks = await batch(api, *[{"depends_on": [parent["id"]]} for _ in range(count)])
    return [task["id"] for task in tasks]


async def test_all_are_freed_in_the_end(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    parent = await submit(api)
    ids = await children(api, parent, 2 * FEW + 1)
    await end(api, parent)
    assert fanouts(engine) == [parent["id"]]
    assert len(waits(engine)) == len(ids)
    await sweeping.end_waits(resources)
    assert fanouts(engine) == []
    assert waits(engine) == {}
    assert await claimable(api) == ids


async def test_of_several_that_end_at_once_each_is_told_of_once(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    parents = [await submit(api) for _ in range(3)]
    last = await submit(api)
    for parent in parents:
        for _ in range(2):
            await child_of(api, parent, last)
    ids = ",".join(str(parent["id"]) for parent in parents)
    await api.post("/admin/tasks/cancel", params={"id": ids.split(",")})
    await sweeping.end_waits(resources)
    assert fanouts(engine) == []
    assert waits(engine) == {}
    assert await claimable(api) == [last["id"]]


async def test_until_then_nobody_can_depend_on_it_and_it_cannot_be_retried(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    parent = await submit(api)
    await children(api, parent, FEW + 1)
    await end(api, parent, "fail")
    problem(await api.post(f"/admin/tasks/{parent['id']}/retry"), 503)
    body = {"title": "t", "depends_on": [parent["id"]], "on_parent_failure": "run"}
    problem(await api.post("/tasks", json=body), 503)
    await sweeping.end_waits(resources)
    assert (await api.post("/tasks", json=body)).status_code == 201
    await act(api, parent, "retry")


@pytest.mark.parametrize("is_ended", [True, False])
async def test_it_may_be_deleted_meanwhile(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, *, is_ended: bool
) -> None:
    parent = await submit(api)
    ids = await children(api, parent, 2 * FEW + 2)
    if is_ended:
        await end(api, parent)
    assert (await api.delete(f"/tasks/{parent['id']}")).status_code == 204
    await sweeping.end_waits(resources)
    assert fanouts(engine) == []
    assert edges(engine) == []
    assert waits(engine) == {}
    assert await claimable(api) == (ids if is_ended else [])


async def test_an_ended_one_is_deleted_with_all_that_is_known_of_it(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    parent = await submit(api)
    ids = await children(api, parent, 2 * FEW + 2)
    await end(api, parent)
    await sweeping.end_waits(resources)
    assert (await api.delete(f"/tasks/{parent['id']}")).status_code == 204
    await sweeping.end_waits(resources)
    assert (fanouts(engine), edges(engine)) == ([], [])
    assert await claimable(api) == ids


async def test_several_schedulers_tell_each_once(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    parent, other = await submit(api), await submit(api)
    for _ in range(2 * FEW):
        await child_of(api, parent, other)
    await end(api, parent)
    await asyncio.gather(*[sweeping.end_waits(resources) for _ in range(3)])
    assert set(waits(engine).values()) == {1}
