"""Two transactions that want the same slot, in either order; and connections killed amid them."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from app.domain.errors import DatabaseAwayError, RowBusyError
from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.concurrency import steps
from tests.concurrency.killer import Killer
from tests.concurrency.ordering import deadlocks, held_open, until_blocked
from tests.support.calls import claim, claim_one, complete, get, submit
from tests.support.elapse import elapse
from tests.support.groups import check, claimed, ids, limit, stand

LEFT_WAITING = (
    "SELECT group_key FROM task_groups WHERE waiting > 0 AND held < 1 AND group_key <> ''"
)
LATE_SECONDS = 20


@pytest.fixture(autouse=True)
def _settings_are_in_force_at_once(monkeypatch: pytest.MonkeyPatch, request: Any) -> None:
    if "killer" in request.fixturenames:
        request.getfixturevalue("killer")  # which would have the time asked for once
    monkeypatch.setattr("app.mysql.connection.CLOCK_CARRIED_SECONDS", -1.0)


async def test_who_is_submitted_while_the_last_holder_ends_gets_its_slot(
    api: httpx.AsyncClient, other: Resources, engine: Engine
) -> None:
    await limit(api, running_per_group=1)
    await submit(api, group="a")
    lease = await claim_one(api)
    async with held_open(other.database, steps.settled(steps.complete(lease["lease_id"]))):
        call = asyncio.create_task(submit(api, group="a"))
        await until_blocked(engine)
    task = await call
    assert task["waiting_on"] is None
    check(engine)


async def test_who_ends_while_one_is_submitted_gives_it_the_slot(
    api: httpx.AsyncClient, other: Resources, engine: Engine
) -> None:
    await limit(api, running_per_group=1)
    await submit(api, group="a")
    lease = await claim_one(api)
    async with held_open(other.database, steps.settled(steps.submit(group="a"))):
        call = asyncio.create_task(complete(api, lease))
        await until_blocked(engine)
    await call
    assert len(await claimed(api)) == 1
    check(engine)


async def test_who_is_next_and_being_patched_gets_the_slot_from_the_sweep(
    api: httpx.AsyncClient, other: Resources, resources: Resources, engine: Engine
) -> None:
    await limit(api, running_per_group=1)
    await submit(api, group="a")
    second, third = await submit(api, group="a"), await submit(api, group="a")
    lease = await claim_one(api)
    async with held_open(other.database, steps.patch(second["id"], title="another")):
        await complete(api, lease)
        await sweeping.SWEEPS["slots"](resources)
        assert await claimed(api) == []
    await sweeping.SWEEPS["slots"](resources)
    assert ids(await claimed(api, until=1)) == [second["id"]]
    assert (await get(api, third["id"]))["waiting_on"] == "group"
    check(engine)


async def test_an_attempt_that_ended_gives_no_slot_back_again(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await limit(api, running_per_group=1)
    await submit(api, group="a", timeout_seconds=5, retry_delay_seconds=3600)
    for _ in range(3):
        await submit(api, group="a")
    late = await claim_one(api)
    elapse(engine, 6)
    await sweeping.SWEEPS["time_out"](resources)
    done = await claim_one(api)
    for _ in range(2):
        answer = await api.post(f"/leases/{late['lease_id']}/complete")
        assert answer.status_code == 409
    assert stand(engine) == {("default", "a"): (1, 2)}
    for _ in range(2):
        await complete(api, done)
        assert (await api.post(f"/leases/{done['lease_id']}/fail")).status_code == 409
    assert stand(engine) == {("default", "a"): (1, 1)}
    check(engine)


async def test_who_has_to_give_way_may_be_where_a_claim_has_stepped_over_it(
    api: httpx.AsyncClient, other: Resources, engine: Engine
) -> None:
    await limit(api, running_per_group=2)
    await submit(api, group="a")
    lease = await claim_one(api)
    low = await submit(api, group="a", priority="低")
    before = deadlocks(engine)
    with engine.connect() as stranger:
        stranger.execute(text("SELECT id FROM tasks WHERE id = :id FOR UPDATE"), {"id": low["id"]})
        both = steps.claim(5, lease["lease_id"])
        async with held_open(other.database, steps.settled(both)) as found:
            assert found == []
            stranger.rollback()
            call = asyncio.create_task(submit(api, group="a", priority="高"))
            await until_blocked(engine)
        high = await call
    assert ids(await claimed(api)) == [high["id"], low["id"]]
    check(engine)
    assert deadlocks(engine) == before


async def test_who_ends_one_is_given_the_next_in_the_same_call(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await limit(api, running=1)
    tasks = [await submit(api) for _ in range(3)]
    lease = await claim_one(api)
    for task in tasks[1:]:
        items = [{"lease_id": lease["lease_id"], "outcome": "complete"}]
        body = {"items": items, "claim": {"worker": "w"}}
        answer = await api.post("/leases/finish", json=body)
        (lease,) = answer.json()["leases"]
        assert lease["task"]["id"] == task["id"]
    check(engine)


class Scene:
    """A group in which one runs and others wait, beside another one; and what is done to it."""

    def __init__(
        self, kind: str, api: httpx.AsyncClient, resources: Resources, engine: Engine
    ) -> None:
        self.kind = kind
        self._api = api
        self._resources = resources
        self._engine = engine
        self._leases: list[dict[str, Any]] = []

    async def prepare(self, number: int) -> None:
        """A queue of its own."""
        self.queue = f"q{number}"
        limits = {"running_per_group": 1, "running": 2}
        if self.kind != "adopt":
            await limit(self._api, self.queue, **limits)
        first = [await submit(self._api, queue=self.queue, group=group) for group in "aab"]
        self._leases = await claim(self._api, queues=[self.queue], limit=2, worker="w")
        last = await submit(self._api, queue=self.queue, group="a")
        if self.kind == "adopt":
            await limit(self._api, self.queue, **limits)
            elapse(self._engine, LATE_SECONDS)
        if self.kind == "slots":
            with self._engine.connect() as stranger:
                for task in (first[1], last):
                    stranger.execute(
                        text(f"SELECT 1 FROM tasks WHERE id = {task['id']} FOR UPDATE")
                    )
                assert await self.done("finish")

    async def done(self, kind: str) -> bool:
        """Whether it was heard to be done."""
        if kind == "submit":
            body = {"title": "t", "queue": self.queue, "group": "b", "priority": "高"}
            headers = {"Idempotency-Key": self.queue}
            return (await self._api.post("/tasks", json=body, headers=headers)).is_success
        if kind == "finish":
            items = [
                {"lease_id": lease["lease_id"], "outcome": "complete"} for lease in self._leases[:1]
            ]
            wanted = {"items": items, "claim": {"worker": "w", "queues": [self.queue]}}
            return (await self._api.post("/leases/finish", json=wanted)).is_success
        try:
            await sweeping.SWEEPS[kind](self._resources)
        except (DatabaseAwayError, RowBusyError):
            return False
        return True


@pytest.fixture(params=["submit", "finish", "slots", "adopt"])
def scene(
    request: pytest.FixtureRequest, api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> Scene:
    return Scene(request.param, api, resources, engine)


async def test_killed_before_any_statement_the_tables_agree(
    scene: Scene, resources: Resources, engine: Engine, settings: Settings, killer: Killer
) -> None:
    kind = scene.kind
    struck: list[str] = []
    while True:
        await scene.prepare(len(struck))
        killer.strike_before(len(struck) + 1)
        is_heard = await scene.done(kind)
        if killer.struck is None:
            break
        struck.append(killer.struck)
        check(engine)
        if not is_heard:
            assert await scene.done(kind)
        await sweeping.SWEEPS["slots"](resources)
        check(engine)
        with engine.connect() as connection:
            assert not connection.execute(text(LEFT_WAITING)).all()
    assert "commit" in struck
    assert len(struck) > 4
    assert await sweeping.SWEEPS["audit_slots"](resources) == 0
    assert await sweeping.recount(settings) == {}
