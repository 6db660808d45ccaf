"""Redis absent, dead, dying or hanging costs speed, never an answer."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from prometheus_client import REGISTRY
from redis import exceptions

from app.local.valkey import ValkeyServer
from app.redis.cache import VOID
from app.redis.link import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, RedisAwayError
from app.redis.session import Session
from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import claim_one, complete, get, submit
from tests.support.redis_faults import stopped
from tests.support.steered_redis import Hands, link_to
from tests.support.worker_calls import heartbeat
from tests.support.working_day import a_working_day


@pytest.fixture
async def hanging_redis(settings: Settings) -> AsyncIterator[Settings]:
    """Where Redis should be, somebody listens and never answers."""
    over = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield settings.model_copy(
        update={"redis_url": f"redis://127.0.0.1:{port}/0", "redis_timeout_seconds": 0.05}
    )
    over.set()
    server.close()
    await server.wait_closed()


async def test_without_redis_everything_works(redisless: Settings) -> None:
    async with serving(redisless) as api:
        await a_working_day(api)


async def test_a_redis_that_hangs_holds_nobody_up_for_long(hanging_redis: Settings) -> None:
    async with serving(hanging_redis) as api, asyncio.timeout(30):
        await a_working_day(api)


async def test_a_redis_that_dies_and_comes_back_is_not_missed(
    settings: Settings, own_redis: ValkeyServer
) -> None:
    own = settings.model_copy(update={"redis_url": own_redis.url})
    async with serving(own) as api, serving(own) as other:
        task = await submit(api, title="before")
        await get(other, task["id"])
        own_redis.kill()
        await api.patch(f"/tasks/{task['id']}", json={"title": "while away"})
        assert [(await get(a, task["id"]))["title"] for a in (api, other)] == ["while away"] * 2
        lease = await claim_one(other, lease_seconds=30)
        await heartbeat(other, lease)
        own_redis.start()
        await api.patch(f"/tasks/{task['id']}", json={"title": "after"})
        assert [(await get(a, task["id"]))["title"] for a in (api, other)] == ["after"] * 2
        assert (await complete(api, lease))["status"] == "done"
        assert [(await get(a, task["id"]))["status"] for a in (api, other)] == ["done"] * 2


async def test_while_redis_is_known_to_be_away_nobody_goes_to_it(
    settings: Settings, own_redis: ValkeyServer, clock: Hands
) -> None:
    link = link_to(settings.model_copy(update={"redis_url": own_redis.url}))
    assert await link.look() == "ok"
    own_redis.kill()
    assert await link.look() == "away"
    assert REGISTRY.get_sample_value("rowlock_redis_up") == 0

    own_redis.start()  # back already, but nobody goes to look yet
    assert await link.look() == "away"
    clock.seconds += FIRST_PAUSE_SECONDS
    assert await link.look() == "ok"
    assert REGISTRY.get_sample_value("rowlock_redis_up") == 1
    await link.close()


async def test_the_longer_redis_is_away_the_less_often_it_is_tried_up_to_every_four_seconds(
    redis_away: Settings, clock: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_to(redis_away)
    connect = Session.open
    tried_at: list[float] = []

    async def noted(url: str) -> Session:
        tried_at.append(clock.seconds)
        return await connect(url)

    monkeypatch.setattr(Session, "open", noted)
    while len(tried_at) < 8:
        with pytest.raises(RedisAwayError):
            await link.run(VOID)
        clock.seconds += 0.125
    await link.close()

    pauses = [after - before for before, after in pairwise(tried_at)]
    assert pauses == [0.25, 0.5, 1, 2, 4, 4, 4]


async def test_calls_that_find_redis_away_together_find_it_once(
    settings: Settings, own_redis: ValkeyServer, clock: Hands
) -> None:
    link = link_to(settings.model_copy(update={"redis_url": own_redis.url}))
    own_redis.kill()
    assert await asyncio.gather(*(link.look() for _ in range(10))) == ["away"] * 10
    own_redis.start()
    clock.seconds += FIRST_PAUSE_SECONDS

    assert await link.look() == "ok"
    await link.close()


async def test_a_connection_over_which_nothing_comes_any_more_is_given_up_for_a_new_one(
    settings: Settings, own_redis: ValkeyServer, clock: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its host has gone without a word, and another one may have its address."""
    link = link_to(settings.model_copy(update={"redis_url": own_redis.url}))
    assert await link.look() == "ok"
    asked = asyncio.Event()

    async def noted(_url: str) -> Session:
        asked.set()
        raise exceptions.ConnectionError

    monkeypatch.setattr(Session, "open", noted)
    with stopped(own_redis):
        assert await link.look() == "away"
        clock.seconds += LONGEST_PAUSE_SECONDS
        assert await link.look() == "away"
        assert not asked.is_set(), "it may only hang"
        clock.seconds += LONGEST_PAUSE_SECONDS
        assert await link.look() == "away"
        assert asked.is_set()
    await link.close()
