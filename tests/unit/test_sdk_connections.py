"""The SDK's connections, against listeners that answer slowly, oddly, or not at all."""

import asyncio

import pytest

from rowlock import (
    AsyncClient,
    Client,
    InvalidRequestError,
    UnreachableError,
    WaitTimeoutError,
)
from tests.support.listener import EMPTY, KINDS, Talk, listening
from tests.support.sdk import Face


async def say_nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never at rest for long enough to time out by the byte."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


@KINDS
@pytest.mark.parametrize("talk", [say_nothing, drip])
async def test_a_call_ends_in_time_whatever_the_server_does(
    kind: type[Client | AsyncClient], talk: Talk
) -> None:
    async with listening(talk) as (port, _), asyncio.timeout(20):
        client = Face(kind(f"http://127.0.0.1:{port}", timeout_seconds=0.4, retry_seconds=1))
        with pytest.raises(UnreachableError, match="no answer in time") as error:
            await client.tags()
        assert error.value.may_have_happened
        with pytest.raises(WaitTimeoutError, match="task 7 is not known to have ended") as late:
            await client.wait(7, timeout_seconds=0.5)
        assert late.value.task is None
        await client.close()


@KINDS
async def test_a_wait_ends_in_time_without_a_server(kind: type[Client | AsyncClient]) -> None:
    async with listening() as (port, _):
        pass
    async with asyncio.timeout(20):
        client = Face(kind(f"http://127.0.0.1:{port}"))
        with pytest.raises(WaitTimeoutError):
            await client.wait(7, timeout_seconds=0.5)
        await client.close()


@KINDS
async def test_a_connection_is_used_again_until_the_server_closes_it(
    kind: type[Client | AsyncClient],
) -> None:
    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(EMPTY)
        await writer.drain()
        if listener.heads[-1].startswith(b"get /stats"):
            writer.close()
            await writer.wait_closed()
            is_closed.set()

    is_closed = asyncio.Event()
    async with listening(answer_once) as (port, listener):
        client = Face(kind(f"http://127.0.0.1:{port}", retry_seconds=0))
        await client.tags()
        await client.tags()
        assert listener.connections == 1
        with pytest.raises(Exception, match="not by a Rowlock server"):
            await client.stats()
        await is_closed.wait()
        # Noticed before anything is sent: not even a call that may not be repeated fails.
        await client.admin.queues()
        assert listener.connections == 2
        await client.close()


@KINDS
@pytest.mark.parametrize("token", [" secret\n", "schlüssel 密"])
async def test_a_token_is_sent_as_its_bytes(kind: type[Client | AsyncClient], token: str) -> None:
    async with listening() as (port, listener):
        client = Face(kind(f"http://127.0.0.1:{port}", token))
        await client.tags()
        await client.close()
    assert b"authorization: bearer " + token.strip().encode().lower() in listener.heads[0]


