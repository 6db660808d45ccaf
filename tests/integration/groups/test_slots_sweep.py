"""The sweep of slots: it gives those that could not be given at once, and forgets unused groups."""

import asyncio

import httpx
import pytest
from sqlalchemy import Engine, text

from app.service import limiting, sweeping
from app.service.resources import Resources
from tests.support.calls import claim_one, complete, submit
from tests.support.elapse import elapse
from tests.support.groups import check, claimed, ids, limit


@pytest.fixture(autouse=True)
def _in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiting, "GROUPS_AT_ONCE", 2)


async def test_a_group_of_which_others_hold_a_row_waits_for_the_next_sweep(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await limit(api, running_per_group=1)
    groups = "abcdefg"
    seconds = [[await submit(api, group=group) for _ in range(2)][1] for group in groups]
    with engine.connect() as stranger:
        held = ", ".join(str(task["id"]) for task in seconds)
        stranger.execute(
            text(f"SELECT id FROM tasks FORCE INDEX (PRIMARY) WHERE id IN ({held}) FOR UPDATE")
        )
        async with asyncio.timeout(30):
            for lease in await claimed(api):
                await complete(api, lease)
            await sweeping.SWEEPS["slots"](resources)
        assert await claimed(api) == []
    await sweeping.SWEEPS["slots"](resources)
    assert len(await claimed(api, until=len(groups))) == len(groups)
    check(engine)


async def test_groups_that_nobody_needs_are_forgotten_after_an_hour(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await limit(api, running_per_group=1)
    await submit(api, group="a")
    await submit(api, group="b")
    await submit(api, group="b")
    await complete(api, await claim_one(api))
    assert known(engine) == ["a", "b"]
    elapse(engine, 3500)
    await sweeping.SWEEPS["slots"](resources)
    assert known(engine) == ["a", "b"]
    elapse(engine, 200)
    await sweeping.SWEEPS["slots"](resources)
    assert known(engine) == ["b"]
    # One that is needed again in its last moment stays.
    await submit(api, group="a")
    for lease in await claimed(api):
        await complete(api, lease)
    elapse(engine, 3500)
    again = await submit(api, group="a")
    elapse(engine, 3500)
    await sweeping.SWEEPS["slots"](resources)
    assert known(engine) == ["a", "b"]
    assert again["id"] in ids(await claimed(api))
    check(engine)


def known(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT group_key FROM task_groups ORDER BY group_key"))
        return [key for (key,) in rows if key]
