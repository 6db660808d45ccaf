"""What is said of a task that a worker has: who, since when, and what the sweep will do."""

from collections.abc import Callable

import httpx
import pytest
import redis
from sqlalchemy import Engine

from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.conftest import serving
from tests.integration.why.conftest import Ask, names, only
from tests.support.calls import Document, claim_one, document, get, submit
from tests.support.elapse import moment, serve_all_along
from tests.support.redis_book import remember_for
from tests.support.worker_calls import attempts, heartbeat

pytestmark = pytest.mark.usefixtures("well")

Later = Callable[[float], None]
# MySQL and Redis are asked one after the other.
CLOCK = 0.5


@pytest.fixture(autouse=True)
def long_remembering(redis_connection: redis.Redis, engine: Engine) -> None:
    """Redis has been there for an hour, and an API for longer."""
    remember_for(redis_connection, 3600)
    serve_all_along(engine)


async def begun(api: httpx.AsyncClient, **claim: object) -> Document:
    """The lease of a new task."""
    await submit(api)
    return await claim_one(api, **claim)


def seconds_between(since: str, until: str) -> float:
    return (moment(until) - moment(since)).total_seconds()


async def test_by_whom_and_since_when(api: httpx.AsyncClient, ask: Ask, later: Later) -> None:
    lease = await begun(api, worker="host-1")
    later(170)
    found = await ask(lease["task"]["id"])
    assert (found["status"], found["is_claimable"]) == ("in_progress", False)
    task = await get(api, lease["task"]["id"])
    held = only(found)
    assert held.pop("detail") == (
        "'host-1' has had it for 3 min (attempt 1). Unless the attempt ends before, it ends as "
        "timed_out in 2 min; retry 1 of 3 follows."
    )
    assert seconds_between(task["started_at"], held["deadline"]) == 300
    assert held == {
        "reason": "held",
        "worker": "host-1",
        "attempt": 1,
        "started_at": task["started_at"],
        "deadline": held["deadline"],
        "last_heartbeat_at": None,
        "ends_at": held["deadline"],
        "ends_as": "timed_out",
        "becomes": "retrying",
    }


async def test_when_its_worker_was_last_heard_of(
    api: httpx.AsyncClient, ask: Ask, later: Later
) -> None:
    lease = await begun(api, worker="host-1", lease_seconds=30)
    later(20)
    await heartbeat(api, lease)
    later(10)
    held = only(await ask(lease["task"]["id"]))
    assert seconds_between(held["started_at"], held["last_heartbeat_at"]) == pytest.approx(
        20, abs=2
    )
    assert seconds_between(held["last_heartbeat_at"], held["ends_at"]) == pytest.approx(30, abs=0.1)
    assert held["ends_as"] == "lost"
    assert (
        "last heard of 10 s ago. Unless the worker is heard of again, it ends as lost in"
        in (held["detail"])
    )


async def test_a_lease_goes_no_further_than_the_deadline(
    api: httpx.AsyncClient, ask: Ask, later: Later
) -> None:
    task = await submit(api, timeout_seconds=50)
    lease = await claim_one(api, lease_seconds=30)
    later(30 - 1)
    await heartbeat(api, lease)
    held = only(await ask(task["id"]))
    assert (held["ends_as"], held["ends_at"]) == ("timed_out", held["deadline"])
    assert held["started_at"] <= held["last_heartbeat_at"]


async def test_a_worker_that_was_lost_is_swept_away_as_said(
    api: httpx.AsyncClient, ask: Ask, later: Later, resources: Resources
) -> None:
    lease = await begun(api, lease_seconds=30)
    later(40)
    held = only(await ask(lease["task"]["id"]))
    assert (held["ends_as"], held["becomes"]) == ("lost", "retrying")
    assert (
        "Its lease ran out 10 s ago, and the next sweep ends it as lost; retry 1 of 3"
        in (held["detail"])
    )
    assert await sweeping.take_back_lost_leases(resources) == 1
    await is_as_said(api, ask, lease, held)


@pytest.mark.parametrize("retry_limit", [3, 0])
async def test_an_attempt_whose_deadline_has_passed_is_swept_away_as_said(
    api: httpx.AsyncClient, ask: Ask, later: Later, resources: Resources, retry_limit: int
) -> None:
    await submit(api, retry_limit=retry_limit)
    lease = await claim_one(api)
    later(420)
    held = only(await ask(lease["task"]["id"]))
    assert held["ends_as"] == "timed_out"
    assert held["becomes"] == ("retrying" if retry_limit else "failed")
    then = "retry 1 of 3 follows" if retry_limit else "then the task has failed"
    assert held["detail"].endswith(
        f"Its deadline passed 2 min ago, and the next sweep ends it as timed_out; {then}."
    )
    assert await sweeping.time_out(resources) == 1
    await is_as_said(api, ask, lease, held)


async def is_as_said(api: httpx.AsyncClient, ask: Ask, lease: Document, held: Document) -> None:
    task_id = lease["task"]["id"]
    found = await ask(task_id)
    assert found["status"] == held["becomes"]
    assert names(found) == ["not_yet" if held["becomes"] == "retrying" else "ended"]
    (attempt,) = await attempts(api, task_id)
    assert attempt["outcome"] == held["ends_as"]


async def test_nobody_sweeps_what_is_over(
    api: httpx.AsyncClient, ask: Ask, later: Later, swept: Callable[..., None]
) -> None:
    lease = await begun(api)
    swept(600)
    assert names(await ask(lease["task"]["id"])) == ["held"]
    later(420)
    assert names(await ask(lease["task"]["id"])) == ["held", "no_scheduler"]


async def test_an_emptied_redis_has_not_heard_of_a_worker(
    api: httpx.AsyncClient, ask: Ask, redis_connection: redis.Redis
) -> None:
    lease = await begun(api, lease_seconds=30)
    redis_connection.flushall()
    held = only(await ask(lease["task"]["id"]))
    assert (held["last_heartbeat_at"], held["ends_as"]) == (None, "lost")
    assert held["ends_at"] == lease["expires_at"]


async def test_without_redis_nobody_knows_of_heartbeats(redisless: Settings) -> None:
    async with serving(redisless) as api:
        lease = await begun(api, lease_seconds=30)
        silent = await begun(api)
        found = document(await api.get(f"/tasks/{lease['task']['id']}/why"))
        assert names(found) == ["held", "unknown"]
        held, unknown = found["reasons"]
        assert (held["last_heartbeat_at"], held["ends_at"]) == (None, held["deadline"])
        assert unknown["part"] == "last_heartbeat"
        # Who promised no heartbeats sends none.
        assert names(document(await api.get(f"/tasks/{silent['task']['id']}/why"))) == ["held"]
