"""A way to Redis that a test can cut, or hold up after Redis has done what it was asked; and the
clock by which Redis is left alone while it is away."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from app.redis.cache import VOID
from app.redis.calls import Call, Script
from app.redis.link import RedisAwayError, RedisLink
from app.redis.session import Session
from app.settings import Settings


def link_to(settings: Settings) -> "SteeredLink":
    """One process's link, by the prefix in the settings."""
    return SteeredLink(settings)


class SteeredLink(RedisLink):
    """One process's link. Others have their own, to the same Redis."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, name=_nobody, in_doubt=VOID)
        self.is_cut = False
        self.insisted = 0
        self.has_insisted = asyncio.Event()
        # By how much Redis' clock was set, as scripts see it.
        self.clock_set_by_seconds = 0
        self._on_its_way: asyncio.Event | None = None
        self._held: tuple[asyncio.Event, asyncio.Event] | None = None

    def hold_the_next_call(self) -> asyncio.Event:
        """Until this is set, the next call is on its way to Redis."""
        self._on_its_way = asyncio.Event()
        return self._on_its_way

    def hold_the_next_answer(self) -> tuple[asyncio.Event, asyncio.Event]:
        """Set when Redis has done the next call; to be set for its answer to come through."""
        self._held = asyncio.Event(), asyncio.Event()
        return self._held

    async def insist(self, *, since: float) -> None:
        self.insisted += 1
        self._be_cut()
        await super().insist(since=since)
        self.has_insisted.set()

    async def run(self, *calls: Call) -> list[Any]:
        self._be_cut()
        on_its_way, self._on_its_way = self._on_its_way, None
        if on_its_way is not None:
            await on_its_way.wait()
        held, self._held = self._held, None
        answers = await super().run(*calls)
        if held is not None:
            done, may_go_on = held
            done.set()
            await may_go_on.wait()
        return answers

    async def until_lost(self) -> None:
        """Returns when this process has noticed that its connection is gone."""
        if self._session is not None:
            await asyncio.wait([self._session.life])

    async def _ask(self, session: Session, calls: Sequence[Call]) -> list[Any]:
        return await super()._ask(session, [self._at_another_time(call) for call in calls])

    def _at_another_time(self, call: Call) -> Call:
        if not self.clock_set_by_seconds or not isinstance(call, Script):
            return call
        clock = "redis.call('TIME')"
        other = f"(function(t) return {{t[1] + {self.clock_set_by_seconds}, t[2]}} end)({clock})"
        return replace(call, text=call.text.replace(clock, other))

    def _be_cut(self) -> None:
        if self.is_cut:
            self.doubt()
            raise RedisAwayError


class Hands:
    """A clock that a test moves, and that stands still otherwise."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


class MovingHands(Hands):
    """One that goes on by itself, too."""

    def monotonic(self) -> float:
        return self.seconds + time.monotonic()


def go_by(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on whoever waits for Redis goes by this clock."""
    for module in ("link", "session", "invalidation", "cache"):
        clock = SimpleNamespace(monotonic=hands.monotonic)
        monkeypatch.setattr(f"app.redis.{module}.time", clock)


async def _nobody() -> str:
    raise AssertionError("the settings have a prefix")
