"""A way to Redis that a test can cut, or hold up after Redis has done what it was asked; and the
clock by which Redis is left alone while it is away."""

import asyncio
from collections.abc import Callable
from typing import Any

from redis.asyncio.client import Pipeline

from app.redis import RedisAwayError, RedisLink
from app.settings import Settings


class SteeredLink(RedisLink):
    """One process's link. Others have their own, to the same Redis."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.is_cut = False
        self.insisted = 0
        self._held: tuple[asyncio.Event, asyncio.Event] | None = None

    def hold_the_next_answer(self) -> tuple[asyncio.Event, asyncio.Event]:
        """Set when Redis has done the next call; to be set for its answer to come through."""
        self._held = asyncio.Event(), asyncio.Event()
        return self._held

    async def insist(self, fill: Callable[[Pipeline], object]) -> None:
        self.insisted += 1
        if self.is_cut:
            raise RedisAwayError
        await super().insist(fill)

    async def run(self, fill: Callable[[Pipeline], object]) -> list[Any]:
        if self.is_cut:
            raise RedisAwayError
        held, self._held = self._held, None
        answers = await super().run(fill)
        if held is not None:
            done, may_go_on = held
            done.set()
            await may_go_on.wait()
        return answers


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds
