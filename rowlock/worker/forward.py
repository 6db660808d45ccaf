"""A handler that gives each task to a web service."""

import hashlib
import hmac
import time
import zlib
from collections.abc import Callable
from typing import Any, Final, Self
from urllib.parse import quote

import aiohttp
from yarl import URL

from rowlock.encoding import JSON_LIMIT_BYTES, encode
from rowlock.http import retry_after
from rowlock.http.answer import SUCCESS
from rowlock.http.asynchronous import HEADER_LIMIT_BYTES, headers_for
from rowlock.http.proxies import proxy_for
from rowlock.http.url import parse_url, shown
from rowlock.models import Task
from rowlock.worker.attempt import Permanent, Retry, RunningAttempt
from rowlock.worker.output import result_of, text_of

CONNECT_SECONDS: Final = 10.0
# Shorter than the 5 s after which most servers close: a connection is not used as they do.
KEEP_ALIVE_SECONDS: Final = 4.0
_SHOWN_BYTES: Final = 4096
_GZIP: Final = 16 + zlib.MAX_WBITS
_REDIRECTS: Final = range(300, 400)
_CLIENT_ERRORS: Final = range(400, 500)
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
        clock: Callable[[], float] = time.time,
    ) -> None:
        try:
            parsed = parse_url(url)
        except ValueError as error:
            raise ValueError(
                f"{shown(url)!r} is not a URL like http://127.0.0.1:9000/tasks: {error}"
            ) from error
        self._url = URL(url).with_fragment(None)
        # In a task's error everybody can read it: without a password, or a token in the query.
        self._shown = shown(str(self._url.with_query(None)))
        if signing_key == "":
            raise ValueError("the signing key is empty; omit it to send unsigned requests")
        self._key = None if signing_key is None else signing_key.encode()
        self._clock = clock
        self._proxy = proxy_for(parsed)
        self._http: aiohttp.ClientSession | None = None

    async def __call__(self, task: Task, attempt: RunningAttempt) -> Any:
        """Raises `Retry` and `Permanent`."""
        assert self._http is not None, "it is used within `async with`"
        body = encode(task)
        is_tls, for_proxy = self._url.scheme == "https", headers_for(self._proxy)
        try:
            async with self._http.post(
                self._url,
                data=body,
                headers=self._headers(task, attempt, body) | ({} if is_tls else for_proxy),
                allow_redirects=False,
                proxy_headers=for_proxy if is_tls else None,
            ) as answer:
                said, is_whole = await _read(answer)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            raise Retry(f"{self._shown}: {reason}") from error
        if answer.status in SUCCESS:
            return result_of(said, is_whole=is_whole)
        status = answer.status
        error_text = f"{self._shown} answered {status}: {text_of(said[:_SHOWN_BYTES])}".rstrip(": ")
        if _is_redirect(answer):
            place = answer.headers["Location"][:_SHOWN_BYTES]
            error_text += f" (a redirect to {place}, not followed)"
        if status in _CLIENT_ERRORS and status not in _NOT_NOW:
            raise Permanent(error_text)
        wish = answer.headers.get("Retry-After", "")
        raise Retry(error_text, after_seconds=retry_after.seconds_of(wish, now=self._clock()))

    async def __aenter__(self) -> Self:
        proxy = self._proxy
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            max_line_size=HEADER_LIMIT_BYTES,
            max_field_size=HEADER_LIMIT_BYTES,
            proxy=None if proxy is None else URL(str(proxy)),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()

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


def _is_redirect(answer: aiohttp.ClientResponse) -> bool:
    return answer.status in _REDIRECTS and "Location" in answer.headers


async def _read(answer: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    """The body as far as a result may go, and whether that is all of it. No more than that is
    unpacked: a few bytes may be the wrapping of many. Raises `aiohttp.ClientPayloadError`."""
    encoding = answer.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("gzip", "identity"):
        raise aiohttp.ClientPayloadError(
            f"the response has the encoding {encoding!r}, which was not requested"
        )
    unpacking = zlib.decompressobj(_GZIP) if encoding == "gzip" else None
    body = bytearray()
    async for chunk in answer.content.iter_any():
        try:
            room = JSON_LIMIT_BYTES + 1 - len(body)
            body += chunk if unpacking is None else unpacking.decompress(chunk, room)
        except zlib.error as error:
            raise aiohttp.ClientPayloadError(f"the response is not valid gzip: {error}") from error
        if len(body) > JSON_LIMIT_BYTES:
            return bytes(body[:JSON_LIMIT_BYTES]), False
    return bytes(body), True
