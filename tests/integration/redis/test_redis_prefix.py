"""Two platforms on one Redis: neither sees the other's tasks."""

from collections.abc import Iterator

import httpx
import pytest
import redis
from sqlalchemy import Engine, make_url, text

from app.domain.errors import DatabaseAwayError
from app.local.valkey import ValkeyServer
from app.mysql import migration
from app.processes import redis_doctor
from app.redis.cache import VOID
from app.redis.link import FIRST_PAUSE_SECONDS, RedisLink
from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import claim_one, get, submit
from tests.support.steered_redis import Hands
from tests.support.worker_calls import heartbeat


@pytest.fixture
def production(settings: Settings, own_redis: ValkeyServer) -> Settings:
    """One that has no prefix set."""
    return settings.model_copy(update={"redis_url": own_redis.url, "redis_prefix": None})


@pytest.fixture
def staging(production: Settings, fresh: Settings) -> Settings:
    """Another database, and as its Redis the same."""
    migration.upgrade(fresh)
    return Settings(**production.model_dump() | {"database_url": fresh.database_url})


@pytest.fixture
def api_settings(production: Settings) -> Settings:
    return production


@pytest.fixture
def keys(own_redis: ValkeyServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(own_redis.url, decode_responses=True) as connection:
        yield connection


def name_of(engine: Engine) -> str:
    with engine.connect() as connection:
        return str(connection.execute(text("SELECT name FROM deployment")).scalar_one())


async def test_each_platform_answers_with_its_own_tasks(
    api: httpx.AsyncClient, staging: Settings, fresh_engine: Engine
) -> None:
    task_id = (await submit(api, title="production's"))["id"]
    with fresh_engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE tasks AUTO_INCREMENT = {task_id}"))
    async with serving(staging) as other:
        assert (await submit(other, title="staging's"))["id"] == task_id
        for _ in range(2):
            for resources, title in ((api, "production's"), (other, "staging's")):
                assert (await get(resources, task_id))["title"] == title
                assert [task["title"] for task in (await resources.get("/tasks")).json()] == [title]


async def test_all_processes_of_one_use_the_same_keys_however_they_name_the_host(
    api: httpx.AsyncClient, production: Settings, engine: Engine, keys: redis.Redis
) -> None:
    named = make_url(production.database_url).set(host="localhost")
    url = named.render_as_string(hide_password=False)
    alias = Settings(**production.model_dump() | {"database_url": url})
    await submit(api, title="as it was")
    lease = await claim_one(api, lease_seconds=30)
    await heartbeat(api, lease, "half")
    task_id = lease["task"]["id"]
    async with serving(alias) as other:
        assert (await get(other, task_id))["progress"] == "half"
        await other.patch(f"/tasks/{task_id}", json={"title": "changed"})
        assert (await get(api, task_id))["title"] == "changed"
        prefix = f"rowlock:{name_of(engine)}:"
        assert keys.dbsize() > 0
        assert [key for key in keys.scan_iter() if not key.startswith(prefix)] == []


async def test_a_prefix_that_is_set_is_taken_as_it_is(
    production: Settings, keys: redis.Redis
) -> None:
    mine = production.model_copy(update={"redis_prefix": "mine/"})
    async with serving(mine) as api:
        await get(api, (await submit(api))["id"])
    assert keys.dbsize() > 0
    assert [key for key in keys.scan_iter() if not key.startswith("mine/")] == []


async def test_until_mysql_has_told_its_name_redis_is_not_used(
    production: Settings, keys: redis.Redis, clock: Hands
) -> None:
    answers: list[Exception | str] = [DatabaseAwayError(reason="not yet"), "later"]

    async def name() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    link = RedisLink(production, name=name, in_doubt=VOID)
    assert await link.look() == "away"
    assert keys.dbsize() == 0
    clock.seconds += FIRST_PAUSE_SECONDS
    assert await link.look() == "ok"
    assert link.prefix == "rowlock:later:"
    assert answers == [], "it is asked no more"
    await link.close()


async def test_a_database_without_a_name_is_served_without_redis(
    staging: Settings, fresh_engine: Engine, keys: redis.Redis
) -> None:
    with fresh_engine.begin() as connection:
        connection.execute(text("DELETE FROM deployment"))
    async with serving(staging) as api:
        task = await submit(api)
        assert await get(api, task["id"]) == task
        assert (await api.get("/readyz")).json()["parts"]["redis"] == "degraded"
    assert keys.dbsize() == 0


def test_the_doctor_says_why_where_there_is_no_name(
    staging: Settings, fresh_engine: Engine
) -> None:
    (*_, shown) = [f.detail for f in redis_doctor.examine(staging) if f.what == "Redis keys"]
    assert shown == f"begin with rowlock:{name_of(fresh_engine)}:"
    with fresh_engine.begin() as connection:
        connection.execute(text("DELETE FROM deployment"))
    (finding,) = redis_doctor.examine(staging)
    assert finding.verdict == "bad"
    assert "no row with this database's name" in finding.detail
