"""A handler that gives each task to a web service."""

import hashlib
import hmac
import time
import zlib
from collections.abc import Callable
from typing import Any, Final, Self
from urllib.parse import quote

import httpx

from rowlock.encoding import JSON_LIMIT_BYTES, encode
from rowlock.http import retry_after
from rowlock.http.proxies import proxy_for
from rowlock.http.target import shown
from rowlock.models import Task
from rowlock.worker.attempt import Permanent, Retry, RunningAttempt
from rowlock.worker.output import result_of, text_of

CONNECT_SECONDS: Final = 10.0
# Shorter than the 5 s after which most servers close: a connection is not used as they do.
KEEP_ALIVE_SECONDS: Final = 4.0
_SHOWN_BYTES: Final = 4096
_GZIP: Final = 16 + zlib.MAX_WBITS
_NOT_NOW: Final = frozenset({408, 425, 429})


class Forward:
    """POSTs the task's JSON to one URL. An asynchronous context manager.

    2xx: done, the body is the result. 408, 425, 429, 5xx, or no HTTP answer: failed and
    retried, after `Retry-After` if there is one. Any other 4xx: failed, not retried. A redirect is
    not followed, as it might lead to another host; the attempt fails and is retried. The answer
    may take as long as the task's `timeout_seconds`.

    With a key, `Rowlock-Signature` is `v1=` and the HMAC-SHA256, in hexadecimal, of the
    `Rowlock-Timestamp`, a full stop and the body.
    """

    def __init__(
        self,
        url: str,
        *,
        signing_key: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        try:
            self._url = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise ValueError(f"{shown(url)!r} is not a URL: {error}") from error
        if self._url.scheme not in ("http", "https") or not self._url.host:
            raise ValueError(f"{shown(url)!r} is not a URL like http://127.0.0.1:9000/tasks")
        # In a task's error everybody can read it: without a password, or a token in the query.
        self._shown = str(self._url.copy_with(userinfo=b"", query=None, fragment=None))
        if signing_key == "":
            raise ValueError("the signing key is empty; omit it to send unsigned requests")
        self._key = None if signing_key is None else signing_key.encode()
        self._clock = clock
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            follow_redirects=False,
            transport=transport or self._connecting(),
        )

    def _connecting(self) -> httpx.AsyncHTTPTransport:
        proxy = proxy_for(self._url)
        return httpx.AsyncHTTPTransport(
            limits=httpx.Limits(max_connections=None, keepalive_expiry=KEEP_ALIVE_SECONDS),
            proxy=None if proxy is None else httpx.Proxy(proxy),
        )

    async def __call__(self, task: Task, attempt: RunningAttempt) -> Any:
        """Raises `Retry` and `Permanent`."""
        body = encode(task)
        try:
            async with self._http.stream(
                "POST", self._url, content=body, headers=self._headers(task, attempt, body)
            ) as response:
                said, is_whole = await _read(response)
        except httpx.RequestError as error:
            raise Retry(f"{self._shown}: {error or type(error).__name__}") from error
        if response.is_success:
            return result_of(said, is_whole=is_whole)
        status = response.status_code
        error_text = f"{self._shown} answered {status}: {text_of(said[:_SHOWN_BYTES])}".rstrip(": ")
        if response.has_redirect_location:
            place = response.headers["Location"][:_SHOWN_BYTES]
            error_text += f" (a redirect to {place}, not followed)"
        if response.is_client_error and status not in _NOT_NOW:
            raise Permanent(error_text)
        wish = response.headers.get("Retry-After", "")
        raise Retry(error_text, after_seconds=retry_after.seconds_of(wish, now=self._clock()))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    def _headers(self, task: Task, attempt: RunningAttempt, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "gzip",
            # The same for the same attempt only: a retry is another.
            "Idempotency-Key": f"rowlock-{task.id}-{attempt.number}",
            "Rowlock-Task-Id": str(task.id),
            "Rowlock-Attempt": str(attempt.number),
            "Rowlock-Title": quote(task.title),
            "Rowlock-Queue": task.queue,
            "Rowlock-Deadline": attempt.deadline.isoformat(),
        }
        if self._key is not None:
            timestamp = str(int(self._clock()))
            signed = hmac.new(self._key, f"{timestamp}.".encode() + body, hashlib.sha256)
            headers["Rowlock-Timestamp"] = timestamp
            headers["Rowlock-Signature"] = f"v1={signed.hexdigest()}"
        return headers


async def _read(response: httpx.Response) -> tuple[bytes, bool]:
    """The body as far as a result may go, and whether that is all of it. No more than that is
    unpacked: a few bytes may be the wrapping of many. Raises `httpx.DecodingError`."""
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("gzip", "identity"):
        raise httpx.DecodingError(
            f"the response has the encoding {encoding!r}, which was not requested"
        )
    unpacking = zlib.decompressobj(_GZIP) if encoding == "gzip" else None
    body = bytearray()
    async for chunk in response.aiter_raw():
        try:
            room = JSON_LIMIT_BYTES + 1 - len(body)
            body += chunk if unpacking is None else unpacking.decompress(chunk, room)
        except zlib.error as error:
            raise httpx.DecodingError(f"the response is not valid gzip: {error}") from error
        if len(body) > JSON_LIMIT_BYTES:
            return bytes(body[:JSON_LIMIT_BYTES]), False
    return bytes(body), True
