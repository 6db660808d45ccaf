"""The register by the SDK: both clients, and how programs of the SDK name themselves."""

import re
import socket
from datetime import UTC

import httpx
import pytest
from sqlalchemy import Engine

import rowlock
from app.settings import Settings
from rowlock import NotFoundError
from rowlock.http import agent
from tests.conftest import serving
from tests.support.calls import claim_one, submit
from tests.support.elapse import elapse
from tests.support.sdk import Face, Through, a_worker
from tests.support.workers import told, worker

pytest_plugins = ["tests.support.sdk_clients"]


async def test_workers_are_listed_and_looked_up(
    client: Face, api: httpx.AsyncClient, settings: Settings, engine: Engine
) -> None:
    await told(settings, {"worker": "old", "queues": ["b"]})
    elapse(engine, 1000)
    await told(settings, {"worker": "a/b 名", "queues": ["b", "a"]}, agent="mine/1")
    task = await submit(api, queue="a", title="resize")
    lease = await claim_one(api, worker="busy", queues=["a"])

    found = await client.admin.workers()

    assert [each.worker for each in found] == ["a/b 名", "busy", "old"]
    assert [each.state for each in found] == ["polling", "running", "silent"]
    assert (found[0].agent, found[0].queues, found[0].address) == ("mine/1", ["a", "b"], "::1")
    assert found[0].last_seen_at.tzinfo == UTC
    assert [w.worker for w in await client.admin.workers("b", seen_within_seconds=60)] == ["a/b 名"]
    assert [w.worker for w in await client.admin.workers("a", "c")] == ["a/b 名", "busy"]

    assert (await client.admin.worker("a/b 名")).leases == []
    busy = await client.admin.worker("busy")
    assert (busy.running, busy.oldest_started_at) == (1, busy.leases[0].started_at)
    (held,) = busy.leases
    assert (held.task_id, held.title, held.queue, held.attempt) == (task["id"], "resize", "a", 1)
    assert held.deadline.isoformat() == lease["deadline"].replace("Z", "+00:00")
    with pytest.raises(NotFoundError):
        await client.admin.worker("none")


async def test_more_than_a_page_is_walked_through(client: Face, settings: Settings) -> None:
    await told(settings, *({"worker": f"w{n:03}"} for n in range(201)))
    found = await client.admin.workers()
    assert [each.worker for each in found] == [f"w{n:03}" for n in range(201)]


async def test_a_program_of_the_sdk_says_what_it_is_and_where(
    settings: Settings, api: httpx.AsyncClient
) -> None:
    async with serving(settings) as other:
        own = a_worker(Through(other), name="w")
        own.handler(lambda task, attempt: None)
        await own.run_async(drain=True)
    found = await worker(api, "w")
    assert found["agent"] == f"rowlock-python/{rowlock.__version__} ({socket.gethostname()})"


@pytest.mark.parametrize("host", ["a(b)\\c d", "é\r\nX-Evil: 1", "\x00", "🚀", "host.example"])
def test_a_machine_may_have_any_name(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    agent.user_agent.cache_clear()
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    try:
        assert re.fullmatch(r"rowlock-python/\S+ \([!-~]+\)", agent.user_agent())
        assert host != "host.example" or f"({host})" in agent.user_agent()
    finally:
        agent.user_agent.cache_clear()
