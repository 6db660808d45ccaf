"""A task that depends on others is not claimed before they have ended."""

import httpx
import pytest
from sqlalchemy import Engine

from app.service import sweeping
from app.service.resources import Resources
from tests.support.calls import claim, claim_one, complete, fail, get, submit
from tests.support.flows import (
    act,
    batch,
    child_of,
    claimable,
    edges,
    end,
    lease_of,
    leases_of,
    statuses,
    waits,
)


async def test_it_waits_until_all_have_ended(api: httpx.AsyncClient, engine: Engine) -> None:
    first, second = await submit(api), await submit(api)
    child = await child_of(api, first, second)
    assert child["status"] == "to_do"
    assert child["waiting_on"] == "tasks"

    await end(api, first)
    assert (await get(api, child["id"]))["waiting_on"] == "tasks"
    assert waits(engine) == {child["id"]: 1}
    assert child["id"] not in await claimable(api)

    await end(api, second)
    freed = await get(api, child["id"])
    assert (freed["status"], freed["waiting_on"]) == ("to_do", None)
    assert await claimable(api) == [child["id"]]
    assert waits(engine) == {}


async def test_one_that_is_done_already_is_not_waited_for(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    parent = await submit(api)
    parent = await end(api, parent)
    child = await child_of(api, parent)

    assert child["waiting_on"] is None
    assert await claimable(api) == [child["id"]]
    assert edges(engine) == [(parent["id"], child["id"])]
    assert await get(api, parent["id"]) == parent


async def test_a_retry_is_no_end(api: httpx.AsyncClient) -> None:
    parent = await submit(api, retry_delay_seconds=0, retry_limit=1)
    child = await child_of(api, parent)
    await fail(api, await claim_one(api))
    assert (await get(api, child["id"]))["waiting_on"] == "tasks"
    await complete(api, await lease_of(api, parent))
    assert (await get(api, child["id"]))["waiting_on"] is None


async def test_a_finish_decided_from_memory_does_not_miss_a_child(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    parent = await submit(api)
    lease = await claim_one(api)
    child = await child_of(api, parent)
    await complete(api, lease)
    assert (await get(api, child["id"]))["waiting_on"] is None
    assert waits(engine) == {}


async def test_a_diamond_in_a_batch_ends_in_order(api: httpx.AsyncClient, engine: Engine) -> None:
    top, left, right, bottom = await batch(
        api,
        {"ref": "top"},
        {"ref": "left", "depends_on": ["top"]},
        {"ref": "right", "depends_on": ["top"]},
        {"depends_on": ["left", "right"]},
    )
    assert await claimable(api) == [top["id"]]
    await end(api, top)
    assert await claimable(api) == [left["id"], right["id"]]
    leases = await leases_of(api, [left, right])
    items = [{"lease_id": lease["lease_id"], "outcome": "complete"} for lease in leases]
    answer = await api.post("/leases/finish", json={"items": items})
    assert answer.status_code == 200
    assert await claimable(api) == [bottom["id"]]
    assert waits(engine) == {}


async def test_a_batch_may_name_tasks_and_earlier_items(api: httpx.AsyncClient) -> None:
    old = await submit(api)
    new, both = await batch(api, {"ref": "new"}, {"depends_on": ["new", old["id"]]})
    await end(api, new)
    assert both["id"] not in await claimable(api)
    await end(api, old)
    assert await claimable(api) == [both["id"]]


async def test_its_own_delay_counts_too(api: httpx.AsyncClient) -> None:
    parent = await submit(api)
    child = await child_of(api, parent, available_at="2999-01-01T00:00:00Z")
    assert child["waiting_on"] == "tasks"
    await end(api, parent)
    freed = await get(api, child["id"])
    assert (freed["waiting_on"], freed["available_at"][:4]) == ("time", "2999")


async def test_paused_it_is_freed_and_stays_paused(api: httpx.AsyncClient, engine: Engine) -> None:
    parent = await submit(api)
    child = await child_of(api, parent)
    await act(api, child, "pause")
    await end(api, parent)
    assert (await get(api, child["id"]))["status"] == "paused"
    assert waits(engine) == {}
    assert (await act(api, child, "resume"))["waiting_on"] is None
    assert await claimable(api) == [child["id"]]


async def test_paused_and_resumed_it_still_waits(api: httpx.AsyncClient) -> None:
    parent = await submit(api)
    child = await child_of(api, parent)
    await act(api, child, "pause")
    assert (await act(api, child, "resume"))["waiting_on"] == "tasks"
    assert await claimable(api) == [parent["id"]]


async def test_a_patch_leaves_it_waiting(api: httpx.AsyncClient) -> None:
    parent = await submit(api)
    child = await child_of(api, parent)
    answer = await api.patch(f"/tasks/{child['id']}", json={"priority": "high"})
    assert answer.json()["waiting_on"] == "tasks"
    assert await claimable(api) == [parent["id"]]
    await end(api, parent)
    assert await claimable(api) == [child["id"]]


async def test_a_task_may_be_added_to_what_still_waits(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    parent = await submit(api)
    callback = await child_of(api, parent)
    member = await submit(api, blocks=[callback["id"]])
    assert member["waiting_on"] is None
    assert waits(engine) == {callback["id"]: 2}
    await end(api, parent)
    assert (await get(api, callback["id"]))["waiting_on"] == "tasks"
    await end(api, member)
    assert await claimable(api) == [callback["id"]]


async def test_a_chain_comes_to_its_end(api: httpx.AsyncClient) -> None:
    tasks = await batch(
        api,
        {"ref": "0"},
        *({"ref": str(n), "depends_on": [str(n - 1)]} for n in range(1, 20)),
    )
    for task in tasks:
        (lease,) = await claim(api, limit=100)
        assert lease["task"]["id"] == task["id"]
        await complete(api, lease)
    assert set(await statuses(api, *tasks)) == {"done"}


async def test_who_is_held_by_somebody_else_is_freed_by_the_sweep(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    parent = await submit(api)
    child = await child_of(api, parent)
    with engine.begin() as other:
        other.exec_driver_sql("SELECT id FROM tasks WHERE id = %s FOR UPDATE", (child["id"],))
        await end(api, parent)
        assert waits(engine) == {child["id"]: 0}
        assert await sweeping.end_waits(resources) == 0
    await sweeping.end_waits(resources)
    assert waits(engine) == {}
    assert await claimable(api) == [child["id"]]


@pytest.mark.parametrize("action", ["pause", "resume", "cancel", "retry"])
async def test_no_sweep_touches_what_waits(
    api: httpx.AsyncClient, resources: Resources, action: str
) -> None:
    parent = await submit(api)
    child = await child_of(api, parent)
    await api.post(f"/admin/tasks/{parent['id']}/{action}")
    await sweeping.promote(resources)
    assert (await get(api, child["id"]))["waiting_on"] == "tasks"


@pytest.mark.parametrize("path", ["/tasks", "/tasks/batch"])
async def test_a_call_with_an_idempotency_key_finds_what_it_names(
    api: httpx.AsyncClient, path: str
) -> None:
    parent = await submit(api)
    task = {"title": "t", "depends_on": [parent["id"]]}
    body = task if path == "/tasks" else {"tasks": [task]}
    answers = [
        await api.post(path, json=body, headers={"Idempotency-Key": "once"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
