"""A request and its answer: what its connection knows of them, and what the application does."""

from collections.abc import Callable
from enum import Enum, auto
from typing import Final, Protocol
from urllib.parse import unquote

import structlog
from httptools import parse_url
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Scope

from app.http.answer import Answer, Part
from app.http.framing import RefusedError, framing_of
from app.runtime.light_event import LightEvent

# Under this key the application finds the exchange in its scope.
EXCHANGE: Final = "rowlock.exchange"
# What is written with percent signs takes long to read.
PATH_LIMIT_BYTES: Final = 4096
_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}
_GONE: Final[Message] = {"type": "http.disconnect"}

log = structlog.get_logger(__name__)


class State(Enum):
    """What a connection is about: how far the request is that comes first on it."""

    HANDSHAKE = auto()  # of TLS
    IDLE = auto()  # there is none
    HEAD = auto()  # its head arrives
    BODY = auto()  # its body arrives
    ANSWERING = auto()  # it is whole
    LINGERING = auto()  # the last answer has left, and what still arrives is thrown away
    CLOSED = auto()


class Line(Protocol):
    """What an exchange needs of its connection."""

    client: tuple[str, int] | None
    server: tuple[str, int] | None
    scheme: str

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        """For every answer."""

    def is_last(self, exchange: "Exchange") -> bool:
        """Whether nothing is answered after it."""

    def has_read(self) -> None:
        """The application has taken what had arrived of the body."""

    def keeps(self, exchange: "Exchange", kept_bytes: int) -> None:
        """Of what was sent no more than that is needed any longer."""

    def ask_for_body(self) -> None:
        """Tell the caller to send it."""

    def write(self, exchange: "Exchange", head: bytes, body: Part = b"") -> None:
        """Send both as one. `Exchange.left` is told what becomes of it."""

    def has_answered(self, exchange: "Exchange") -> None:
        """The whole answer is written."""

    def has_failed(self) -> None:
        """The application has not answered, or not to the end."""


