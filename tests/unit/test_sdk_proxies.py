"""Proxies that the environment names: never for this machine, and only those that speak HTTP."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from rowlock import AsyncClient, Client, Worker
from rowlock.http.proxies import proxy_for
from rowlock.http.url import parse_url
from rowlock.models import Lease
from rowlock.worker.forward import Forward
from tests.acceptance.commands import run
from tests.support.sdk import A_LEASE, an_attempt

FAR = "http://rowlock.example:8000"
SOCKS = "socks5://user:secret@127.0.0.1:1080"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@asynccontextmanager
async def answering(body: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers everything with this JSON, its address, and what it was asked."""
    asked = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        while await reader.readline() != b"\r\n":
            pass
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        writer.write(head + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def call(kind: str, url: str) -> None:
    if kind == "blocking":
        with Client(url) as client:
            await asyncio.to_thread(client.tags)
    elif kind == "asyncio":
        async with AsyncClient(url) as client:
            await client.tags()
    elif kind == "worker":
        worker = Worker(url=url)
        worker.handler(lambda task, attempt: None)
        await worker.run_async(drain=True)
    else:
        lease = Lease.model_validate(A_LEASE)
        async with Forward(url) as forward:
            await forward(lease.task, an_attempt(lease=lease))


KINDS = ("blocking", "asyncio", "worker", "forward")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_this_machine_is_never_reached_by_a_proxy(
    monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    async with answering(b"[]") as (proxy, by_proxy), answering(b"[]") as (server, asked):
        monkeypatch.setenv(name, SOCKS if name == "ALL_PROXY" else proxy)
        await call(kind, server)
        assert asked
        assert not by_proxy


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_another_machine_is(monkeypatch: pytest.MonkeyPatch, kind: str, name: str) -> None:
    async with answering(b"[]") as (proxy, asked):
        monkeypatch.setenv(name, proxy.removeprefix("http://") if name == "ALL_PROXY" else proxy)
        await call(kind, FAR)
        assert b" http://rowlock.example:8000" in asked[0]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: Client(FAR),
        lambda: AsyncClient(FAR),
        lambda: Worker(url=FAR),
        lambda: Forward(FAR),
    ],
)
def test_what_does_not_speak_http_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], object], name: str
) -> None:
    monkeypatch.setenv(name, SOCKS)
    with pytest.raises(ValueError, match=rf"^{name} names a proxy that does not speak") as refused:
        make()
    assert "NO_PROXY" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_the_command_line_says_so() -> None:
    environment = os.environ | {"ALL_PROXY": SOCKS}
    for command in (["list"], ["worker", "--exec", "true"]):
        ran = run(environment, command[0], "--url", FAR, *command[1:], code=2)
        assert ran.stderr.startswith(
            "rowlock: ALL_PROXY names a proxy that does not speak plain HTTP"
        )


@pytest.mark.parametrize("proxy", ["http://", "http://a:port", "ftp://a"])
def test_what_is_no_proxy_is_refused(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    with pytest.raises(ValueError, match=r"^HTTP_PROXY "):
        Client(FAR)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.255.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"),
        *("localhost", "LOCALHOST", "localhost.", "api.localhost"),
    ],
)
def test_this_machine_has_many_names(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example:3128")
    assert proxy_for(parse_url(f"http://{host}:8000")) is None


@pytest.mark.parametrize("host", ["192.0.2.7", "[2001:db8::1]", "localhost.example", "a-localhost"])
def test_others_are_not_it(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert str(proxy_for(parse_url(f"https://{host}"))) == "http://proxy.example:3128"
    assert proxy_for(parse_url(f"http://{host}")) is None
    monkeypatch.setenv("NO_PROXY", f"other.example,{host.strip('[]')}")
    assert proxy_for(parse_url(f"https://{host}")) is None
