"""An answer that many ask for is computed once."""

import asyncio
import gc

import pytest

from app.service import shared_answers
from app.service.shared_answers import KEPT, SharedAnswers


class Computing:
    """Answers with how often it was asked so far, once it is let through the gate."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.began = asyncio.Event()
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, question: str) -> int:
        self.asked.append(question)
        count = len(self.asked)
        self.began.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return count


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the time is."""
    now = [100.0]
    monkeypatch.setattr(shared_answers, "steady_seconds", lambda: now[0])
    return now


@pytest.fixture
def computing() -> Computing:
    return Computing()


@pytest.fixture
def ask(computing: Computing) -> SharedAnswers[str, int]:
    return SharedAnswers(computing, seconds=60)


async def test_ten_who_ask_at_once_cost_as_one(
    computing: Computing, ask: SharedAnswers[str, int]
) -> None:
    tasks = [asyncio.create_task(ask("a")) for _ in range(10)]
    await computing.began.wait()
    computing.gate.set()
    assert await asyncio.gather(*tasks) == [1] * 10
    assert await ask("b") == 2
    assert computing.asked == ["a", "b"]


async def test_it_is_told_until_its_time_is_over(
    computing: Computing, ask: SharedAnswers[str, int], clock: list[float]
) -> None:
    computing.gate.set()
    assert await ask("a") == 1
    clock[0] += 59.9
    assert await ask("a") == 1
    clock[0] += 0.1
    assert await ask("a") == 2


async def test_who_asks_while_it_takes_longer_than_that_waits_for_the_same(
    computing: Computing, ask: SharedAnswers[str, int], clock: list[float]
) -> None:
    first = asyncio.create_task(ask("a"))
    await computing.began.wait()
    clock[0] += 600
    second = asyncio.create_task(ask("a"))
    await asyncio.sleep(0)
    computing.gate.set()
    assert [await first, await second] == [1, 1]
    assert await ask("a") == 2


async def test_who_asked_first_may_leave(
    computing: Computing, ask: SharedAnswers[str, int]
) -> None:
    first, second = (asyncio.create_task(ask("a")) for _ in range(2))
    await computing.began.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    computing.gate.set()
    assert await second == 1


async def test_a_failure_is_told_to_those_who_wait_and_to_nobody_else(
    computing: Computing, ask: SharedAnswers[str, int]
) -> None:
    computing.error = ValueError("away")
    tasks = [asyncio.create_task(ask("a")) for _ in range(3)]
    await computing.began.wait()
    computing.gate.set()
    told = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(each) for each in told] == ["away"] * 3
    computing.error = None
    assert await ask("a") == 2


async def test_a_failure_that_nobody_is_left_to_be_told_of_is_no_complaint(
    computing: Computing, ask: SharedAnswers[str, int]
) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))
    computing.error = ValueError("away")
    only = asyncio.create_task(ask("a"))
    await computing.began.wait()
    only.cancel()
    computing.gate.set()
    await ask.drain()
    del ask._computed["a"]
    gc.collect()
    assert complaints == []


async def test_only_so_many_are_remembered(
    computing: Computing, ask: SharedAnswers[str, int]
) -> None:
    computing.gate.set()
    for number in range(2 * KEPT):
        await ask(str(number))
    assert len(ask._computed) == KEPT
    assert await ask(str(2 * KEPT - 1)) == 2 * KEPT
    assert await ask("0") == 2 * KEPT + 1
