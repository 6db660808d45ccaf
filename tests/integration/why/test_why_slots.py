"""Why a task waits for a slot: whose, who has them, and how many come before it."""

from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import Engine

from app.domain import standing
from app.mysql import connection
from app.service import limiting
from app.service.resources import Resources
from tests.integration.why.conftest import Ask, names, only
from tests.support.calls import claim_one, complete, submit
from tests.support.groups import limit

pytestmark = pytest.mark.usefixtures("well")


@pytest.fixture(autouse=True)
def settings_are_in_force_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time, and with it the version of the settings, is asked for each time."""
    monkeypatch.setattr(connection, "CLOCK_CARRIED_SECONDS", -1.0)


async def test_its_group_has_none_free(api: httpx.AsyncClient, ask: Ask) -> None:
    await limit(api, running_per_group=2)
    tasks = [await submit(api, group="a") for _ in range(5)]
    await submit(api, group="b")
    last = await ask(tasks[4]["id"])
    assert (last["status"], last["is_claimable"]) == ("to_do", False)
    reason = only(last)
    detail = reason.pop("detail")
    assert reason == {
        "reason": "waits_for_slot",
        "group": "a",
        "held": 2,
        "running_limit": 2,
        "ahead": 2,
        "at_least": False,
    }
    assert detail == (
        "It waits for a slot: 2 of 2 tasks of group 'a' run or may be claimed, and 2 wait before "
        "it."
    )
    before_all = await submit(api, group="a", priority="低")
    assert only(await ask(before_all["id"]))["ahead"] == 3
    await complete(api, await claim_one(api))
    assert only(await ask(tasks[4]["id"]))["ahead"] == 1


async def test_its_queue_has_none_free(api: httpx.AsyncClient, ask: Ask) -> None:
    await limit(api, running=1, running_per_group=2)
    await submit(api, group="a")
    second = await submit(api, group="a")
    reason = only(await ask(second["id"]))
    assert (reason["group"], reason["held"], reason["running_limit"]) == (None, 1, 1)
    assert "of the queue 'default'" in reason["detail"]


async def test_limits_of_the_group_itself_count(api: httpx.AsyncClient, ask: Ask) -> None:
    await api.put("/admin/queues/default/groups/a", json={"running": 1})
    await submit(api, group="a")
    second = await submit(api, group="a")
    assert only(await ask(second["id"]))["running_limit"] == 1


async def test_those_before_it_are_counted_up_to_a_thousand(
    api: httpx.AsyncClient, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("app.queue.why", "app.domain.reasons"):
        monkeypatch.setattr(f"{module}.AHEAD_LIMIT", 2)
    assert standing.AHEAD_LIMIT == 1000
    await limit(api, running_per_group=1)
    tasks = [await submit(api, group="a") for _ in range(6)]
    for task, ahead, at_least in ((tasks[3], 2, False), (tasks[5], 2, True)):
        reason = only(await ask(task["id"]))
        assert (reason["ahead"], reason["at_least"]) == (ahead, at_least)


async def test_the_sweep_has_not_been_there_yet(
    api: httpx.AsyncClient, ask: Ask, engine: Engine, resources: Resources
) -> None:
    await limit(api, running_per_group=1)
    first, second = await submit(api, group="a"), await submit(api, group="a")
    with engine.begin() as stranger:
        stranger.exec_driver_sql("SELECT id FROM tasks WHERE id = %s FOR UPDATE", (second["id"],))
        await api.post(f"/admin/tasks/{first['id']}/cancel")
    reason = only(await ask(second["id"]))
    assert (reason["held"], reason["ahead"]) == (0, 0)
    assert reason["detail"].startswith("A slot of group 'a' is free")
    await limiting.give_slots(resources)
    assert names(await ask(second["id"])) == ["due"]


async def test_what_else_applies_is_said_too(
    api: httpx.AsyncClient, ask: Ask, polled: Callable[..., None]
) -> None:
    await limit(api, running_per_group=1)
    await submit(api, group="a")
    second = await submit(api, group="a")
    await api.post("/admin/queues/default/pause")
    polled(seconds_ago=3600)
    found = await ask(second["id"])
    assert names(found) == ["waits_for_slot", "queue_paused", "no_worker"]
