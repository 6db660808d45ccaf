"""So many tasks of a group, and of a queue, run at a time."""

import httpx
import pytest
from sqlalchemy import Engine

from app.service import sweeping
from app.service.resources import Resources
from tests.support.calls import claim_one, complete, fail, get, submit
from tests.support.elapse import elapse
from tests.support.groups import check, claimed, ids, limit, running, stand
from tests.support.worker_calls import act


async def test_of_a_group_only_so_many_run(api: httpx.AsyncClient, engine: Engine) -> None:
    await limit(api, running_per_group=2)
    tasks = [await submit(api, group="a") for _ in range(4)]
    other = await submit(api, group="b")
    free = await submit(api)
    assert [task["waiting_on"] for task in tasks] == [None, None, "group", "group"]
    assert stand(engine) == {("default", "a"): (2, 2), ("default", "b"): (1, 0)}

    leases = await claimed(api)
    assert set(ids(leases)) == {tasks[0]["id"], tasks[1]["id"], other["id"], free["id"]}
    assert running(engine) == {"a": 2, "b": 1, None: 1}

    await complete(api, leases[0])
    assert (await get(api, tasks[2]["id"]))["waiting_on"] is None
    assert ids(await claimed(api)) == [tasks[2]["id"]]
    check(engine)


async def test_of_a_queue_only_so_many_run(api: httpx.AsyncClient, engine: Engine) -> None:
    await limit(api, running=2)
    tasks = [await submit(api) for _ in range(4)]
    await submit(api, queue="other")
    leases = await claimed(api)
    assert ids(leases) == [tasks[0]["id"], tasks[1]["id"]]
    assert len(await claimed(api, queues=["other"])) == 1
    for lease in leases:
        await complete(api, lease)
    assert ids(await claimed(api)) == [tasks[2]["id"], tasks[3]["id"]]
    check(engine)


async def test_both_limits_hold(api: httpx.AsyncClient, engine: Engine) -> None:
    await limit(api, running=3, running_per_group=2)
    for group in ("a", "a", "a", "b", "b", "b", "c"):
        await submit(api, group=group)
    leases = await claimed(api)
    assert running(engine) == {"a": 2, "b": 1}
    check(engine)
    while leases:
        for lease in leases:
            await complete(api, lease)
        leases = await claimed(api)
        check(engine)
    assert stand(engine) == {}


