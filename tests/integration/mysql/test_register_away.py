"""Workers poll while MySQL is away: none of it is lost, and nothing is logged again and again."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from app.queue.workers import Poll
from app.runtime.steady_clock import steady_seconds
from app.service import workers as service
from app.service.polls import Polls
from app.service.resources import Resources
from app.service.workers import WorkerService
from app.settings import Settings
from tests.conftest import sharing
from tests.support.gate import Gate


@pytest.fixture
async def resources(behind_gate: Settings) -> AsyncIterator[Resources]:
    async with sharing(behind_gate.model_copy(update={"database_timeout_seconds": 0.5})) as found:
        yield found


class Rounds(Polls):
    """Tells how often it was asked what is due."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = asyncio.Event()

    def due(self, now: float) -> list[Poll]:
        self._begun.set()
        return super().due(now)

    async def begin(self, count: int) -> None:
        """Return when so many more have begun."""
        for _ in range(count):
            self._begun.clear()
            async with asyncio.timeout(60):
                await self._begun.wait()


@pytest.mark.parametrize("is_cut", [True, False], ids=["shut", "hanging"])
async def test_what_was_heard_is_told_when_it_is_back(
    resources: Resources, gate: Gate, monkeypatch: pytest.MonkeyPatch, is_cut: bool
) -> None:
    monkeypatch.setattr(service, "TELL_SECONDS", 0.02)
    workers = WorkerService(resources)
    workers._polls = rounds = Rounds()
    workers.begin()
    await rounds.begin(1)
    if is_cut:
        await gate.shut()
    else:
        gate.hang()
    with capture_logs() as logs:
        for n in range(30):
            workers.hear(f"w{n:02}", ["a"], "test/1", None)
        await rounds.begin(3)
        workers.hear("w00", ["b"], "test/1", None)
        await rounds.begin(2)
    assert len(logs) <= 1, "another server, at most"
    if is_cut:
        await gate.open()
    else:
        gate.go_on()
    await rounds.begin(3)
    await workers.end()

    page = await workers.page(queues=(), seen_within_seconds=None, after=None, limit=100)
    assert [found.worker for found in page.workers] == [f"w{n:02}" for n in range(30)]
    assert page.workers[0].queues == ["b"]


async def test_a_stop_does_not_wait_for_it(resources: Resources, gate: Gate) -> None:
    workers = WorkerService(resources)
    workers.begin()
    workers.hear("w", ["a"], None, None)
    gate.hang()
    async with asyncio.timeout(30):
        await workers.end()
    gate.go_on()


async def test_it_is_told_with_the_time_at_which_it_was_heard(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = steady_seconds()
    monkeypatch.setattr(service, "steady_seconds", lambda: now - 300)
    workers = WorkerService(resources)
    workers.begin()
    workers.hear("w", ["a"], None, None)
    await workers.end()

    found, _ = await workers.get("w")
    mysql_now = await resources.database.read(lambda connection: connection.now())
    assert 300 <= (mysql_now - found.last_seen_at).total_seconds() < 360
