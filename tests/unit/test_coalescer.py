"""One transaction for many calls: who shares it, who gets which answer."""

import asyncio
from collections.abc import Sequence

import pytest

from app.domain.errors import DatabaseAwayError, RowBusyError
from app.service.coalescer import WORTH_A_BATCH, Coalescer


class Counter:
    """Doubles numbers, a batch at a time, each batch only when let through the gate."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.refused: set[int] = set()
        self.failing: dict[int, Exception] = {}
        self.began = asyncio.Event()
        self.gate = asyncio.Event()

    async def run(self, calls: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(calls))
        self.began.set()
        await self.gate.wait()
        for call in calls:
            if call in self.failing:
                raise self.failing[call]
        return [
            ValueError(f"{call} is refused") if call in self.refused else 2 * call for call in calls
        ]


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def double(counter: Counter) -> Coalescer[int, int]:
    return Coalescer(counter.run, limit=100)


async def asked(double: Coalescer[int, int], *calls: int) -> list[asyncio.Task[int]]:
    """The calls, made in this order and waiting for their answers."""
    tasks = [asyncio.create_task(double(call)) for call in calls]
    await asyncio.sleep(0)  # each runs up to where it waits
    return tasks


async def one_under_way(double: Coalescer[int, int], counter: Counter) -> asyncio.Task[int]:
    """A first call, whose batch has begun and waits at the gate."""
    (first,) = await asked(double, 1)
    await counter.began.wait()
    return first


async def test_a_lone_call_goes_at_once(counter: Counter, double: Coalescer[int, int]) -> None:
    counter.gate.set()

    assert await double(21) == 42
    assert counter.batches == [[21]]


async def test_calls_that_come_while_a_batch_runs_share_the_next_one(
    counter: Counter, double: Coalescer[int, int]
) -> None:
    first = await one_under_way(double, counter)
    others = await asked(double, 2, 3, 4)
    assert counter.batches == [[1]]
    counter.gate.set()

    assert await asyncio.gather(first, *others) == [2, 4, 6, 8]
    assert counter.batches == [[1], [2, 3, 4]]


async def test_each_caller_gets_its_own_answer_though_calls_are_equal(counter: Counter) -> None:
    serial = iter(range(100))

    async def run(calls: Sequence[str]) -> list[str]:
        return [f"{call}{next(serial)}" for call in calls]

    ask: Coalescer[str, str] = Coalescer(run, limit=100)

    answers = await asyncio.gather(*(ask(call) for call in "aaba"))

    assert answers == ["a0", "a1", "b2", "a3"]


async def test_an_answer_that_is_an_error_is_raised_to_its_caller_alone(
    counter: Counter, double: Coalescer[int, int]
) -> None:
    counter.refused = {3}
    first = await one_under_way(double, counter)
    good, bad, also_good = await asked(double, 2, 3, 4)
    counter.gate.set()

    with pytest.raises(ValueError, match="3 is refused"):
        await bad
    assert await asyncio.gather(*[first, good, also_good]) == [2, 4, 8]
    assert counter.batches == [[1], [2, 3, 4]], "nothing was run twice"


async def test_a_call_that_breaks_its_batch_fails_alone(
    counter: Counter, double: Coalescer[int, int]
) -> None:
    counter.failing = {3: RuntimeError("poison")}
    first = await one_under_way(double, counter)
    good, bad, also_good = await asked(double, 2, 3, 4)
    counter.gate.set()

    with pytest.raises(RuntimeError, match="poison"):
        await bad
    assert await asyncio.gather(*[first, good, also_good]) == [2, 4, 8]
    assert counter.batches == [[1], [2, 3, 4], [2], [3], [4]]


async def test_calls_are_served_again_after_a_batch_failed(
    counter: Counter, double: Coalescer[int, int]
) -> None:
    counter.failing = {1: RuntimeError("poison")}
    counter.gate.set()

    with pytest.raises(RuntimeError):
        await double(1)
    assert await double(2) == 4


async def test_mysql_away_is_everybodys_answer_and_nothing_is_tried_call_by_call(
    counter: Counter, double: Coalescer[int, int]
) -> None:
    counter.failing = {3: DatabaseAwayError(reason="gone")}
    first = await one_under_way(double, counter)
    others = await asked(double, 2, 3, 4)
    counter.gate.set()

    assert await first == 2
    answers = await asyncio.gather(*others, return_exceptions=True)
    assert [type(answer) for answer in answers] == [DatabaseAwayError] * 3
    assert counter.batches == [[1], [2, 3, 4]]


async def test_once_mysql_is_away_the_rest_is_not_tried_call_by_call_either(
    counter: Counter, double: Coalescer[int, int]
) -> None:
    counter.failing = {2: RuntimeError("poison"), 3: DatabaseAwayError(reason="gone")}
    first = await one_under_way(double, counter)
    others = await asked(double, 2, 3, 4, 5)
    counter.gate.set()

    assert await first == 2
    answers = await asyncio.gather(*others, return_exceptions=True)
    assert [type(answer) for answer in answers] == [RuntimeError, *[DatabaseAwayError] * 3]
    assert counter.batches == [[1], [2, 3, 4, 5], [2], [3]]


@pytest.mark.parametrize("seconds", [0.0, 60.0])
async def test_a_batch_that_waited_for_a_row_is_not_tried_call_by_call(
    counter: Counter,
    double: Coalescer[int, int],
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
) -> None:
    """But one that lost against others at once is."""
    monkeypatch.setattr("app.service.coalescer.BUSY_SECONDS", seconds)
    counter.failing = {3: RowBusyError()}
    first = await one_under_way(double, counter)
    others = await asked(double, 2, 3, 4)
    counter.gate.set()

    assert await first == 2
    answers = await asyncio.gather(*others, return_exceptions=True)
    if seconds:
        assert counter.batches == [[1], [2, 3, 4], [2], [3], [4]]
        assert [type(answer) for answer in answers] == [int, RowBusyError, int]
    else:
        assert counter.batches == [[1], [2, 3, 4]]
        assert [type(answer) for answer in answers] == [RowBusyError] * 3


async def test_a_batch_is_no_heavier_than_the_limit(counter: Counter) -> None:
    double: Coalescer[int, int] = Coalescer(counter.run, limit=10, weigh=lambda call: call)
    first = await one_under_way(double, counter)
    others = await asked(double, 4, 6, 5, 5, 1)
    counter.gate.set()
    await asyncio.gather(first, *others)

    assert counter.batches == [[1], [4, 6], [5, 5], [1]]


async def test_a_call_heavier_than_the_limit_goes_alone(counter: Counter) -> None:
    double: Coalescer[int, int] = Coalescer(counter.run, limit=10, weigh=lambda call: call)
    first = await one_under_way(double, counter)
    others = await asked(double, 3, 50, 4)
    counter.gate.set()

    assert await asyncio.gather(first, *others) == [2, 6, 100, 8]
    assert counter.batches == [[1], [3], [50], [4]]


async def test_a_caller_that_leaves_before_its_batch_is_left_out(
    counter: Counter, double: Coalescer[int, int]
) -> None:
    first = await one_under_way(double, counter)
    second, leaver, fourth = await asked(double, 2, 3, 4)
    leaver.cancel()
    await asyncio.wait({leaver})
    counter.gate.set()

    assert await asyncio.gather(*[first, second, fourth]) == [2, 4, 8]
    assert counter.batches == [[1], [2, 4]]


async def test_what_was_done_for_a_caller_that_has_left_is_handed_over(counter: Counter) -> None:
    handed: list[tuple[int, int]] = []

    async def unclaimed(call: int, answer: int) -> None:
        handed.append((call, answer))

    double: Coalescer[int, int] = Coalescer(counter.run, limit=100, unclaimed=unclaimed)
    leaver = await one_under_way(double, counter)
    leaver.cancel()
    await asyncio.wait({leaver})
    counter.gate.set()
    await double.drain()

    assert handed == [(1, 2)]


async def test_an_error_for_a_caller_that_has_left_is_nobodys(counter: Counter) -> None:
    handed: list[tuple[int, int]] = []

    async def unclaimed(call: int, answer: int) -> None:
        handed.append((call, answer))

    counter.refused = {1}
    double: Coalescer[int, int] = Coalescer(counter.run, limit=100, unclaimed=unclaimed)
    leaver = await one_under_way(double, counter)
    leaver.cancel()
    await asyncio.wait({leaver})
    counter.gate.set()

    assert await double(2) == 4
    assert handed == []


async def test_draining_waits_for_every_call_accepted(
    counter: Counter, double: Coalescer[int, int]
) -> None:
    first = await one_under_way(double, counter)
    others = await asked(double, 2, 3)
    drained = asyncio.create_task(double.drain())
    await asyncio.sleep(0)
    assert not drained.done()
    counter.gate.set()
    await drained

    assert [task.result() for task in (first, *others)] == [2, 4, 6]


async def test_draining_an_idle_coalescer_returns_at_once(double: Coalescer[int, int]) -> None:
    await double.drain()


async def test_batch_sizes_are_observed(counter: Counter) -> None:
    sizes: list[int] = []
    double: Coalescer[int, int] = Coalescer(counter.run, limit=100, observe=sizes.append)
    first = await one_under_way(double, counter)
    others = await asked(double, 2, 3, 4)
    counter.gate.set()
    await asyncio.gather(first, *others)

    assert sizes == [1, 3]


async def test_a_batch_begins_beside_another_once_it_is_worth_it(counter: Counter) -> None:
    double = Coalescer(counter.run, limit=100, parallel=2)
    many = list(range(2, 2 + WORTH_A_BATCH))
    under_way = [await one_under_way(double, counter)]
    under_way += await asked(double, *many[:-1])
    await asyncio.sleep(0)
    assert counter.batches == [[1]]
    under_way += await asked(double, many[-1])
    await asyncio.sleep(0)  # the second batch begins
    assert counter.batches == [[1], many]

    waiting = await asked(double, *many)
    await asyncio.sleep(0)
    assert counter.batches == [[1], many], "no more than may be"

    counter.gate.set()
    doubled = [2 * number for number in many]
    assert await asyncio.gather(*under_way, *waiting) == [2, *doubled, *doubled]
    assert counter.batches == [[1], many, many]
    await double.drain()


async def test_who_is_not_served_again_and_again_comes_before_those_who_were() -> None:
    batches = 0

    async def serve_one(calls: Sequence[str]) -> list[bool]:
        nonlocal batches
        batches += 1
        await asyncio.sleep(0)
        return [place == 0 for place in range(len(calls))]

    shared: Coalescer[str, bool] = Coalescer(serve_one, limit=100)

    async def served(caller: str) -> None:
        is_again = False
        while not await shared(caller, is_again=is_again):
            is_again = True

    async def greedy(caller: str) -> None:
        while True:
            await served(caller)

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        others = [group.create_task(greedy(f"before {n}")) for n in range(4)]
        modest = group.create_task(served("modest"))
        others += [group.create_task(greedy(f"after {n}")) for n in range(4)]
        await modest
        for other in others:
            other.cancel()
    assert batches <= 2 * len(others) + 2
