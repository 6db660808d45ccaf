"""The waiting room: who is woken, in which order, and when MySQL is asked."""

import asyncio
from collections.abc import Mapping

import pytest

from app.domain.errors import DatabaseAwayError
from app.service.waiting import Seats, Waiter, WaitingRoom

LONG = 30.0


class Looks:
    """Stands in for MySQL: notes what it is asked, and answers when let."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[dict[str, int]] = asyncio.Queue()
        self.answers: asyncio.Queue[Mapping[str, int] | Exception] = asyncio.Queue()

    async def look(self, wanted: Mapping[str, int]) -> Mapping[str, int]:
        self.asked.put_nowait(dict(wanted))
        answer = await self.answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def looks() -> Looks:
    return Looks()


@pytest.fixture
def room(looks: Looks) -> WaitingRoom[str]:
    """A room whose poller never comes to look by itself."""
    return WaitingRoom(looks.look, interval_seconds=LONG, seats=Seats(100))


@pytest.fixture
def watched_room(looks: Looks) -> WaitingRoom[str]:
    """A room whose poller looks as soon as it may."""
    return WaitingRoom(looks.look, interval_seconds=0, seats=Seats(100))


async def waiting(room: WaitingRoom[str], *keys: str) -> "asyncio.Task[bool]":
    """A caller that has found nothing and waits; whether it was woken."""

    async def wait() -> bool:
        waiter = room.enter(keys)
        try:
            return await waiter.wait(LONG)
        finally:
            room.leave(waiter)

    caller = asyncio.create_task(wait())
    await asyncio.sleep(0)  # it runs up to where it waits
    return caller


def woken(*waiters: Waiter[str]) -> list[bool]:
    return [waiter.is_woken for waiter in waiters]


async def test_callers_are_woken_in_the_order_they_came(room: WaitingRoom[str]) -> None:
    first, second, third = (room.enter(["mail"]) for _ in range(3))

    room.wake("mail", 1)
    assert woken(first, second, third) == [True, False, False]
    room.wake("mail", 1)
    assert woken(first, second, third) == [True, True, False]


async def test_as_many_are_woken_as_there_is_work_for(room: WaitingRoom[str]) -> None:
    waiters = [room.enter(["mail"]) for _ in range(4)]

    room.wake("mail", 3)

    assert woken(*waiters) == [True, True, True, False]


async def test_work_of_another_queue_wakes_nobody(room: WaitingRoom[str]) -> None:
    waiter = room.enter(["mail"])

    room.wake("images", 9)

    assert not waiter.is_woken


async def test_a_caller_waits_for_each_of_its_queues(room: WaitingRoom[str]) -> None:
    both, images = room.enter(["mail", "images"]), room.enter(["images"])

    room.wake("images", 1)

    assert woken(both, images) == [True, False]


async def test_the_wake_of_a_caller_that_leaves_goes_to_the_next(room: WaitingRoom[str]) -> None:
    leaver, stayer = room.enter(["mail"]), room.enter(["mail"])
    room.wake("mail", 1)

    room.leave(leaver)

    assert stayer.is_woken


async def test_a_caller_that_gives_up_while_it_is_woken_passes_it_on(
    room: WaitingRoom[str],
) -> None:
    giving_up = await waiting(room, "mail")
    stayer = room.enter(["mail"])
    room.wake("mail", 1)
    giving_up.cancel()
    await asyncio.wait({giving_up})

    assert stayer.is_woken


async def test_a_caller_that_leaves_unwoken_wakes_nobody(room: WaitingRoom[str]) -> None:
    leaver, stayer = room.enter(["mail"]), room.enter(["mail"])

    room.leave(leaver)
    assert not stayer.is_woken
    room.wake("mail", 1)
    assert stayer.is_woken


async def test_a_wake_before_the_wait_is_not_lost(room: WaitingRoom[str]) -> None:
    waiter = room.enter(["mail"])
    room.wake("mail", 1)

    await waiter.wait(LONG)

    assert not waiter.is_woken, "it can be waited for again"


async def test_a_wait_ends_when_its_time_is_over(room: WaitingRoom[str]) -> None:
    waiter = room.enter(["mail"])

    await waiter.wait(0.001)

    assert not waiter.is_woken


async def test_closing_wakes_everybody_and_whoever_comes_later(room: WaitingRoom[str]) -> None:
    waiters = [room.enter(["mail"]), room.enter(["images"])]

    room.close()
    late = room.enter(["mail"])

    assert woken(*waiters, late) == [True, True, True]
    assert not room.is_open


async def test_the_poller_asks_for_all_who_wait_in_one_look(
    watched_room: WaitingRoom[str], looks: Looks
) -> None:
    first = await waiting(watched_room, "mail")
    second = await waiting(watched_room, "mail", "images")

    assert await looks.asked.get() == {"mail": 2, "images": 1}
    looks.answers.put_nowait({"mail": 1})
    assert await looks.asked.get() == {"mail": 1, "images": 1}

    assert await first
    assert not second.done()
    watched_room.close()
    await second


async def test_nobody_is_asked_for_who_looks_himself(
    watched_room: WaitingRoom[str], looks: Looks
) -> None:
    looking = watched_room.enter(["mail"])
    waits = await waiting(watched_room, "mail", "images")

    assert await looks.asked.get() == {"mail": 1, "images": 1}
    watched_room.leave(looking)
    watched_room.close()
    await waits


async def test_who_comes_is_told_whether_somebody_has_looked(room: WaitingRoom[str]) -> None:
    assert not room.is_dry(["mail"])
    room.enter(["mail"])
    assert not room.is_dry(["mail"]), "it has not looked yet"
    waits = await waiting(room, "mail")
    assert room.is_dry(["mail"])
    assert not room.is_dry(["mail", "images"])
    room.wake("mail", 2)
    assert not room.is_dry(["mail"]), "something has come"
    assert await waits


async def test_nobody_is_asked_for_while_nobody_waits(
    watched_room: WaitingRoom[str], looks: Looks
) -> None:
    before = _tasks()
    caller = await waiting(watched_room, "mail")
    (poller,) = _tasks() - before - {caller}
    await looks.asked.get()
    caller.cancel()
    await asyncio.wait({caller})
    looks.answers.put_nowait({})
    await asyncio.wait({poller})

    assert _tasks() == before, "the poller ends with the last caller"
    assert looks.asked.empty()


async def test_the_poller_comes_back_with_the_next_caller(
    watched_room: WaitingRoom[str], looks: Looks
) -> None:
    before = _tasks()
    watched_room.leave(watched_room.enter(["mail"]))
    await asyncio.wait(_tasks() - before)

    caller = await waiting(watched_room, "images")

    assert await looks.asked.get() == {"images": 1}
    looks.answers.put_nowait({"images": 1})
    assert await caller


@pytest.mark.parametrize("error", [DatabaseAwayError(reason="restarting"), RuntimeError("a bug")])
async def test_the_poller_outlives_a_look_that_failed(
    watched_room: WaitingRoom[str],
    looks: Looks,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    monkeypatch.setattr("app.service.waiting.AWAY_PAUSE_SECONDS", 0)
    caller = await waiting(watched_room, "mail")
    await looks.asked.get()
    looks.answers.put_nowait(error)
    await looks.asked.get()
    assert not watched_room.is_dry(["mail"]), "nobody knows: who comes now has to look"
    looks.answers.put_nowait({"mail": 1})
    assert await caller


def _tasks() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks()
