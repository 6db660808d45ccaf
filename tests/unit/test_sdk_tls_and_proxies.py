"""The SDK's connections by way of proxies, and over TLS by an authority of one's own."""

import asyncio
import ssl
from pathlib import Path

import pytest

from rowlock import AsyncClient, Client, UnreachableError
from tests.support.certificate import make_certificate
from tests.support.listener import EMPTY, KINDS, listening
from tests.support.sdk import Face

PROXY_HEADER = b"proxy-authorization: basic dxnlcjpzzwnyzxq="  # user:secret, in lower case


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's, by an authority that only `SSL_CERT_FILE` names."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make_certificate(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


@KINDS
async def test_a_server_with_a_certificate_of_its_own_authority_is_trusted_by_its_file(
    kind: type[Client | AsyncClient], tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(tls=tls) as (port, listener):
        url = f"https://127.0.0.1:{port}"
        client = Face(kind(url))
        assert await client.tags() == []
        assert await client.tags() == []
        assert listener.connections == 1
        await client.close()
        monkeypatch.delenv("SSL_CERT_FILE")
        stranger = Face(kind(url, retry_seconds=0))
        with pytest.raises(UnreachableError, match=r"(?i)certificate") as error:
            await stranger.tags()
        assert not error.value.may_have_happened
        await stranger.close()


@KINDS
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_with_a_password_leads_to_the_server(
    kind: type[Client | AsyncClient],
    tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
) -> None:
    """The server has a name that only the proxy knows, to which the certificate is bound."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not proxy.heads[-1].startswith(b"connect "):
            writer.write(EMPTY)
            return
        their_reader, their_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        async with asyncio.TaskGroup() as group:
            group.create_task(pump(reader, their_writer))
            group.create_task(pump(their_reader, writer))

    monkeypatch.setattr("rowlock.http.proxies._is_this_machine", lambda _: False)
    async with listening(tls=tls) as (port, server), listening(carry) as (at, proxy):
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"http://user:secret@127.0.0.1:{at}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        client = Face(kind(f"{scheme}://127.0.0.1:{port}", "a-token"))
        assert await client.tags() == []
        assert await client.tags() == []
        await client.close()
    assert PROXY_HEADER in proxy.heads[0]
    if scheme == "http":
        assert proxy.heads[0].startswith(b"get http://127.0.0.1:%d/tags " % port)
        assert b"authorization: bearer a-token" in proxy.heads[0]
    else:
        assert proxy.heads[0].startswith(b"connect 127.0.0.1:%d " % port)
        assert b"a-token" not in b"".join(proxy.heads)
        assert len(server.heads) == 2
        assert b"proxy-authorization" not in b"".join(server.heads)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()
    writer.close()


@KINDS
async def test_an_error_names_the_server_and_the_proxy_and_no_password(
    kind: type[Client | AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening() as (port, _):
        pass
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://user:secret@127.0.0.1:{port}")
    client = Face(kind("http://rowlock.example", retry_seconds=0))
    with pytest.raises(UnreachableError) as error:
        await client.tags()
    assert "http://rowlock.example/tags" in str(error.value)
    assert f"by the proxy http://127.0.0.1:{port}" in str(error.value)
    assert "secret" not in str(error.value)
    assert not error.value.may_have_happened
    await client.close()


@KINDS
async def test_a_proxy_that_refuses_is_named_without_its_password(
    kind: type[Client | AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with listening(refuse) as (port, proxy):
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{port}")
        client = Face(kind("https://rowlock.example", retry_seconds=0))
        with pytest.raises(UnreachableError, match="407") as error:
            await client.tags()
        await client.close()
    assert PROXY_HEADER in proxy.heads[0]
    causes: list[BaseException | None] = [error.value]
    while (cause := causes[-1]) is not None:
        assert "secret" not in str(cause)
        causes.append(cause.__cause__)
