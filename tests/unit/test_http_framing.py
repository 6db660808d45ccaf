"""Where a request ends: nothing in it is skipped, or taken for what it is not."""

from http import HTTPStatus

import pytest

from app.api.answers import Problem
from app.http.exchange import State
from app.http.request_parser import HEAD_LIMIT_BYTES
from tests.support.calls import PROBLEM
from tests.support.served import answers_to, process, split, tells, told

HOST = b"Host: x\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
FOR_ANOTHER_PROTOCOL = [
    H2C,
    b"Upgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\nConnection: Upgrade, HTTP2-Settings\r\n",
    b"Connection: upgrade\r\nUpgrade: websocket\r\n",
    b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
    b"Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n",
    b"Connection: Upgrade\r\n",
    b"Upgrade: h2c\r\n",
]
AS_CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
WHOLE = b"Content-Length: 11\r\n\r\nhello world"


@pytest.mark.parametrize("body", [WHOLE, AS_CHUNKS])
@pytest.mark.parametrize("headers", FOR_ANOTHER_PROTOCOL)
@pytest.mark.parametrize("method", [b"POST", b"PATCH", b"GET", b"DELETE"])
async def test_a_request_that_would_rather_speak_another_protocol_is_answered_in_this_one(
    method: bytes, headers: bytes, body: bytes
) -> None:
    sent = method + b" /one HTTP/1.1\r\n" + HOST + headers + body
    assert [(one["path"], one["body"]) for one in told(await answers_to(tells, sent + LAST))] == [
        ("/one", "hello world"),
        ("/last", ""),
    ]


@pytest.mark.parametrize("headers", FOR_ANOTHER_PROTOCOL)
async def test_without_a_body_too(headers: bytes) -> None:
    sent = (b"GET /one HTTP/1.1\r\n" + HOST + headers + b"\r\n") * 3 + LAST
    assert [one["path"] for one in told(await answers_to(tells, sent))] == ["/one"] * 3 + ["/last"]


async def test_however_it_is_cut_on_the_way() -> None:
    sent = b"POST /one HTTP/1.1\r\n" + HOST + H2C + AS_CHUNKS + LAST
    for at in range(1, len(sent)):
        async with process(tells) as (serving, connect):
            reader, _ = await connect()
            # Past the sockets, which might put it together again.
            serving.last.data_received(sent[:at])
            serving.last.data_received(sent[at:])
            bodies = [one["body"] for one in told(await reader.read())]
        assert bodies == ["hello world", ""], f"cut at {at}"


async def test_what_stands_behind_a_body_is_no_header() -> None:
    chunked = b"Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n2\r\nhi\r\n0\r\n"
    sent = b"POST / HTTP/1.1\r\n" + HOST + chunked + b"Authorization: Bearer x\r\nX-A: b\r\n\r\n"
    first, last = told(await answers_to(tells, sent + LAST))
    assert first["body"] == "hi"
    assert [name for name, _ in first["headers"]] == ["host", "transfer-encoding", "trailer"]
    assert [name for name, _ in last["headers"]] == ["host", "connection"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"0" * 5000 + b"2\r\n\r\nhi", 400),
        (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX A: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-A : b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\nX-A: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX-A: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        (b"GET / HTTP/0.9\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        (b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", 501),
        (b"GET /" + b"%41" * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        *(
            (b"POST / HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n0\r\n\r\n" % headers, status)
            for headers, status in [
                (b"Content-Length: -1", 400),
                (b"Content-Length: +5", 400),
                (b"Content-Length: 0x5", 400),
                (b"Content-Length: 5 5", 400),
                (b"Content-Length: 5, 5", 400),
                (b"Content-Length:", 400),
                (b"Content-Length: 99999999999999999999999", 400),
                (b"Content-Length: 5\r\nContent-Length: 5", 400),
                (b"Content-Length: 5\r\nContent-Length: 6", 400),
                (b"Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
                (b"Transfer-Encoding: chunked\r\nContent-Length: 5", 400),
                (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
                (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", 400),
                (b"Transfer-Encoding: gzip, chunked", 501),
                (b"Transfer-Encoding: chunked, chunked", 400),
                (b"Transfer-Encoding: chunked, identity", 400),
                (b"Transfer-Encoding: identity", 501),
                (b"Transfer-Encoding: xchunked", 501),
                (b"Transfer-Encoding: chunked;q=1", 501),
                (b"Transfer-Encoding:", 400),
                (b"Transfer-Encoding: \x0bchunked", 400),
                (b"Transfer-Encoding : chunked", 400),
            ]
        ),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\nhi\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\nhi\n0\n\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhim\r\n", 400),
    ],
)
async def test_what_could_be_understood_in_two_ways_is_refused_with_a_problem(
    sent: bytes, status: int
) -> None:
    ((answered, headers, body),) = split(await answers_to(tells, sent + b"GET / HTTP/1.1\r\n"))
    assert answered == status
    assert headers["content-type"] == PROBLEM
    assert headers["connection"] == "close"
    assert headers["content-length"] == str(len(body))
    assert Problem.model_validate_json(body).title == HTTPStatus(status).phrase


async def test_what_comes_before_it_is_answered_all_the_same() -> None:
    one = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"
    answers = split(await answers_to(tells, one % 1 + one % 2 + b"hello\r\n" + one % 3))
    assert [status for status, _, _ in answers] == [200, 200, 400]


@pytest.mark.parametrize(
    "transfer", [b"Transfer-Encoding: Chunked", b"Transfer-Encoding: CHUNKED "]
)
async def test_chunks_are_chunks_however_they_are_spelled(transfer: bytes) -> None:
    sent = b"POST / HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n2;a=b\r\nhi\r\n0\r\n\r\n" % transfer
    assert [one["body"] for one in told(await answers_to(tells, sent + LAST))] == ["hi", ""]


@pytest.mark.parametrize(
    "endless",
    [
        b"GET / HTTP/1.1\r\nX-Long: ",
        b"GET /",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Long: ",
    ],
)
async def test_what_has_no_end_is_given_one(endless: bytes) -> None:
    """Also of what stands behind a body."""
    async with process(tells) as (serving, connect):
        reader, writer = await connect()
        writer.write(endless)
        sent = 0
        part = b"x" * 10_000
        try:
            while serving.last.state is not State.LINGERING:
                writer.write(part)
                await writer.drain()
                sent += len(part)
                assert sent < 100 * HEAD_LIMIT_BYTES
        except ConnectionError:
            pass
        assert (await reader.read()).startswith(b"HTTP/1.1 431 ")


async def test_the_address_says_where_to_if_it_is_a_whole_one() -> None:
    sent = b"GET http://a@evil.example:1/x?y=z HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    (one,) = told(await answers_to(tells, sent))
    assert (one["path"], one["query"]) == ("/x", "y=z")
    assert [value for name, value in one["headers"] if name == "host"] == ["evil.example:1"]


async def test_space_around_a_value_is_not_of_it() -> None:
    sent = b"GET / HTTP/1.1\r\nHost: x\r\nX-A: \t a b \t \r\nConnection: close\r\n\r\n"
    (one,) = told(await answers_to(tells, sent))
    assert dict(one["headers"])["x-a"] == "a b"
