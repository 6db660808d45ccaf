"""Many callers at once: all get their turn, and what is under way goes on."""

import asyncio
from functools import partial
from socket import create_connection

import uvloop
from starlette.types import Receive, Scope, Send

from app.http.exchange import State
from app.http.run_queue import BEGUN_A_TURN, RunQueue
from app.processes.server import ACCEPTED_A_TURN, listen_again
from tests.support.served import answer, process

REQUEST = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"
CALLERS = 200


class Turns:
    """Of the event loop, counted."""

    def __init__(self) -> None:
        self.count = 0
        self._next()

    def _next(self) -> None:
        self.count += 1
        asyncio.get_running_loop().call_soon(self._next)


def test_many_connections_are_accepted_in_a_turn() -> None:
    """uvloop itself accepts one."""

    async def accept() -> int:
        arrived: asyncio.Queue[int] = asyncio.Queue()

        class Accepted(asyncio.Protocol):
            def connection_made(self, _: asyncio.BaseTransport) -> None:
                arrived.put_nowait(turns.count)

        loop = asyncio.get_running_loop()
        server = await loop.create_server(Accepted, "127.0.0.1", 0, backlog=CALLERS)
        again = await listen_again(server, Accepted, CALLERS)
        address = server.sockets[0].getsockname()
        callers = [create_connection(address) for _ in range(CALLERS)]
        turns = Turns()
        seen = [await arrived.get() for _ in callers]
        for caller in callers:
            caller.close()
        for listening in (server, *again):
            listening.close()
        return seen[-1] - seen[0]

    assert uvloop.run(accept()) <= 2 * CALLERS / ACCEPTED_A_TURN


async def test_what_is_under_way_goes_on_while_thousands_begin() -> None:
    queue = RunQueue()
    begun: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
    turns = Turns()

    def begin(number: int) -> None:
        begun.put_nowait((number, turns.count))

    numbers = range(10 * BEGUN_A_TURN)
    for number in numbers:
        queue.put(partial(begin, number))
    seen = [await begun.get() for _ in numbers]
    assert [number for number, _ in seen] == list(numbers)
    in_turns = [turn for _, turn in seen]
    assert max(in_turns.count(turn) for turn in in_turns) == BEGUN_A_TURN


async def refuses_the_first(scope: Scope, _: Receive, send: Send) -> None:
    await answer(send, b"", 429 if scope["path"] == "/1" else 200)


async def test_who_was_refused_makes_room_before_who_was_served() -> None:
    async with process(refuses_the_first, limit=2) as (_, connect):
        (served, to_served), (refused, to_refused) = await connect(), await connect()
        to_served.write(REQUEST % 0)
        assert b" 200 " in await served.readline()
        to_refused.write(REQUEST % 1)
        assert b" 429 " in await refused.readline()
        await refused.readuntil(b"\r\n\r\n")
        third, to_third = await connect()
        assert await refused.read() == b""
        to_third.write(REQUEST % 2)
        assert b" 200 " in await third.readline()
        await served.readuntil(b"\r\n\r\n")
        to_served.write(REQUEST % 3)
        assert b" 200 " in await served.readline()


async def test_and_is_like_any_other_once_it_is_served() -> None:
    async with process(refuses_the_first, limit=2) as (_, connect):
        (once_refused, to_once_refused), (idle, to_idle) = await connect(), await connect()
        for number in (1, 2):
            to_once_refused.write(REQUEST % number)
            await once_refused.readuntil(b"\r\n\r\n")
        await connect()
        assert await idle.read() == b""
        to_once_refused.write(REQUEST % 3)
        assert b" 200 " in await once_refused.readline()
        to_idle.close()


class Newcomer:
    """One connection more, as it is bounded."""

    held_bytes = untaken_bytes = 0
    state = State.IDLE

    def __init__(self) -> None:
        self.refusals: list[int] = []

    def refuse(self, status: int, _detail: str) -> None:
        self.refusals.append(status)

    def abort(self) -> None:
        raise AssertionError

    def drop_behind(self) -> bool:
        return False

    def look(self) -> None:
        pass


async def test_a_refusal_has_left_before_its_caller_makes_room() -> None:
    newcomer = Newcomer()

    async def refuses(_scope: Scope, _: Receive, send: Send) -> None:
        await answer(send, b"", 429)
        serving.connections.opened(newcomer)

    async with process(refuses, limit=1) as (serving, connect):
        caller, to_caller = await connect()
        to_caller.write(REQUEST % 1)
        assert b" 429 " in await caller.readline()
    assert newcomer.refusals == [503]