async def test_a_retry_stands_in_its_old_place(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await limit(api, running_per_group=1)
    first = await submit(api, group="a", retry_delay_seconds=0)
    second = await submit(api, group="a")
    await fail(api, await claim_one(api))
    lease = await claim_one(api)
    assert lease["task"]["id"] == first["id"]
    await complete(api, lease)
    assert ids(await claimed(api)) == [second["id"]]
    check(engine)


async def test_who_waits_for_its_time_has_no_slot(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await limit(api, running_per_group=1)
    first = await submit(api, group="a", retry_delay_seconds=60)
    second = await submit(api, group="a")
    await fail(api, await claim_one(api))
    assert (await get(api, first["id"]))["waiting_on"] == "time"
    lease = await claim_one(api)
    assert lease["task"]["id"] == second["id"]
    check(engine)
    elapse(engine, 100)
    await sweeping.promote(resources)
    assert (await get(api, first["id"]))["waiting_on"] == "group"
    await complete(api, lease)
    assert ids(await claimed(api)) == [first["id"]]
    check(engine)


async def test_paused_cancelled_and_deleted_tasks_give_their_slots_back(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await limit(api, running_per_group=1)
    tasks = [await submit(api, group="a") for _ in range(5)]
    first, second, third, fourth, fifth = (task["id"] for task in tasks)
    await act(api, first, "pause")
    assert (await get(api, second))["waiting_on"] is None
    await act(api, second, "cancel")
    assert (await get(api, third))["waiting_on"] is None
    assert (await api.delete(f"/tasks/{fourth}")).status_code == 204  # who waits
    assert (await api.delete(f"/tasks/{third}")).status_code == 204  # who may be claimed
    assert (await get(api, fifth))["waiting_on"] is None
    check(engine)
    await act(api, second, "retry")
    resumed = await act(api, first, "resume")
    assert (await get(api, resumed["id"]))["waiting_on"] == "group"
    await complete(api, await claim_one(api))
    assert ids(await claimed(api)) == [first]
    check(engine)


async def test_who_comes_first_takes_the_slot_of_a_lower_priority(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await limit(api, running_per_group=1)
    low = await submit(api, group="a", priority="低")
    for _ in range(20):
        await submit(api, priority="高", group="b")
    high = await submit(api, group="a", priority="高")
    assert (await get(api, low["id"]))["waiting_on"] == "group"
    assert (await get(api, high["id"]))["waiting_on"] is None
    leases = await claimed(api)
    assert high["id"] in ids(leases)
    check(engine)
    later = await submit(api, group="a", priority="高")
    assert (await get(api, later["id"]))["waiting_on"] == "group"
    check(engine)


async def test_a_changed_priority_changes_the_turn(api: httpx.AsyncClient, engine: Engine) -> None:
    await limit(api, running_per_group=1)
    await submit(api, group="a")
    lease = await claim_one(api)
    second, third = await submit(api, group="a"), await submit(api, group="a")
    answer = await api.patch(
        f"/tasks/{third['id']}",
        json={"priority": "高"},
        headers={"content-type": "application/merge-patch+json"},
    )
    assert answer.status_code == 200, answer.text
    check(engine)
    await complete(api, lease)
    assert ids(await claimed(api)) == [third["id"]]
    assert (await get(api, second["id"]))["waiting_on"] == "group"


async def test_who_gives_way_keeps_no_slot_of_the_queue(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await limit(api, running=1, running_per_group=1)
    low = await submit(api, group="a", priority="低")
    high = await submit(api, group="a", priority="高")
    assert ids(await claimed(api)) == [high["id"]]
    assert (await get(api, low["id"]))["waiting_on"] == "group"
    check(engine)


async def test_who_has_a_slot_of_its_group_and_none_of_the_queue_gives_way_too(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await limit(api, running=1, running_per_group=1)
    await submit(api, group="b", priority="高")
    lease = await claim_one(api)
    low = await submit(api, group="a", priority="低")
    high = await submit(api, group="a", priority="高")
    check(engine)
    await complete(api, lease)
    assert ids(await claimed(api)) == [high["id"]]
    assert (await get(api, low["id"]))["waiting_on"] == "group"
    check(engine)


async def test_what_depends_on_others_takes_a_slot_as_any_other(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await limit(api, running=1, running_per_group=1)
    parent = await submit(api, group="a")
    children = [await submit(api, group="a", depends_on=[parent["id"]]) for _ in range(2)]
    await complete(api, await claim_one(api))
    check(engine)
    late = await submit(api, group="a", depends_on=[parent["id"]])
    for child in (*children, late):
        lease = await claim_one(api)
        assert lease["task"]["id"] == child["id"]
        await complete(api, lease)
    check(engine)


@pytest.mark.parametrize("is_stored", [False, True])
async def test_one_that_replaces_another_one_leaves_its_group(
    api: httpx.AsyncClient, engine: Engine, is_stored: bool
) -> None:
    await limit(api, running_per_group=1)
    unique = {"key": "k", "conflict": "replace"}
    first = {"title": "one", "group": "a", "unique": unique}
    second = {"title": "two", "group": "b", "unique": unique}
    if is_stored:
        await submit(api, **first)
        found = (await api.post("/tasks", json=second)).json()
    else:
        answer = await api.post("/tasks/batch", json={"tasks": [first, second]})
        found = answer.json()[1]
    assert (found["title"], found["group"]) == ("two", "a")
    check(engine)
