"""Whether the caller is still there, and has got the answer: known in that moment, and exactly."""

import asyncio
from collections.abc import Callable

import pytest
from starlette.types import Receive, Scope, Send

from app.http.exchange import Exchange
from app.runtime.light_event import LightEvent
from tests.support.served import answer, exchange_in, is_taken, process

REQUEST = b"POST /leases HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]"
HANG_UPS = [asyncio.StreamWriter.write_eof, asyncio.StreamWriter.close]
LARGE = 50_000_000

HangUp = Callable[[asyncio.StreamWriter], None]


class Poll:
    """An application that waits for its caller to hang up, as a long poll does."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[Exchange] = asyncio.Queue()
        self.seen_gone: asyncio.Queue[bool] = asyncio.Queue()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        exchange = exchange_in(scope)
        self.begun.put_nowait(exchange)
        await LightEvent().wait(unless=exchange.gone)
        self.seen_gone.put_nowait(exchange.gone.is_set())


async def test_a_caller_that_waits_for_the_answer_is_there() -> None:
    poll = Poll()
    async with process(poll) as (_, connect):
        _, writer = await connect()
        writer.write(REQUEST)
        assert not (await poll.begun.get()).gone.is_set()
        assert poll.seen_gone.empty()


@pytest.mark.parametrize("hang_up", HANG_UPS)
async def test_one_that_hangs_up_is_gone_in_that_moment(
    monkeypatch: pytest.MonkeyPatch, hang_up: HangUp
) -> None:
    """An answer that is written before the next turn of the event loop goes nowhere too."""
    poll = Poll()
    was_gone: asyncio.Queue[bool] = asyncio.Queue()
    async with process(poll) as (serving, connect):
        _, writer = await connect()
        writer.write(REQUEST)
        exchange = await poll.begun.get()
        eof_received = serving.last.eof_received

        def told() -> None:
            eof_received()
            was_gone.put_nowait(exchange.gone.is_set())

        monkeypatch.setattr(type(serving.last), "eof_received", lambda _: told())
        hang_up(writer)
        assert await was_gone.get()


@pytest.mark.parametrize("hang_up", HANG_UPS)
@pytest.mark.parametrize(
    "sent", [REQUEST, REQUEST.replace(b"Host", b"Connection: close\r\nHost")], ids=["", "close"]
)
async def test_and_its_wait_is_over(hang_up: HangUp, sent: bytes) -> None:
    poll = Poll()
    async with process(poll) as (_, connect):
        _, writer = await connect()
        writer.write(sent)
        await poll.begun.get()
        hang_up(writer)
        assert await poll.seen_gone.get()


@pytest.mark.parametrize("requests", [2, 20, 100_000])
@pytest.mark.parametrize("hang_up", HANG_UPS)
async def test_one_behind_whose_request_another_stands_is_soon_known_to_be_gone(
    hang_up: HangUp, requests: int
) -> None:
    """Nothing is read from it meanwhile, so that nobody tells of its end."""
    poll = Poll()
    async with process(poll) as (serving, connect):
        _, writer = await connect()
        writer.write(REQUEST * requests)
        exchange = await poll.begun.get()
        serving.connections.enforce()
        assert not exchange.gone.is_set()
        hang_up(writer)
        while not exchange.gone.is_set():
            await asyncio.sleep(0.01)
            serving.connections.enforce()
        assert await poll.seen_gone.get()


@pytest.mark.parametrize("hang_up", HANG_UPS)
async def test_a_body_that_will_never_be_whole_is_none(hang_up: HangUp) -> None:
    received: asyncio.Queue[str] = asyncio.Queue()

    async def reads(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            received.put_nowait(message["type"])
            if message["type"] == "http.disconnect":
                return
            assert message["more_body"]

    async with process(reads) as (_, connect):
        _, writer = await connect()
        writer.write(REQUEST.replace(b"Length: 2", b"Length: 3"))
        assert await received.get() == "http.request"
        hang_up(writer)
        assert await received.get() == "http.disconnect"


class Hands:
    """An application that hands out a large answer, and notes whether it was taken."""

    def __init__(self, size: int = LARGE) -> None:
        self.size = size
        self.may_answer = asyncio.Event()
        self.asked = asyncio.Event()
        self.taken: asyncio.Queue[bool] = asyncio.Queue()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        await self.may_answer.wait()
        await answer(send, b"x" * self.size)
        self.taken.put_nowait(await is_taken(exchange_in(scope)))


@pytest.mark.parametrize("size", [2, LARGE])
async def test_an_answer_is_taken_once_all_of_it_has_left(size: int) -> None:
    hands = Hands(size)
    hands.may_answer.set()
    async with process(hands) as (_, connect):
        reader, writer = await connect()
        writer.write(REQUEST)
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(1)
        if size == LARGE:
            assert hands.taken.empty()
        await reader.readexactly(size - 1)
        assert await hands.taken.get()


@pytest.mark.parametrize("hang_up", HANG_UPS)
async def test_it_is_not_if_the_caller_was_gone_before(hang_up: HangUp) -> None:
    hands = Hands(2)
    async with process(hands) as (serving, connect):
        _, writer = await connect()
        writer.write(REQUEST)
        await hands.asked.wait()
        hang_up(writer)
        await serving.last.lost.wait()
        hands.may_answer.set()
        assert not await hands.taken.get()


async def test_it_is_not_if_the_connection_is_lost_before_its_end() -> None:
    hands = Hands()
    hands.may_answer.set()
    async with process(hands) as (serving, connect):
        reader, writer = await connect()
        writer.write(REQUEST)
        await reader.readexactly(1000)
        assert hands.taken.empty()
        serving.last.abort()
        assert not await hands.taken.get()


async def test_it_is_not_if_the_caller_leaves_in_its_middle() -> None:
    hands = Hands()
    hands.may_answer.set()
    async with process(hands) as (_, connect):
        reader, writer = await connect()
        writer.write(REQUEST)
        await reader.readexactly(1000)
        writer.transport.abort()
        assert not await hands.taken.get()


async def test_who_sends_no_more_and_reads_on_gets_what_was_under_way() -> None:
    hands = Hands()
    hands.may_answer.set()
    async with process(hands) as (_, connect):
        reader, writer = await connect()
        writer.write(REQUEST)
        await reader.readuntil(b"\r\n\r\n")
        writer.write_eof()
        assert len(await reader.read()) == LARGE
        assert await hands.taken.get()


async def test_being_asked_for_the_body_is_not_having_the_answer() -> None:
    """Else what is handed out to who hangs up then would be nobody's."""
    exchanges: asyncio.Queue[Exchange] = asyncio.Queue()
    gave_back = asyncio.Event()

    async def hands_out(scope: Scope, receive: Receive, send: Send) -> None:
        exchange = exchange_in(scope)
        exchanges.put_nowait(exchange)
        await receive()
        await LightEvent().wait(unless=exchange.gone)
        await answer(send, b"{}")
        exchange.unless_taken(gave_back.set)

    async with process(hands_out) as (_, connect):
        reader, writer = await connect()
        head, body = REQUEST[:-6] + b"\r\nExpect: 100-continue\r\n\r\n", REQUEST[-2:]
        writer.write(head)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        await exchanges.get()
        writer.close()
        await gave_back.wait()
