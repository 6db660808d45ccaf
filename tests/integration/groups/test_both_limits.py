"""A limit of the group and one of the queue on the same tasks: who comes first takes both slots
from who comes later, and nobody keeps one that others need."""

import httpx
import pytest
from sqlalchemy import Engine

from tests.support.calls import claim_one, complete, get, submit
from tests.support.groups import check, claimed, ids, limit, stand


async def test_who_gives_way_in_its_group_gives_the_queues_slot_back_too(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await limit(api, running=1, running_per_group=1)
    low = await submit(api, group="a", priority="低")
    high = await submit(api, group="a", priority="高")
    check(engine)
    lease = await claim_one(api)
    assert lease["task"]["id"] == high["id"]
    await complete(api, lease)
    assert ids(await claimed(api)) == [low["id"]]
    check(engine)


async def test_who_waits_for_the_queues_slot_gives_its_groups_to_a_higher_priority(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await limit(api, running=1, running_per_group=1)
    await submit(api, group="b")
    lease = await claim_one(api)
    low = await submit(api, group="a", priority="低")
    await submit(api, group="c")
    high = await submit(api, group="a", priority="高")
    assert stand(engine)["default", "a"] == (1, 1)
    check(engine)
    await complete(api, lease)
    lease = await claim_one(api)
    assert lease["task"]["id"] == high["id"]
    assert (await get(api, low["id"]))["waiting_on"] == "group"
    check(engine)


@pytest.mark.parametrize("running", [None, 1])
async def test_who_was_given_a_lower_priority_gives_way_too(
    api: httpx.AsyncClient, engine: Engine, running: int | None
) -> None:
    await limit(api, running=running, running_per_group=1)
    first = await submit(api, group="a", priority="高")
    answer = await api.patch(
        f"/tasks/{first['id']}",
        json={"priority": "低"},
        headers={"content-type": "application/merge-patch+json"},
    )
    assert answer.status_code == 200, answer.text
    second = await submit(api, group="a", priority="中")
    assert ids(await claimed(api)) == [second["id"]]
    check(engine)


async def test_two_that_come_at_once_take_what_is_free_and_what_a_lower_priority_has(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await limit(api, running_per_group=2)
    low = await submit(api, group="a", priority="低")
    highs = [await submit(api, group="a", priority="高") for _ in range(2)]
    await api.post("/admin/tasks/pause", params={"priority": "高"})
    answer = await api.post("/admin/tasks/resume", params={"priority": "高"})
    assert answer.json()["changed"] == len(highs)
    assert (await get(api, low["id"]))["waiting_on"] == "group"
    assert ids(await claimed(api)) == [task["id"] for task in highs]
    check(engine)
