"""The way to Redis: short timeouts, and a circuit breaker that leaves it alone while it is away.

Nothing here is on the truth path: whoever gets a `RedisAwayError` goes on without.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Literal
from weakref import WeakSet

import structlog
from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app import metrics
from app.settings import Settings

FIRST_PAUSE_SECONDS: Final = 0.25
LONGEST_PAUSE_SECONDS: Final = 4.0
PATIENCE_SECONDS: Final = 5.0
# Longer than any process takes to make good what it could not tell (`app.untold`).
SETTLING_SECONDS: Final = 0.5
CONNECTIONS: Final = 4

State = Literal["ok", "away", "absent"]

log = structlog.get_logger(__name__)


class RedisAwayError(Exception):
    """Redis is absent, down, hanging, or refuses what it is asked."""


class RedisLink:
    """One Redis or Valkey, or none."""

    def __init__(self, settings: Settings) -> None:
        self.prefix = settings.redis_prefix
        self.timeout_seconds = settings.redis_timeout_seconds
        self._redis: Redis | None = None
        self._patient: Redis | None = None
        if settings.redis_url is not None:
            self._redis = _client(
                settings.redis_url, self.timeout_seconds, redis_connect_func=self._connect
            )
            self._patient = _client(settings.redis_url, PATIENCE_SECONDS)
        self._known: WeakSet[AbstractConnection] = WeakSet()
        self._lost_at = -SETTLING_SECONDS
        self._greeting: asyncio.Task[None] | None = None
        # Calls beyond these wait their turn, which is no sign of Redis being away. A call takes
        # 0.2 ms; a burst that opened a hundred connections would time out in opening them.
        self._turns = asyncio.Semaphore(CONNECTIONS)
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._closed_until = 0.0

    @property
    def is_absent(self) -> bool:
        return self._redis is None

    @property
    def is_settled(self) -> bool:
        """Whether it was not lost just now: other processes may have lost it too, and may not
        have told it yet what they had to."""
        return time.monotonic() - self._lost_at >= SETTLING_SECONDS

    async def look(self) -> State:
        """How Redis is, by asking it."""
        if self._redis is None:
            return "absent"
        try:
            await self.run(lambda pipe: pipe.ping())
        except RedisAwayError:
            return "away"
        return "ok"

    async def run(self, fill: Callable[[Pipeline], object]) -> list[Any]:
        """Send what `fill` puts on a pipeline, in one round trip; the answers, in order.

        Raises `RedisAwayError` at once while Redis is known to be away.
        """
        if self._redis is None or time.monotonic() < self._closed_until:
            raise RedisAwayError
        async with self._turns:
            if self._redis is None or time.monotonic() < self._closed_until:
                raise RedisAwayError  # found out while this one waited
            began = time.monotonic()
            pipeline = self._redis.pipeline(transaction=False)
            fill(pipeline)
            try:
                answers = await pipeline.execute()
            except (exceptions.RedisError, OSError) as error:
                self._failed(error)
                raise RedisAwayError from error
        if began < self._closed_until:
            return answers  # it was under way when another call found Redis away
        if self._closed_until:
            log.info("redis_back")
        self._closed_until = 0.0
        self._pause_seconds = FIRST_PAUSE_SECONDS
        metrics.REDIS_UP.set(1)
        return answers

    async def insist(self, fill: Callable[[Pipeline], object]) -> None:
        """The same though Redis is known to be away, and however long it takes: not for whoever
        has a caller to answer."""
        if self._patient is None:
            raise RedisAwayError
        pipeline = self._patient.pipeline(transaction=False)
        fill(pipeline)
        try:
            await pipeline.execute()
        except (exceptions.RedisError, OSError) as error:
            raise RedisAwayError from error

    async def close(self) -> None:
        """From now on it is absent."""
        if self._greeting is not None:
            self._greeting.cancel()
            await asyncio.wait([self._greeting])
        both = (self._redis, self._patient)
        self._redis = self._patient = None
        for redis in both:
            if redis is not None:
                await redis.aclose()

    async def _connect(self, connection: AbstractConnection) -> None:
        if connection in self._known:  # it was lost
            self._lost_at = time.monotonic()
        self._known.add(connection)
        await connection.on_connect()
        if self._greeting is None or self._greeting.done():
            self._greeting = asyncio.get_running_loop().create_task(self._greet())

    async def _greet(self) -> None:
        # Should Redis hang, only what comes over an open connection is first when it goes on.
        with suppress(RedisAwayError):
            await self.insist(lambda pipe: pipe.ping())

    def _failed(self, error: Exception) -> None:
        self._lost_at = time.monotonic()
        if time.monotonic() < self._closed_until:
            return  # of several calls under way when it went, the first counts
        if not self._closed_until:
            log.warning("redis_away", error=f"{type(error).__name__}: {error}")
        self._closed_until = time.monotonic() + self._pause_seconds
        self._pause_seconds = min(self._pause_seconds * 2, LONGEST_PAUSE_SECONDS)
        metrics.REDIS_UP.set(0)


def _client(url: str, timeout_seconds: float, **options: Any) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        # A pooled connection may have died with the server: once more, at once.
        retry=Retry(NoBackoff(), 1, supported_errors=(exceptions.ConnectionError,)),
        **options,
    )
