"""What a connection is waited for and how long, and what it counts for meanwhile."""

import asyncio
from types import SimpleNamespace

import pytest
from starlette.types import Receive, Scope, Send

from app.http.connections import ANSWER_SECONDS, LINGER_SECONDS
from app.http.exchange import State
from app.http.outgoing import Outgoing
from tests.support.served import answer, exchange_in, is_taken, process, split, tells, told
from tests.support.steered_redis import Hands

BEGUN = b"POST /begun HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
ONE = b"GET /one HTTP/1.1\r\nHost: x\r\n\r\n"
IDLE, TRANSFER = 5.0, 60.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Hands:
    """By which connections are waited for."""
    hands = Hands()
    monkeypatch.setattr("app.http.connections.time", SimpleNamespace(monotonic=hands.monotonic))
    return hands


class Waits:
    """An application that answers when it may, once it has read what was asked."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        self.asked.set()
        await self.may_answer.wait()
        await answer(send, b"{}")


@pytest.mark.parametrize("more", [b"", b"\r\nhel"])
async def test_a_request_that_came_with_the_end_of_another_has_its_time_too(
    clock: Hands, more: bytes
) -> None:
    async with process(tells) as (serving, connect):
        reader, writer = await connect()
        writer.write(ONE + BEGUN + more)
        assert await reader.readuntil(b"}")
        clock.seconds += TRANSFER - 1
        serving.connections.enforce()
        assert serving.last.state in {State.HEAD, State.BODY}
        clock.seconds += 2
        serving.connections.enforce()
        ((status, headers, _),) = split(await reader.read())
        assert (status, headers["connection"]) == (408, "close")


async def test_a_head_and_its_body_have_one_time_together(clock: Hands) -> None:
    async with process(tells) as (serving, connect):
        reader, _ = await connect()
        serving.last.data_received(BEGUN)
        clock.seconds += TRANSFER - 1
        serving.last.data_received(b"\r\nhel")
        serving.connections.enforce()
        assert serving.last.state is State.BODY
        clock.seconds += 2
        serving.connections.enforce()
        assert split(await reader.read())[0][0] == 408


async def test_who_brings_no_request_is_let_go(clock: Hands) -> None:
    async with process(tells) as (serving, connect):
        reader, writer = await connect()
        for _ in range(3):
            writer.write(ONE)
            assert await reader.readuntil(b"}")
            clock.seconds += IDLE - 1
            serving.connections.enforce()
        assert serving.last.state is State.IDLE
        clock.seconds += 2
        serving.connections.enforce()
        assert await reader.read() == b""


@pytest.mark.parametrize("behind", [b"", BEGUN, BEGUN + b"\r\nhel"])
async def test_who_waits_for_an_answer_is_not_timed_whatever_comes_behind(
    clock: Hands, behind: bytes
) -> None:
    application = Waits()
    async with process(application) as (serving, connect):
        reader, writer = await connect()
        writer.write(ONE + behind)
        await application.asked.wait()
        clock.seconds += 100 * TRANSFER
        serving.connections.enforce()
        assert serving.last.state is State.ANSWERING
        application.may_answer.set()
        assert await reader.readuntil(b"}")
        # What came behind has all its time from now on.
        clock.seconds += IDLE - 1
        serving.connections.enforce()
        assert not serving.last.lost.is_set()
        if behind:
            serving.last.data_received((BEGUN + b"\r\nhello")[len(behind) :])
            assert await reader.readuntil(b"}")


async def test_who_has_the_last_answer_may_read_it_for_a_moment(clock: Hands) -> None:
    async with process(tells) as (serving, connect):
        reader, _ = await connect()
        serving.last.data_received(b"hello\r\n")
        assert split(await reader.read())[0][0] == 400
        assert serving.last.state is State.LINGERING
        clock.seconds += LINGER_SECONDS + 1
        serving.connections.enforce()
        await serving.last.lost.wait()


async def test_an_answer_that_is_not_taken_is_cut_off(clock: Hands) -> None:
    taken: asyncio.Queue[bool] = asyncio.Queue()
    begun = asyncio.Event()

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, b"x" * 50_000_000)
        begun.set()
        taken.put_nowait(await is_taken(exchange_in(scope)))

    async with process(large) as (serving, connect):
        _, writer = await connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(ONE)
        await begun.wait()
        clock.seconds += TRANSFER - 1
        serving.connections.enforce()
        assert taken.empty()
        clock.seconds += 2
        serving.connections.enforce()
        assert await taken.get() is False


async def test_what_was_sent_counts_until_it_is_answered() -> None:
    application = Waits()
    async with process(application) as (serving, connect):
        reader, writer = await connect()
        writer.write(BEGUN + b"\r\nhello" + ONE)
        await application.asked.wait()
        assert serving.last.held_bytes >= len(BEGUN + b"\r\nhello" + ONE)
        application.may_answer.set()
        for _ in range(2):
            assert await reader.readuntil(b"}")
        assert serving.last.held_bytes == 0


async def test_or_for_its_head_alone_where_the_body_is_needed_no_longer() -> None:
    application = Waits()
    dropped = asyncio.Event()

    async def drops(scope: Scope, receive: Receive, send: Send) -> None:
        exchange_in(scope).drop_body()
        dropped.set()
        await application(scope, receive, send)

    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\nX-Long: %b\r\n\r\n" % (
        b"x" * 999
    )
    async with process(drops) as (serving, connect):
        reader, writer = await connect()
        writer.write(head + b"x" * 10_000)
        await dropped.wait()
        assert 999 < serving.last.held_bytes <= len(head)
        application.may_answer.set()
        assert await reader.readuntil(b"}")
        assert serving.last.held_bytes == 0


async def test_memory_is_made_by_those_who_send_and_by_nobody_who_waits() -> None:
    application = Waits()
    begun = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 600_000
    async with process(application, transfer_memory_mib=1) as (serving, connect):
        polling, writer = await connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n" + b"x" * 9)
        await application.asked.wait()
        first, _ = await connect()
        # Past the socket, which would bring it in parts.
        serving.last.data_received(begun)
        _, writer = await connect()
        writer.write(begun)
        ((status, headers, _),) = split(await first.read())
        assert (status, headers["retry-after"]) == (503, "1")
        application.may_answer.set()
        assert await polling.readuntil(b"}")


async def test_the_longest_idle_makes_room_for_one_more() -> None:
    async with process(tells, limit=2) as (_, connect):
        first, _ = await connect()
        second, writer = await connect()
        await connect()
        assert await first.read() == b""
        writer.write(b"GET /still-there HTTP/1.0\r\n\r\n")
        assert told(await second.read())[0]["path"] == "/still-there"


async def test_what_took_its_time_to_arrive_is_answered_where_memory_is_short(
    clock: Hands,
) -> None:
    """It is no long poll: what it asks for may be done at this moment."""
    waits = Waits()
    async with process(waits, limit=4, transfer_memory_mib=1) as (serving, connect):
        reader, writer = await connect()
        writer.write(BEGUN.replace(b"5", b"600000") + b"\r\n" + b"x" * 300_000)
        slow = serving.last
        while slow.state is not State.BODY:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        clock.seconds += ANSWER_SECONDS + 1
        writer.write(b"x" * 300_000)
        await waits.asked.wait()
        other, sending = await connect()
        sending.write(BEGUN.replace(b"5", b"900000") + b"\r\n" + b"x" * 800_000)
        ((status, _, _),) = split(await other.read())
        assert status == 503
        waits.may_answer.set()
        assert await reader.readuntil(b"}")


async def test_an_answer_that_cannot_be_sent_is_nobody_elses_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with process(tells) as (serving, connect):
        await connect()
        first, lost = serving.last, serving.last.lost
        reader, _ = await connect()

        send = Outgoing.send

        def fails(outgoing: Outgoing) -> None:
            if outgoing is first._outgoing:
                raise RuntimeError("a bug")
            send(outgoing)

        monkeypatch.setattr(Outgoing, "send", fails)
        first.data_received(ONE)
        serving.last.data_received(ONE)
        assert await reader.readuntil(b"}")
        await lost.wait()


async def test_who_comes_while_the_process_stops_is_told_so() -> None:
    async with process(tells) as (serving, connect):
        serving.connections.are_closing = True
        reader, _ = await connect()
        assert await reader.read() == b""


async def test_where_memory_is_short_what_stands_behind_is_sent_again(clock: Hands) -> None:
    """The one that is being answered is, and says that no other will be."""
    waits = Waits()
    async with process(waits, limit=4, transfer_memory_mib=1) as (serving, connect):
        reader, writer = await connect()
        writer.write(ONE)
        await waits.asked.wait()
        serving.last.data_received(ONE * 8)
        serving.connections.holds(serving.last, 2_000_000)
        waits.may_answer.set()
        ((status, headers, _),) = split(await reader.read())
        assert (status, headers["connection"]) == (200, "close")
