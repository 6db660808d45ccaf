"""A worker is lost only if it could have been heard of: an API has to have been there."""

from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import pytest
import redis
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.domain.states import Status
from app.domain.task import Task
from app.queue import processes
from app.queue.processes import Reach
from app.queue.sweeps.deadlines import seconds_to_proof
from app.service.resources import Resources
from app.service.sweeping import take_back_lost_leases
from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import claim_one, get, submit
from tests.support.factories import TaskFactory, now
from tests.support.redis_book import remember_for
from tests.support.rows import a_row

Later = Callable[[float], None]

MOMENT = datetime(2026, 1, 1)  # noqa: DTZ001
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def long_remembering(redis_connection: redis.Redis) -> None:
    """Redis has been there for an hour."""
    remember_for(redis_connection, 3600)


def there(engine: Engine, *, since_seconds: float, seen_seconds: float = 0) -> None:
    """An API process has been there for so long, and was seen so long ago."""
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM processes"))
        connection.execute(
            text(
                "INSERT INTO processes (id, kind, version, running_since, last_seen_at) VALUES "
                "('p', 'api', '1', UTC_TIMESTAMP(6) - INTERVAL :since MICROSECOND, "
                "UTC_TIMESTAMP(6) - INTERVAL :seen MICROSECOND)"
            ),
            {"since": since_seconds * 1e6, "seen": seen_seconds * 1e6},
        )


@pytest.fixture
def silent(session: Session) -> Task:
    """A worker promised to be heard of within 30 s, and was not; that was a second ago."""
    task: Task = TaskFactory(
        heartbeating=True,
        lease_seconds=30,
        started_at=now() - timedelta(seconds=31),
        sweep_at=now() - SECOND,
    )
    return task


def status(engine: Engine, task: Task) -> str:
    with engine.connect() as connection:
        asked = {"id": task.id}
        found = connection.execute(text("SELECT status FROM tasks WHERE id = :id"), asked)
        return str(found.scalar_one())


async def test_where_no_api_is_there_nobody_is_lost(
    silent: Task, resources: Resources, engine: Engine, later: Later
) -> None:
    for _ in range(3):
        assert await take_back_lost_leases(resources) == 0
        later(10)
    assert status(engine, silent) == "in_progress"


async def test_an_api_that_hangs_or_was_killed_is_not_there(
    silent: Task, resources: Resources, engine: Engine
) -> None:
    there(engine, since_seconds=3600, seen_seconds=processes.GAP_SECONDS + 1)
    assert await take_back_lost_leases(resources) == 0
    assert status(engine, silent) == "in_progress"


async def test_an_api_that_is_back_gives_workers_the_time_of_their_lease(
    silent: Task, resources: Resources, engine: Engine, later: Later
) -> None:
    there(engine, since_seconds=25)
    assert await take_back_lost_leases(resources) == 0
    later(4)
    assert await take_back_lost_leases(resources) == 0
    later(2)
    assert await take_back_lost_leases(resources) == 1
    assert status(engine, silent) == "retrying"


async def test_an_api_has_to_be_seen_in_the_lease_that_ran_out(
    session: Session, resources: Resources, engine: Engine
) -> None:
    """It may have gone a moment after it heard the last heartbeat."""
    started = now() - timedelta(seconds=31)
    silent = TaskFactory(
        heartbeating=True, lease_seconds=5, started_at=started, sweep_at=now() - SECOND
    )
    there(engine, since_seconds=3600, seen_seconds=4)
    assert await take_back_lost_leases(resources) == 0
    there(engine, since_seconds=3600)
    assert await take_back_lost_leases(resources) == 1
    assert status(engine, silent) == "retrying"


@pytest.mark.parametrize("interval_seconds", [1, 5, 60])
async def test_one_who_sweeps_seldom_notices_too(
    silent: Task, resources: Resources, engine: Engine, later: Later, interval_seconds: int
) -> None:
    later(interval_seconds)
    there(engine, since_seconds=3600, seen_seconds=2)
    assert await take_back_lost_leases(resources) == 1
    assert status(engine, silent) == "retrying"


async def test_a_worker_that_comes_back_with_the_api_loses_nothing(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, later: Later
) -> None:
    """Its handler ran on all the while."""
    await submit(api, timeout_seconds=3600, retry_limit=0)
    lease = await claim_one(api, lease_seconds=5)
    for _ in range(10):
        later(5)
        with engine.begin() as connection:  # the one behind `api` may have said that it is there
            connection.execute(text("DELETE FROM processes"))
        assert await take_back_lost_leases(resources) == 0
    there(engine, since_seconds=1)
    assert await take_back_lost_leases(resources) == 0
    answer = await api.post(f"/leases/{lease['lease_id']}/complete", json={"result": "in time"})
    assert (answer.status_code, answer.json()["attempt"]) == (200, 1)


async def test_a_process_says_that_it_is_there_and_when_it_is_not_any_more(
    settings: Settings, engine: Engine, resources: Resources
) -> None:
    async with serving(settings) as api:
        await submit(api)  # it has been heard of by now, or is just about to be
        async with serving(settings):
            await get(api, (await submit(api))["id"])
        reach = await resources.database.read(processes.reach)
        assert reach is not None
    assert await resources.database.read(processes.reach) is None
    with engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM processes")).scalar_one() == 0


async def test_whoever_has_said_nothing_for_a_while_begins_anew(
    resources: Resources, engine: Engine
) -> None:
    async def say() -> Reach:
        await resources.database.transact(
            lambda c: processes.say_seen(c, process_id="p", kind="api", version="1")
        )
        reach = await resources.database.read(processes.reach)
        assert reach is not None
        return reach

    there(engine, since_seconds=100, seen_seconds=processes.GAP_SECONDS - 1)
    kept = await say()
    assert kept.until - kept.since > 90 * SECOND
    there(engine, since_seconds=100, seen_seconds=processes.GAP_SECONDS + 1)
    anew = await say()
    assert anew.until - anew.since < 90 * SECOND


async def test_one_put_off_that_has_promised_nothing_is_in_nobodys_way(
    session: Session, resources: Resources, engine: Engine
) -> None:
    there(engine, since_seconds=3600, seen_seconds=-3600)
    unpromised = TaskFactory(in_progress=True, sweep_at=now() - SECOND)
    silent = TaskFactory(
        heartbeating=True, started_at=now() - timedelta(seconds=31), sweep_at=now() - SECOND
    )
    assert await take_back_lost_leases(resources) == 1
    assert status(engine, unpromised) == "in_progress"
    assert status(engine, silent) == "retrying"


@pytest.mark.parametrize(
    ("reach", "seconds"),
    [
        (None, processes.GAP_SECONDS),
        (Reach(MOMENT - 10 * SECOND, MOMENT), 20.0),
        (Reach(MOMENT - 30 * SECOND, MOMENT), None),
        (Reach(MOMENT - 99 * SECOND, MOMENT - 20 * SECOND), 0.0),
        (Reach(MOMENT - 99 * SECOND, MOMENT - 19 * SECOND), None),
    ],
)
def test_what_is_proof(reach: Reach | None, seconds: float | None) -> None:
    task = a_row(Status.IN_PROGRESS, lease_seconds=30, sweep_at=MOMENT - SECOND)
    assert seconds_to_proof(task, now=MOMENT, reach=reach) == seconds