@KINDS
async def test_a_body_of_any_size_arrives(kind: type[Client | AsyncClient]) -> None:
    sizes: list[int] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = listener.heads[-1]
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        sizes.append(len(await reader.readexactly(length)))
        writer.write(EMPTY)

    async with listening(take) as (port, listener):
        client = Face(kind(f"http://127.0.0.1:{port}"))
        for size in (10, 300_000, 3_000_000):
            await client.submit_batch([{"title": "t", "description": "d" * size}])
        await client.close()
    assert [size // 100_000 for size in sizes] == [0, 3, 30]


@KINDS
async def test_what_announces_an_answer_is_not_taken_for_it(
    kind: type[Client | AsyncClient],
) -> None:
    async def answer_late(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for status in (b"100 Continue", b"103 Early Hints"):
            writer.write(b"HTTP/1.1 " + status + b"\r\nLink: </x>; rel=preload\r\n\r\n")
            await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(EMPTY)

    async with listening(answer_late) as (port, listener):
        client = Face(kind(f"http://127.0.0.1:{port}", retry_seconds=0))
        assert await client.tags() == []
        assert await client.tags() == []
        assert listener.connections == 1
        await client.close()


@KINDS
async def test_a_try_that_begins_too_late_ends_at_once(kind: type[Client | AsyncClient]) -> None:
    async with listening(say_nothing) as (port, _), asyncio.timeout(20):
        client = Face(kind(f"http://127.0.0.1:{port}", timeout_seconds=0, retry_seconds=0))
        with pytest.raises(UnreachableError, match="in time"):
            await client.tags()
        await client.close()


@KINDS
async def test_a_submit_that_waited_for_others_has_no_more_time_than_they(
    kind: type[Client | AsyncClient],
) -> None:
    async def late() -> float:
        began = asyncio.get_running_loop().time()
        with pytest.raises(UnreachableError):
            await client.submit("late")
        return asyncio.get_running_loop().time() - began

    async with listening(say_nothing) as (port, _), asyncio.timeout(20):
        client = Face(kind(f"http://127.0.0.1:{port}", timeout_seconds=2, retry_seconds=2))
        first = [asyncio.ensure_future(client.submit(f"first {n}")) for n in range(2)]
        await asyncio.sleep(0.3)
        # Two go as the first give up, shortly before their own end.
        took = await asyncio.gather(late(), late(), late())
        assert max(took) < 3, took
        await asyncio.gather(*first, return_exceptions=True)
        await client.close()


async def test_a_submit_after_the_end_says_that_the_client_is_closed() -> None:
    async with listening() as (port, _):
        client = AsyncClient(f"http://127.0.0.1:{port}")
        await client.tags()
        await client.close()
        with pytest.raises(RuntimeError, match="closed"):
            await client.submit("late")


async def test_connections_of_a_busier_time_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    readers: list[asyncio.StreamReader] = []
    all_there = asyncio.Barrier(5)
    monkeypatch.setattr("rowlock.http.blocking.KEEP_ALIVE_SECONDS", 0.5)

    async def answer_together(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(readers) < 5:
            readers.append(reader)
            await all_there.wait()
        writer.write(EMPTY)

    async with listening(answer_together) as (port, listener), asyncio.timeout(20):
        client = Face(Client(f"http://127.0.0.1:{port}"))
        await asyncio.gather(*(client.tags() for _ in range(5)))
        assert listener.connections == 5
        # Who is left goes on over one of them.
        while sum(reader.at_eof() for reader in readers) < 4:
            await client.tags()
        await client.close()


@KINDS
async def test_a_refusal_before_all_was_read_is_final(kind: type[Client | AsyncClient]) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.write_eof()
        await reader.read(1_000_000)
        writer.close()

    async with listening(refuse) as (port, listener), asyncio.timeout(20):
        client = Face(kind(f"http://127.0.0.1:{port}", timeout_seconds=5, retry_seconds=5))
        with pytest.raises(InvalidRequestError, match="413"):
            await client.submit("large", description="d" * 30_000_000)
        with pytest.raises(InvalidRequestError, match="413"):
            await client.submit("large", description="d" * 30_000_000)
        assert listener.connections == 2
        await client.close()


async def test_a_longer_time_is_kept_to_the_moment() -> None:
    async def late(after_seconds: float) -> float:
        await asyncio.sleep(after_seconds)
        began = asyncio.get_running_loop().time()
        with pytest.raises(UnreachableError, match="no answer in time"):
            await client.tags()
        return asyncio.get_running_loop().time() - began

    async with listening(say_nothing) as (port, _):
        client = AsyncClient(f"http://127.0.0.1:{port}", timeout_seconds=5.01, retry_seconds=0)
        took = await asyncio.gather(late(0), late(0.33), late(0.66))
        assert max(took) < 5.3, took
        await client.close()


async def test_any_number_of_waits_keeps_no_other_call_waiting() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if listener.heads[-1].startswith(b"get /tasks/"):
            await reader.read()
        writer.write(EMPTY)

    async with listening(answer) as (port, listener), asyncio.timeout(20):
        client = AsyncClient(f"http://127.0.0.1:{port}", timeout_seconds=2, retry_seconds=0)
        waits = [asyncio.ensure_future(client.wait(7)) for _ in range(120)]
        while listener.connections < len(waits):
            assert await client.tags() == []
        for each in waits:
            each.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        await client.close()
