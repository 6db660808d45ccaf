"""So many attempts begin in a time, of a queue and of each of its groups."""

from datetime import datetime

import httpx
from sqlalchemy import Engine

from app.service import sweeping
from app.service.resources import Resources
from tests.support.calls import complete, get, problem, submit
from tests.support.elapse import elapse
from tests.support.groups import check, claimed, ids, limit
from tests.support.worker_calls import act, release

GROUPS = "/admin/queues/default/groups"
SLOWLY = {"limit": 6, "per_seconds": 60, "burst": 2}


async def test_a_burst_and_then_one_at_a_time(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await limit(api, rate=SLOWLY)
    tasks = [await submit(api) for _ in range(5)]
    leases = await claimed(api)
    assert ids(leases) == [tasks[0]["id"], tasks[1]["id"]]
    for lease in leases:
        await complete(api, lease)
    assert await claimed(api) == []
    assert (await get(api, tasks[2]["id"]))["waiting_on"] == "group"

    elapse(engine, 10.5)
    await sweeping.SWEEPS["slots"](resources)
    assert ids(await claimed(api)) == [tasks[2]["id"]]
    elapse(engine, 60)
    await sweeping.SWEEPS["slots"](resources)
    assert ids(await claimed(api)) == [tasks[3]["id"], tasks[4]["id"]]
    check(engine)


async def test_of_each_group(api: httpx.AsyncClient, engine: Engine) -> None:
    await limit(api, rate_per_group={"limit": 1, "per_seconds": 3600})
    first = [await submit(api, group=group) for group in ("a", "b")]
    [await submit(api, group=group) for group in ("a", "b")]
    free = await submit(api)
    assert set(ids(await claimed(api))) == {task["id"] for task in [*first, free]}
    check(engine)


async def test_no_more_begin_however_long_nobody_came(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await limit(api, rate=SLOWLY)
    for _ in range(6):
        await submit(api)
    elapse(engine, 3600)
    await sweeping.SWEEPS["slots"](resources)
    assert len(await claimed(api)) == 2
    check(engine)


async def test_who_was_not_claimed_uses_no_token(api: httpx.AsyncClient, engine: Engine) -> None:
    await limit(api, rate={"limit": 1, "per_seconds": 3600, "burst": 1})
    tasks = [await submit(api) for _ in range(3)]
    await act(api, tasks[0]["id"], "cancel")
    high = await submit(api, priority="高")
    assert ids(await claimed(api)) == [high["id"]]
    assert await claimed(api) == []
    check(engine)


async def test_a_released_attempt_has_used_its_token(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await limit(api, rate={"limit": 1, "per_seconds": 3600, "burst": 1})
    await submit(api)
    (lease,) = await claimed(api)
    released = await release(api, lease)
    assert released["waiting_on"] == "group"
    assert await claimed(api) == []
    check(engine)


async def test_a_limit_and_a_rate_hold_together(api: httpx.AsyncClient, engine: Engine) -> None:
    await limit(api, running=1, rate={"limit": 1, "per_seconds": 3600, "burst": 3})
    for _ in range(6):
        await submit(api)
    for _ in range(3):
        (lease,) = await claimed(api)
        await complete(api, lease)
    assert await claimed(api) == []
    check(engine)


async def test_a_group_says_when_its_next_token_comes(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    async def token_in() -> float | None:
        (group,) = (await api.get(GROUPS)).json()
        at = group["next_token_at"]
        return None if at is None else round((datetime.fromisoformat(at) - began).total_seconds())

    await limit(api, rate_per_group=SLOWLY)
    for _ in range(4):
        await submit(api, group="a")
    (group,) = (await api.get(GROUPS)).json()
    assert group["next_token_at"] is None  # as soon as one of these two is claimed
    (first,) = await claimed(api, 1)
    began = datetime.fromisoformat(first["task"]["started_at"])
    assert await token_in() == 10
    (second,) = await claimed(api, 1)
    assert await token_in() == 10
    await complete(api, second)
    assert await token_in() == 10
    elapse(engine, 10.2)  # the next one may begin, and the token after it comes in ten seconds
    await sweeping.SWEEPS["slots"](resources)
    assert await token_in() == 10
    await limit(api)
    assert await token_in() is None
    check(engine)


async def test_a_group_with_a_free_token_waits_for_none(api: httpx.AsyncClient) -> None:
    await limit(api, rate_per_group=SLOWLY)
    await submit(api, group="a")
    await claimed(api)
    (group,) = (await api.get(GROUPS)).json()
    assert (group["held"], group["next_token_at"]) == (1, None)
    await limit(api, "other", rate=SLOWLY)  # of the queue, not of each group
    for _ in range(3):
        await submit(api, group="a", queue="other")
    await claimed(api, queues=["other"])
    assert (await api.get(GROUPS.replace("default", "other"))).json() == []


async def test_a_burst_below_a_second_is_refused(api: httpx.AsyncClient) -> None:
    body = {"rate": {"limit": 121, "per_seconds": 60, "burst": 2}}
    answer = await api.put("/admin/queues/default/settings", json=body)
    problem(answer, 422, "rate.burst")
    assert "at least what comes in a second, 3" in answer.text
    stored = await limit(api, rate={"limit": 121, "per_seconds": 60})
    assert stored["rate"] == {"limit": 121, "per_seconds": 60, "burst": 3}


async def test_a_higher_rate_does_not_wait_for_what_the_lower_one_has_paid_for(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await limit(api, rate={"limit": 1, "per_seconds": 3600, "burst": 1})
    tasks = [await submit(api) for _ in range(3)]
    assert ids(await claimed(api)) == [tasks[0]["id"]]
    await limit(api, rate={"limit": 2, "per_seconds": 1, "burst": 2})
    elapse(engine, 2)
    await sweeping.SWEEPS["adopt"](resources)
    elapse(engine, 2)
    await sweeping.SWEEPS["slots"](resources)
    assert ids(await claimed(api)) == [tasks[1]["id"], tasks[2]["id"]]
    check(engine)


async def test_a_clock_that_went_back_withholds_one_burst(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await limit(api, rate=SLOWLY)
    first = [await submit(api) for _ in range(2)]
    assert ids(await claimed(api)) == [task["id"] for task in first]
    with engine.begin() as connection:  # as it was, an hour ago
        connection.exec_driver_sql(
            "UPDATE task_groups SET paid_until = paid_until + INTERVAL 1 HOUR"
        )
    third = await submit(api)
    elapse(engine, 10.5)
    await sweeping.SWEEPS["slots"](resources)
    assert ids(await claimed(api)) == [third["id"]]
    check(engine)
