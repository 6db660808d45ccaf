"""Forwarding, against real listeners that answer well, badly, or not at all."""

import asyncio
import gzip
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from rowlock import Permanent, Retry, Task
from rowlock.encoding import JSON_LIMIT_BYTES, encode
from rowlock.worker.forward import Forward
from tests.support.sdk import A_TASK, an_attempt

NOW = 1_800_000_000.0


class Service:
    """Says the same bytes to whoever asks; keeps what it was asked."""

    def __init__(self, answer: bytes | None, answers: int) -> None:
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.url = ""
        self._answer = answer
        self._answers = answers

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for _ in range(self._answers):
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                length = next(
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                )
                self.bodies.append(await reader.readexactly(length))
                if self._answer is None:
                    break
                writer.write(self._answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def a_service(answer: bytes | None, *, answers: int = 2) -> AsyncIterator[Service]:
    """One that hangs up after so many answers."""
    service = Service(answer, answers)
    server = await asyncio.start_server(service.answer, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    service.url = f"http://127.0.0.1:{port}/tasks?a=b"
    yield service
    server.close()
    await server.wait_closed()


def says(status: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def forward(url: str, key: str | None = None, **task: Any) -> Any:
    attempt = an_attempt()
    async with Forward(url, signing_key=key, clock=lambda: NOW) as handler:
        return await handler(Task.model_validate(A_TASK | task), attempt)


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (says(200, b'{"a": 1}'), {"a": 1}),
        (says(201, "完成".encode()), "完成"),
        (says(202), None),
        (b"HTTP/1.1 204 No Content\r\n\r\n", None),
        (says(200, gzip.compress(b'"small"', mtime=0), Content_Encoding="gzip"), "small"),
    ],
)
async def test_2xx_is_done_with_the_body_as_result(answer: bytes, result: Any) -> None:
    async with a_service(answer) as service:
        assert await forward(service.url) == result


async def test_an_endless_body_is_cut_and_hung_up_on() -> None:
    answer = says(200, b"x" * 10_000_000)
    async with a_service(answer) as service:
        result = await forward(service.url)

    assert result.endswith(" … [cut]")
    assert len(encode(result)) <= JSON_LIMIT_BYTES


async def test_the_task_is_posted_with_its_headers_and_a_signature() -> None:
    async with a_service(says(200)) as service:
        await forward(service.url, "the key", title="高 a\r\nX-Evil: 1")

    (head,), (body,) = service.heads, service.bodies
    assert json.loads(body)["title"] == "高 a\r\nX-Evil: 1"
    lines = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:-2])
    assert head.startswith(b"POST /tasks?a=b HTTP/1.1\r\n")
    assert lines[b"content-type"] == b"application/json"
    assert lines[b"rowlock-task-id"] == b"7"
    assert lines[b"rowlock-attempt"] == b"1"
    assert lines[b"rowlock-queue"] == b"default"
    assert lines[b"rowlock-title"] == b"%e9%ab%98%20a%0d%0ax-evil%3a%201"
    assert lines[b"idempotency-key"] == b"rowlock-7-1"
    timestamp = lines[b"rowlock-timestamp"]
    assert timestamp == b"1800000000"
    signed = hmac.new(b"the key", timestamp + b"." + body, hashlib.sha256).hexdigest()
    assert lines[b"rowlock-signature"] == f"v1={signed}".encode()


async def test_without_a_key_nothing_is_signed() -> None:
    async with a_service(says(200)) as service:
        await forward(service.url)

    assert b"signature" not in service.heads[0].lower()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 599])
async def test_not_now_is_tried_again(status: int) -> None:
    async with a_service(says(status, b"the reason")) as service:
        with pytest.raises(Retry) as raised:
            await forward(service.url)

    shown = service.url.removesuffix("?a=b")
    assert str(raised.value) == f"{shown} answered {status}: the reason"
    assert raised.value.after_seconds is None


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [
        ("7", 7.0),
        (format_datetime(datetime.fromtimestamp(NOW, UTC) + timedelta(minutes=2), True), 120.0),
        (format_datetime(datetime.fromtimestamp(NOW, UTC) - timedelta(minutes=2), True), 0.0),
        ("soon", None),
        ("9" * 400, 999_999_999.0),
        ("Fri, 15 Jan 99999 08:02:00 GMT", None),
    ],
)
async def test_the_wish_to_be_left_alone_for_a_while_is_honoured(
    wish: str, seconds: float | None
) -> None:
    async with a_service(says(429, Retry_After=wish)) as service:
        with pytest.raises(Retry) as raised:
            await forward(service.url)

    assert raised.value.after_seconds == seconds


@pytest.mark.parametrize("status", [400, 401, 404, 409, 410, 413, 422])
async def test_a_refusal_is_failed_for_good(status: int) -> None:
    async with a_service(says(status, b"no such thing")) as service:
        with pytest.raises(Permanent, match=f"answered {status}: no such thing"):
            await forward(service.url)


async def test_a_redirect_is_not_followed() -> None:
    async with (
        a_service(says(200)) as other,
        a_service(says(307, Location=other.url)) as service,
    ):
        with pytest.raises(Retry, match=r"redirect to .*, not followed"):
            await forward(service.url)

    assert other.heads == []


@pytest.mark.parametrize(
    "answer",
    [b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b"\0" * 100, None],
    ids=["garbage", "cut short", "zeros", "hangs up"],
)
async def test_what_is_no_answer_is_tried_again(answer: bytes | None) -> None:
    async with a_service(answer, answers=1) as service:
        with pytest.raises(Retry, match=r"http://127\.0\.0\.1"):
            await forward(service.url)


async def test_a_redirect_that_leads_nowhere_is_tried_again() -> None:
    async with a_service(says(304)) as service:
        with pytest.raises(Retry, match="answered 304"):
            await forward(service.url)


async def test_secrets_in_the_url_are_not_shown_to_everybody() -> None:
    async with a_service(says(500)) as service:
        with pytest.raises(Retry) as raised:
            await forward(service.url.replace("//", "//user:secret@") + "&token=secret")

    assert "answered 500" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert b"token=secret" in service.heads[0]


async def test_nobody_there_is_tried_again() -> None:
    async with a_service(None) as service:
        pass
    with pytest.raises(Retry, match=r"http://127\.0\.0\.1"):
        await forward(service.url)


@pytest.mark.parametrize("url", ["foo", "ftp://a/b", "http://"])
def test_what_is_no_url_is_said_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="is not a URL"):
        Forward(url)


def test_an_empty_key_is_refused_rather_than_left_out() -> None:
    with pytest.raises(ValueError, match="signing key is empty"):
        Forward("http://127.0.0.1", signing_key="")
