"""What is heard of workers is told to MySQL: when, by whom, and how long it is kept."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from app.mysql.connection import Connection
from app.queue.workers import last_poll
from app.runtime.steady_clock import steady_seconds
from app.service import sweeping
from app.service import workers as service
from app.service.resources import Resources
from app.settings import Settings
from tests.conftest import serving
from tests.support.elapse import elapse, moment
from tests.support.hostile import HOSTILE, raw
from tests.support.workers import names, told, worker, workers


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> "Counter[str]":
    """How many statements of this process write to the register, by their first word."""
    seen: Counter[str] = Counter()
    execute = Connection.execute

    async def noted(connection: Connection, statement: str, *values: Any) -> Any:
        if " workers " in statement:
            seen[statement.split(" ", maxsplit=1)[0]] += 1
        return await execute(connection, statement, *values)

    monkeypatch.setattr(Connection, "execute", noted)
    return seen


async def test_polls_write_nothing_and_are_told_together(
    settings: Settings, api: httpx.AsyncClient, statements: "Counter[str]"
) -> None:
    async with serving(settings) as other:
        for n in range(50):
            await other.post("/leases", json={"worker": f"w{n % 10}"})
        assert not statements
    assert statements == {"INSERT": 1}
    assert len(await workers(api)) == 10


async def test_it_is_told_by_itself(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "TELL_SECONDS", 0.01)
    async with serving(settings) as api:
        await api.post("/leases", json={"worker": "w"})
        async with asyncio.timeout(60):
            while not await names(api):  # noqa: ASYNC110  (MySQL sends no event)
                await asyncio.sleep(0.01)


async def test_a_worker_keeps_its_first_time_and_gets_the_last(
    settings: Settings, api: httpx.AsyncClient, engine: Engine
) -> None:
    await told(settings, {"worker": "w", "queues": ["a"]}, agent="one/1")
    before = (await worker(api, "w"))["first_seen_at"]
    elapse(engine, 60)
    await told(settings, {"worker": "w", "queues": ["b"]}, agent="two/2", address="10.0.0.1")

    found = await worker(api, "w")
    times = [moment(found[name]) for name in ("first_seen_at", "last_seen_at")]
    assert (times[1] - times[0]).total_seconds() >= 60
    assert (moment(before) - times[0]).total_seconds() == 60
    assert (found["queues"], found["agent"], found["address"]) == (["b"], "two/2", "10.0.0.1")


async def test_what_was_heard_last_counts_whoever_tells_it_first(
    settings: Settings, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(settings) as late:
        with monkeypatch.context() as earlier:
            earlier.setattr(service, "steady_seconds", lambda: steady_seconds() - 9)
            await late.post("/leases", json={"worker": "w", "queues": ["old"]})
        await told(settings, {"worker": "w", "queues": ["new"]}, agent="new/1", address="10.0.0.2")
        before = await worker(api, "w")
    after = await worker(api, "w")
    assert before == after
    assert (after["queues"], after["agent"], after["address"]) == (["new"], "new/1", "10.0.0.2")


async def test_whatever_a_program_calls_itself_is_taken(
    settings: Settings, api: httpx.AsyncClient
) -> None:
    async with serving(settings) as other:
        for n, text in enumerate(HOSTILE):
            agent = raw(text[:5000])
            answer = await other.post(
                "/leases", json={"worker": f"w{n}"}, headers=[(b"User-Agent", agent)]
            )
            assert answer.status_code == 200, answer.text
        twice = [(b"User-Agent", b"one"), (b"User-Agent", b"two")]
        await other.post("/leases", json={"worker": "twice"}, headers=twice)
        await other.post("/leases", json={"worker": "none"}, headers={"User-Agent": ""})
    found = {each["worker"]: each["agent"] for each in await workers(api, limit=1000)}
    for n, text in enumerate(HOSTILE):
        agent = raw(text[:5000])
        try:
            expected = agent.decode()
        except UnicodeDecodeError:
            expected = agent.decode("latin-1")
        assert found[f"w{n}"] == expected[:128].strip(), text
    assert (found["twice"], found["none"]) == ("one", None)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("2001:db8::ffff:192.0.2.1", "2001:db8::ffff:192.0.2.1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("é" * 50, "?" * 45),
        ("", None),
    ],
)
async def test_an_address_is_kept_as_far_as_it_goes(
    settings: Settings, api: httpx.AsyncClient, address: str, expected: str | None
) -> None:
    await told(settings, {"worker": "w"}, address=address)
    assert (await worker(api, "w"))["address"] == expected


async def test_who_was_not_seen_for_a_day_is_forgotten(
    settings: Settings,
    api: httpx.AsyncClient,
    engine: Engine,
    resources: Resources,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweeping, "UNUSED_BATCH", 3)
    await told(settings, *({"worker": f"gone-{n}"} for n in range(10)))
    elapse(engine, 3600)
    await told(settings, {"worker": "quiet"})
    elapse(engine, 23 * 3600 - 60)
    await sweeping.delete_unused(resources)
    assert len(await workers(api)) == 11
    elapse(engine, 61)
    await sweeping.delete_unused(resources)
    assert await names(api) == ["quiet"]


async def test_the_last_poll_of_a_queue(
    settings: Settings, api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    async def last(queue: str) -> Any:
        return await resources.database.read(lambda c: last_poll(c, queue))

    assert await last("a") is None
    await told(settings, {"worker": "v", "queues": ["a", "b"]})
    elapse(engine, 100)
    await told(settings, {"worker": "w", "queues": ["b", "a.b"]})
    seen = {f["worker"]: moment(f["last_seen_at"]) for f in await workers(api)}
    assert [await last(queue) for queue in ("a", "b", "a.b", "c")] == [
        *(seen["v"], seen["w"], seen["w"], None),
    ]
    await told(settings, {"worker": "any"})
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE workers SET queues = NULL WHERE worker = 'any'")
    assert await last("c") == moment((await worker(api, "any"))["last_seen_at"])
