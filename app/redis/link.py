"""The way to Redis: short waits, and pauses in which it is left alone while it is away.

Nothing here is on the truth path: whoever gets a `RedisAwayError` goes on without.

A process keeps one connection, so that what it asks is done in the order in which it asks. What
other processes could not tell Redis it cannot know; so whoever has just connected, or was just
refused or not answered, has Redis do first what has to be done `in_doubt`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Literal

import structlog
from redis import exceptions

from app.redis.calls import Call
from app.redis.fitness import TRIAL, UnfitRedisError, connect, require_allowed, trouble_of
from app.redis.session import Session
from app.runtime import metrics
from app.settings import Settings

FIRST_PAUSE_SECONDS: Final = 0.25
LONGEST_PAUSE_SECONDS: Final = 4.0
OPENING_SECONDS: Final = 5.0
FIRST_SECONDS: Final = 1.0

State = Literal["ok", "away", "absent"]

log = structlog.get_logger(__name__)


class RedisAwayError(Exception):
    """Redis is absent, down, hanging, or refuses what it is asked."""


class RedisLink:
    """One Redis or Valkey, or none.

    `name` is asked for the deployment's name where the settings have no prefix; until it has
    answered, Redis is away.
    """

    def __init__(
        self, settings: Settings, *, name: Callable[[], Awaitable[str]], in_doubt: Call
    ) -> None:
        self.timeout_seconds = settings.redis_timeout_seconds
        self.prefix = settings.redis_prefix
        self._url = settings.redis_url
        self._name = name
        self._in_doubt = in_doubt
        # Nothing that was cached when it began to hang is left by then, so that another connection
        # may come before what is still on its way over this one.
        self._patience_seconds = max(OPENING_SECONDS, settings.cache_ttl_seconds)
        self._session: Session | None = None
        self._opening: asyncio.Task[Session | None] | None = None
        self._opening_since = 0.0
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._closed_until = 0.0
        self._failure: Exception | None = None

    @property
    def trouble(self) -> str | None:
        """Why Redis is away, for anybody to read, where it is there and refuses."""
        if self._failure is None:
            return None
        return trouble_of(self._failure, prefix=self.prefix or "")

    @property
    def is_absent(self) -> bool:
        return self._url is None

    async def look(self) -> State:
        """How Redis is, by having it do all that it may be asked to."""
        if self._url is None:
            return "absent"
        try:
            require_allowed(await self.run(*TRIAL))
        except RedisAwayError:
            return "away"
        except UnfitRedisError as error:
            self._failed(error)
            return "away"
        return "ok"

    async def open(self) -> None:
        """Connect. Returns when it is known how Redis is, at the latest after a second."""
        if self._url is not None:
            with suppress(RedisAwayError, TimeoutError):
                async with asyncio.timeout(FIRST_SECONDS):
                    await self._ready()

    async def run(self, *calls: Call) -> list[Any]:
        """Have these done, in one round trip; the answers, in order.

        Raises `RedisAwayError` at once while Redis is known to be away.
        """
        now = time.monotonic()
        left_seconds = self._left_seconds(now)
        if self._url is None or now < self._closed_until or left_seconds <= 0:
            raise RedisAwayError
        session = None
        try:
            async with asyncio.timeout(left_seconds):
                session = await self._ready()
                answers = await self._ask(session, calls)
        except (exceptions.RedisError, OSError) as error:  # a time-out is an OSError
            if session is not None:  # else it is being connected to, and not known to be away
                self._failed(error)
            raise RedisAwayError from error
        if time.monotonic() >= self._closed_until:  # else it was under way when others failed
            self._succeeded()
        return answers

    async def insist(self, *, since: float) -> None:
        """Have it do what is to be done in doubt, though it is known to be away.

        Raises `RedisAwayError` where that is not known to be done by the time for which Redis may
        be waited, from `since` on. It may have been sent then: should Redis only hang, it does
        this before anything that is asked later.
        """
        if self._url is None:
            raise RedisAwayError
        try:
            async with asyncio.timeout(self._left_seconds(since)):
                session = await self._ready()
                session.doubts += 1
                await self._ask(session, ())
        except (exceptions.RedisError, OSError) as error:
            self.doubt()
            raise RedisAwayError from error

    async def close(self) -> None:
        """From now on it is absent."""
        self._url = None
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if self._session is not None:
            await self._session.close()

    def _left_seconds(self, since: float) -> float:
        """For how long who has waited since then may still wait. Those who meet a Redis that
        hangs wait together, and who meets one that has hung for longer does not wait at all."""
        now = time.monotonic()
        if (session := self._open_session()) is not None:
            since = min(since, now - session.silent_seconds)
        elif self._opening is not None and not self._opening.done():
            since = min(since, self._opening_since)
        return since + self.timeout_seconds - now

    def _open_session(self) -> Session | None:
        if self._session is None or not self._session.is_open:
            return None
        if self._session.silent_seconds <= self._patience_seconds:
            return self._session
        self._session.end()
        return None

    async def _ready(self) -> Session:
        """The connection. Raises `RedisAwayError`."""
        if (session := self._open_session()) is not None:
            return session
        if self._opening is None or self._opening.done():
            self._opening_since = time.monotonic()
            self._opening = asyncio.get_running_loop().create_task(self._open())
        opened = await asyncio.shield(self._opening)
        if opened is None:
            raise RedisAwayError
        return opened

    async def _open(self) -> Session | None:
        """A new connection to a Redis that is fit; none where it is not."""
        try:
            async with asyncio.timeout(OPENING_SECONDS):
                if self.prefix is None:
                    self.prefix = f"rowlock:{await self._name()}:"
                assert self._url is not None
                session, _ = await connect(self._url, self.prefix)
                self._session = session
                await self._ask(session, ())
        # Whatever goes wrong here, the service goes on without.
        except Exception as error:
            self._failed(error)
            return None
        self._succeeded()
        return session

    async def _ask(self, session: Session, calls: Sequence[Call]) -> list[Any]:
        assert self.prefix is not None
        doubts = session.doubts
        is_in_doubt = doubts > session.settled_doubts
        asked = [self._in_doubt, *calls] if is_in_doubt else calls
        answers = await session.send([call.words(self.prefix) for call in asked])
        if not is_in_doubt:
            return answers
        # Not those that came up while it was on its way.
        session.settled_doubts = max(session.settled_doubts, doubts)
        return answers[1:]

    def doubt(self) -> None:
        """Something may have changed that Redis was not told of."""
        if self._session is not None:
            self._session.doubts += 1

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, TimeoutError):  # what was sent is done, in order, if late
            self.doubt()
        if time.monotonic() < self._closed_until:
            return  # of several calls under way when it went, the first counts
        known, self._failure = self.trouble, error
        if not self._closed_until or self.trouble != known:
            said = f"{type(error).__name__}: {error}".rstrip(": ")
            log.warning("redis_away", error=self.trouble or said)
        self._closed_until = time.monotonic() + self._pause_seconds
        self._pause_seconds = min(self._pause_seconds * 2, LONGEST_PAUSE_SECONDS)
        metrics.REDIS_UP.set(0)

    def _succeeded(self) -> None:
        if self._closed_until:
            log.info("redis_back")
        self._failure = None
        self._closed_until = 0.0
        self._pause_seconds = FIRST_PAUSE_SECONDS
        metrics.REDIS_UP.set(1)
