"""How a connection answers, and when it ends, by RFC 9112 and 9110."""

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from tests.support.served import answer, answers_to, process, split, tells, told

GET = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"


async def in_parts(scope: Scope, receive: Receive, send: Send) -> None:
    """An answer whose length is not known at its beginning."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for part in (b"hello", b"", b" world"):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body"})


async def reads_nothing(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, b"no", 401)


async def test_a_refusal_of_head_is_a_head() -> None:
    sent = b"HEAD /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    received = await answers_to(tells, sent)
    assert received.startswith(b"HTTP/1.1 414 ")
    assert received.endswith(b"\r\n\r\n")


async def test_requests_are_answered_in_their_order() -> None:
    sent = b"".join(GET % number for number in range(5))
    answers = told(await answers_to(tells, sent + b"GET /5 HTTP/1.0\r\n\r\n"))
    assert [one["path"] for one in answers] == [f"/{number}" for number in range(6)]


@pytest.mark.parametrize(
    "last",
    [
        b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: x, Close\r\n\r\n",
        b"GET /last HTTP/1.0\r\n\r\n",
        b"GET /last HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    ],
)
async def test_who_says_that_it_is_the_last_gets_no_more(last: bytes) -> None:
    answers = split(await answers_to(tells, GET % 1 + last + GET % 2))
    assert [headers.get("connection") for _, headers, _ in answers] == [None, "close"]


async def test_an_answer_of_unknown_length_is_sent_in_chunks() -> None:
    sent = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    head, _, body = (await answers_to(in_parts, sent)).partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    assert body == b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"


async def test_but_to_an_older_caller_to_the_end_of_the_connection() -> None:
    head, _, body = (await answers_to(in_parts, b"GET / HTTP/1.0\r\n\r\n")).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert b"connection: close" in head
    assert body == b"hello world"


@pytest.mark.parametrize("application", [tells, in_parts])
async def test_of_an_answer_to_head_only_the_head_is_sent(application: object) -> None:
    sent = b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    head, _, body = (await answers_to(application, sent)).partition(b"\r\n\r\n")  # type: ignore[arg-type]
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert (b"content-length: " in head) is (application is tells)
    assert body == b""


async def test_who_waits_to_be_asked_for_a_body_is_asked_once_it_is_wanted() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n"
    async with process(tells) as (_, connect):
        reader, writer = await connect()
        writer.write(head)
        assert await reader.readexactly(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hello" + b"GET / HTTP/1.0\r\n\r\n")
        assert [one["body"] for one in told(await reader.read())] == ["hello", ""]


async def test_and_is_answered_at_once_if_it_is_not() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    ((status, headers, body),) = split(await answers_to(reads_nothing, head))
    assert (status, headers["connection"], body) == (401, "close", b"no")


@pytest.mark.parametrize(
    "sent",
    [
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"
        b"Connection: close\r\n\r\nhello",
        b"POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: tea\r\n"
        b"Connection: close\r\n\r\nhello",
    ],
)
async def test_nobody_is_asked_who_need_not_be(sent: bytes) -> None:
    assert (await answers_to(tells, sent)).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_who_is_answered_before_all_was_sent_can_read_that() -> None:
    """Closed at once, the connection would be reset by what still comes, and the answer lost."""
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n"
    async with process(reads_nothing) as (_, connect):
        reader, writer = await connect()
        writer.write(head + b"x" * 1_000_000)
        ((status, headers, _),) = split(await reader.read())
        assert (status, headers["connection"]) == (401, "close")


async def test_a_process_that_stops_answers_what_is_arriving_and_no_more() -> None:
    begin = b"POST /arriving HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel"
    arrives = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        arrives.set()
        await tells(scope, receive, send)

    async with process(application) as (serving, connect):
        reader, writer = await connect()
        writer.write(begin)
        await arrives.wait()
        serving.last.shutdown()
        writer.write(b"lo" + GET % 1 * 36)
        ((status, headers, body),) = split(await reader.read())
        assert (status, headers["connection"]) == (200, "close")
        assert b'"hello"' in body


async def test_a_process_that_stops_closes_who_says_nothing() -> None:
    async with process(tells) as (serving, connect):
        silent, _ = await connect()
        serving.last.shutdown()
        assert await silent.read() == b""
        reader, writer = await connect()
        writer.write(GET % 1)
        assert await reader.readuntil(b"}")
        serving.last.shutdown()
        assert await reader.read() == b""


async def test_a_process_that_stops_answers_who_waits() -> None:
    may_answer, asked = asyncio.Event(), asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        asked.set()
        await may_answer.wait()
        await tells(scope, receive, send)

    async with process(application) as (serving, connect):
        reader, writer = await connect()
        writer.write(GET % 1 + GET % 2)
        await asked.wait()
        serving.last.shutdown()
        may_answer.set()
        answers = split(await reader.read())
        assert [headers.get("connection") for _, headers, _ in answers] == [None, "close"]


async def test_an_application_that_fails_is_answered_for() -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("of the test's own")

    ((status, headers, _),) = split(await answers_to(fails, GET % 1))
    assert (status, headers["connection"]) == (500, "close")


@pytest.mark.parametrize(
    "headers", [[(b"x-a", b"b\r\nx-c: d")], [(b"x-a", b"b\nc")], [(b"x\ra", b"b")]]
)
async def test_no_header_of_an_answer_is_two(headers: list[tuple[bytes, bytes]]) -> None:
    async def splits(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"x"})

    assert (await answers_to(splits, GET % 1)).startswith(b"HTTP/1.1 500 ")


@pytest.mark.parametrize("said", [b"4", b"6"])
async def test_no_answer_is_shorter_or_longer_than_it_says(said: bytes) -> None:
    async def lies(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", said)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"hello"})

    assert (await answers_to(lies, GET % 1)).startswith(b"HTTP/1.1 500 ")
