"""The groups of a queue take turns, however many tasks each of them has."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import Engine

from app.service import sweeping
from app.service.resources import Resources
from tests.support.calls import Document, claim, complete, fail, problem, submit
from tests.support.elapse import elapse
from tests.support.groups import check, claimed, ids, limit
from tests.support.worker_calls import act


async def submit_many(
    api: httpx.AsyncClient, group: str | None, count: int, **fields: object
) -> None:
    tasks = [{"title": "a task", "group": group} | fields for _ in range(count)]
    answer = await api.post("/tasks/batch", json={"tasks": tasks})
    assert answer.status_code == 201, answer.text


async def give(api: httpx.AsyncClient, group: str, **own: int | None) -> Document:
    """What the group has of its own from now on."""
    answer = await api.put(f"/admin/queues/default/groups/{group}", json=own)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def groups(leases: list[Document]) -> list[str]:
    return [lease["task"]["group"] for lease in leases]


async def test_they_take_turns(api: httpx.AsyncClient) -> None:
    await limit(api, fair=True)
    await submit_many(api, "a", 50)
    await submit_many(api, "b", 5)
    assert groups(await claim(api, limit=6)) == ["a", "b", "a", "b", "a", "b"]
    await submit_many(api, "c", 3)
    assert Counter(groups(await claim(api, limit=6))) == {"a": 2, "b": 2, "c": 2}


async def test_each_has_the_share_of_its_weight(api: httpx.AsyncClient, engine: Engine) -> None:
    await limit(api, fair=True)
    await give(api, "a", weight=3)
    await give(api, "b", weight=2)
    for group in ("c", "b", "a"):
        await submit_many(api, group, 60)
    shares = {"a": 30, "b": 20, "c": 10}
    for part in range(1, 4):  # in the short run, too
        found = Counter(groups(await claim(api, limit=20)))
        assert all(abs(found[g] - share / 3) <= 2 for g, share in shares.items()), (part, found)
    check(engine)


async def test_a_weight_counts_for_the_turns_to_come(api: httpx.AsyncClient) -> None:
    await limit(api, fair=True)
    await submit_many(api, "a", 10)
    await submit_many(api, "b", 40)
    assert Counter(groups(await claim(api, limit=20))) == {"a": 10, "b": 10}
    await give(api, "a", weight=4)
    await submit_many(api, "a", 60)
    found = Counter(groups(await claim(api, limit=50)))
    assert abs(found["a"] - 40) <= 2
    assert (await api.delete("/admin/queues/default/groups/a")).status_code == 204


@pytest.mark.parametrize("own", [{"weight": 3}, {"weight": 3, "running": 2}])
async def test_a_weight_is_shown_until_it_is_taken_away(
    api: httpx.AsyncClient, own: dict[str, int]
) -> None:
    url = "/admin/queues/default/groups"
    group = await give(api, "a", **own)
    assert (group["weight"], group["running_limit"]) == (3, own.get("running"))
    assert (await api.get(url)).json() == [group]
    assert (await api.get(url, params={"waiting": "true"})).json() == []
    assert (await api.delete(f"{url}/a")).status_code == 204
    assert (await api.get(url)).json() == []


async def test_what_is_left_out_is_taken_away(api: httpx.AsyncClient, engine: Engine) -> None:
    await give(api, "a", weight=3, running=1)
    for _ in range(3):
        await submit(api, group="a")
    group = await give(api, "a", weight=2)
    assert (group["weight"], group["running_limit"], group["waiting"]) == (2, None, 0)
    group = await give(api, "a", running=5, weight=None)
    assert (group["weight"], group["running_limit"]) == (1, 5)
    problem(await api.put("/admin/queues/default/groups/a", json={}), 422)
    assert (await give(api, "a", running=5)) == group
    check(engine)


async def test_a_weight_alone_sets_no_limit(api: httpx.AsyncClient) -> None:
    """So tasks of the queue pay nothing for it."""
    await give(api, "a", weight=3)
    assert (await submit(api, group="a"))["waiting_on"] is None
    (group,) = (await api.get("/admin/queues/default/groups")).json()
    assert group["held"] == 0


async def test_a_priority_is_still_before_the_others(api: httpx.AsyncClient) -> None:
    await limit(api, fair=True)
    await submit_many(api, "a", 5)
    await submit_many(api, "a", 2, priority="高")
    await submit_many(api, "b", 5)
    assert groups(await claim(api, limit=4)) == ["a", "a", "a", "b"]


async def test_those_without_a_group_share_a_turn(api: httpx.AsyncClient) -> None:
    await limit(api, fair=True)
    await submit_many(api, None, 10)
    await submit_many(api, "a", 10)
    assert Counter(groups(await claim(api, limit=10))) == {None: 5, "a": 5}


async def test_tasks_whose_time_comes_take_their_turns_then(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await limit(api, fair=True)
    await submit_many(api, "a", 20, available_at="2026-01-01T00:00:00Z")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE tasks SET claim_rank = NULL, available_at = NOW(6) + INTERVAL 50 SECOND, "
            "sweep_at = NOW(6) + INTERVAL 50 SECOND, turn_at = created_at"
        )
    await submit_many(api, "b", 20)
    elapse(engine, 60)
    await sweeping.promote(resources)
    assert Counter(groups(await claim(api, limit=10))) == {"a": 5, "b": 5}


async def test_a_retry_keeps_its_place(api: httpx.AsyncClient) -> None:
    await limit(api, fair=True)
    await submit_many(api, "a", 3, retry_delay_seconds=0)
    await submit_many(api, "b", 3)
    (lease,) = await claim(api, limit=1)
    await fail(api, lease)
    assert ids(await claim(api, limit=1)) == ids([lease])


async def test_turns_and_a_limit_of_the_queue(api: httpx.AsyncClient, engine: Engine) -> None:
    await limit(api, fair=True, running=4)
    await submit_many(api, "a", 20)
    leases = await claimed(api)
    assert groups(leases) == ["a"] * 4
    await submit_many(api, "b", 20)
    check(engine)
    order = []
    for _ in range(5):
        for lease in leases:
            await complete(api, lease)
        leases = await claimed(api)
        order += groups(leases)
    assert Counter(order) == {"a": 10, "b": 10}
    check(engine)


async def test_those_that_were_there_before_take_turns_too(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await submit_many(api, "a", 30)
    await submit_many(api, "b", 30)
    await limit(api, fair=True)
    elapse(engine, 3)
    await sweeping.SWEEPS["adopt"](resources)
    await submit_many(api, "c", 30)
    assert Counter(groups(await claim(api, limit=30))) == {"a": 10, "b": 10, "c": 10}


async def test_tasks_take_their_turns_after_the_queues_limit_is_gone(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await limit(api, fair=True, running=5)
    later = (datetime.now(UTC) + timedelta(seconds=50)).isoformat()
    due = await submit(api, group="a", available_at=later)
    paused = await submit(api, group="a")
    await act(api, paused["id"], "pause")
    await limit(api, fair=True)
    assert (await act(api, paused["id"], "resume"))["status"] == "to_do"
    elapse(engine, 60)
    await sweeping.SWEEPS["promote"](resources)
    await sweeping.SWEEPS["slots"](resources)
    assert set(ids(await claimed(api))) == {due["id"], paused["id"]}
    check(engine)