class Exchange:
    """From the first byte of a request until its answer has left, or never will."""

    __slots__ = (
        *("_answer", "_arrived", "_awaits_continue", "_gone", "_is_read", "_left", "_line"),
        *("_method", "_scope", "_unless_taken", "_unread", "_version", "framing"),
        *("has_begun_answer", "headers", "held_bytes", "is_answered", "is_begun", "is_gone"),
        *("is_last", "is_taken", "refusal", "state", "status", "url"),
    )

    def __init__(self, line: Line) -> None:
        self._line = line
        self.state = State.HEAD
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.framing = b""
        self.is_last = False
        # Of its answer; 0 until that begins.
        self.status = 0
        # Answered in its turn, in place of what was asked for: a status, and why.
        self.refusal: tuple[int, str] | None = None
        # What it counts for in the memory for transfers.
        self.held_bytes = 0
        self.is_gone = False
        self._gone: LightEvent | None = None
        self._scope: Scope | None = None
        self._method = self._version = ""
        self._unread: bytes | bytearray = b""
        self._arrived: LightEvent | None = None
        self._is_read = self._awaits_continue = False
        self._answer: Answer | None = None
        self.is_begun = self.has_begun_answer = self.is_answered = False
        # None: that is not known yet.
        self.is_taken: bool | None = False
        self._left: LightEvent | None = None
        self._unless_taken: Callable[[], None] | None = None

    @property
    def gone(self) -> LightEvent:
        """Set from the very moment on in which nobody waits for the answer any longer."""
        if self._gone is None:
            self._gone = LightEvent()
            if self.is_gone:
                self._gone.set()
        return self._gone

    @property
    def unread_bytes(self) -> int:
        """Of the body, what the application has not taken."""
        return len(self._unread)

    @property
    def method(self) -> str:
        """Of its request; empty until the head is whole."""
        return self._method

    # What the connection tells.

    def has_head(self, method: str, version: str, *, keeps_alive: bool) -> None:
        """The head is whole. Raises `RefusedError`, or httptools' own error for an address that
        is none."""
        self.framing, self._awaits_continue = framing_of(version, self.headers)
        self.is_last = version == "1.0" or not keeps_alive
        self._method, self._version = method, version
        address = parse_url(self.url)
        if address.host is not None:  # then it is what counts, whatever the header says
            host = self.url.split(b"/", 3)[2].rpartition(b"@")[2]
            self.headers = [h for h in self.headers if h[0] != b"host"] + [(b"host", host)]
        raw_path = address.path or b"/"
        if len(raw_path) > PATH_LIMIT_BYTES:
            raise RefusedError(414, f"The path must be at most {PATH_LIMIT_BYTES:,} bytes.")
        path = raw_path.decode("ascii")
        self._scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "method": method,
            "scheme": self._line.scheme,
            "server": self._line.server,
            "client": self._line.client,
            "root_path": "",
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": address.query or b"",
            "headers": self.headers,
            EXCHANGE: self,
        }
        self.state = State.BODY

    def has_part(self, body: bytes) -> None:
        """One more part of the body is there."""
        if not self._unread:
            self._unread = body
        else:
            # One large block, which goes back to the system: many small ones leave holes.
            if isinstance(self._unread, bytes):
                self._unread = bytearray(self._unread)
            self._unread += body
        if self._arrived is not None:
            self._arrived.set()

    def is_whole(self) -> None:
        """Nothing of it is still to come."""
        self.state = State.ANSWERING
        if self._arrived is not None:
            self._arrived.set()

    def hang_up(self) -> None:
        """Nobody waits for the answer."""
        self._scope = None  # which refers to this
        self._unread = b""  # the application may be at something else for a while
        if not self.is_answered:
            self.is_gone = True
            if self._gone is not None:
                self._gone.set()

    def left(self, *, is_taken: bool) -> None:
        """What was written has left, or never will."""
        self.is_taken = is_taken
        if not is_taken and self._unless_taken is not None:
            self._unless_taken()
        if self._left is not None:
            self._left.set()

    # What the application does.

    async def run(self, application: ASGIApp) -> None:
        """Have it answered."""
        scope, self._scope = self._scope, None
        if scope is None:  # its caller hung up before
            return
        try:
            await application(scope, self.receive, self.send)
        except Exception:
            log.exception("unexpected_error")
        finally:
            if not self.is_answered and not self.is_gone:
                self._line.has_failed()

    async def receive(self) -> Message:
        """The next part of the body; where there is none, wait until nobody waits any longer."""
        is_asked = self._awaits_continue and not self._unread and self.state is State.BODY
        if is_asked and not self.is_gone:
            self._line.ask_for_body()
        self._awaits_continue = False
        while not self.is_gone and not self.is_answered:
            if self._unread or (self.state is State.ANSWERING and not self._is_read):
                return self._next_part()
            self._arrived = LightEvent()
            await self._arrived.wait(unless=self.gone)
            self._arrived = None
        return _GONE

    async def send(self, message: Message) -> None:
        """Write the answer, part by part; nothing, if nobody waits for it."""
        if self.has_begun_answer:
            await self._leaving()  # of what comes before
        if self.is_gone:
            return
        if message["type"] == "http.response.start":
            self._begin(message)
            return
        assert self._answer is not None
        is_end = not message.get("more_body", False)
        body = self._answer.framed(message.get("body", b""), is_last=is_end)
        head = b"" if self.has_begun_answer else self._answer.head
        self.has_begun_answer = True
        self.is_taken = None
        self._line.write(self, head, body)
        if is_end:
            self.is_answered = True
            if self._arrived is not None:
                self._arrived.set()
            self._line.has_answered(self)

    def unless_taken(self, call: Callable[[], None]) -> None:
        """Have it called once it is known that what was answered will not leave whole."""
        if self.is_taken is None:
            self._unless_taken = call
        elif not self.is_taken:
            call()

    def drop_body(self) -> None:
        """It is needed no longer, and counts no more: the answer may take its time."""
        head_bytes = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        self._line.keeps(self, min(head_bytes, self.held_bytes))

    async def _leaving(self) -> None:
        if self.is_taken is None:
            self._left = LightEvent()
            await self._left.wait()
            self._left = None

    def _begin(self, message: Message) -> None:
        self.is_last = self.is_last or self._line.is_last(self)
        self.status = message["status"]
        self._answer = Answer(
            self.status,
            [*self._line.default_headers, *message.get("headers", ())],
            method=self._method,
            version=self._version,
            closes=self.is_last,
        )

    def _next_part(self) -> Message:
        body, self._unread = self._unread, b""
        self._is_read = self.state is State.ANSWERING
        self._line.has_read()
        return {"type": "http.request", "body": body, "more_body": not self._is_read}


def exchange_of(request: Request) -> Exchange | None:
    """Of a request that came over a connection of ours."""
    found: Exchange | None = request.scope.get(EXCHANGE)
    return found
