"""The relay of `make chaos` does to connections what networks do."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Self

import pytest

from app.local.ports import free_port
from tests.trials.chaos.relay import Relay

SOON_SECONDS = 30.0
NEVER_SECONDS = 0.3


class Echo(threading.Thread):
    """A server that sends back what it gets, and notes which connections have ended."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.got: list[bytes] = []
        self.ended = threading.Semaphore(0)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.join()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(1024):
                    self.got.append(data)
                    connection.sendall(data)
            except ConnectionError:
                pass
        self.ended.release()


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as echo:
        yield echo


@pytest.fixture
def relay(echo: Echo) -> Iterator[Relay]:
    relay = Relay(echo.port)
    relay.start()
    yield relay
    relay.close()


def call(relay: Relay) -> socket.socket:
    return socket.create_connection(("127.0.0.1", relay.port), timeout=SOON_SECONDS)


def says(connection: socket.socket, word: bytes) -> bytes:
    connection.sendall(word)
    return connection.recv(1024)


def hears_nothing(connection: socket.socket) -> bool:
    connection.settimeout(NEVER_SECONDS)
    try:
        connection.recv(1024)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(SOON_SECONDS)
    return False


def has_ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1024) == b""
    except ConnectionError:
        return True


def test_all_passes_both_ways_and_so_does_the_end(relay: Relay, echo: Echo) -> None:
    with call(relay) as connection:
        assert says(connection, b"hello") == b"hello"
    assert echo.ended.acquire(timeout=SOON_SECONDS)


def test_silence_takes_all_and_tells_nobody_of_an_end(relay: Relay, echo: Echo) -> None:
    with call(relay) as broken, call(relay) as unused:
        assert says(broken, b"before") == b"before"
        assert says(unused, b"before too") == b"before too"
        relay.silence()
        broken.sendall(b"lost")
        with call(relay) as later:
            later.sendall(b"lost as well")
            assert hears_nothing(broken)
            assert hears_nothing(later)
            relay.heal()
            # What has lost bytes is of no use any more, what has not goes on.
            later.sendall(b"still lost")
            broken.sendall(b"still lost")
            assert says(unused, b"after") == b"after"
            assert hears_nothing(later)
    assert echo.ended.acquire(timeout=SOON_SECONDS), "of the connection that lost nothing"
    assert not echo.ended.acquire(timeout=NEVER_SECONDS)
    assert echo.got == [b"before", b"before too", b"after"]
    with call(relay) as connection:
        assert says(connection, b"anew") == b"anew"


def test_an_end_in_silence_is_never_told(relay: Relay, echo: Echo) -> None:
    with call(relay) as connection:
        assert says(connection, b"hello") == b"hello"
        relay.silence()
    assert not echo.ended.acquire(timeout=NEVER_SECONDS)
    relay.heal()
    assert not echo.ended.acquire(timeout=NEVER_SECONDS)


def test_refused_is_what_is_new_and_cut_what_is_open(relay: Relay, echo: Echo) -> None:
    with call(relay) as connection:
        assert says(connection, b"hello") == b"hello"
        relay.refuse()
        assert has_ended(connection)
    with pytest.raises(ConnectionRefusedError):
        call(relay)
    relay.heal()
    with call(relay) as connection:
        assert says(connection, b"hello") == b"hello"
        relay.cut()
        assert has_ended(connection)
        with call(relay) as other:
            assert says(other, b"hello") == b"hello"


def test_slow_is_late_and_whole(relay: Relay) -> None:
    with call(relay) as connection:
        relay.slow(0.2)
        began = time.monotonic()
        assert says(connection, b"hello") == b"hello"
        assert time.monotonic() - began > 0.4, "there and back"


def test_what_is_waited_for_is_passed_on_before_its_answer_is(relay: Relay, echo: Echo) -> None:
    held = threading.Event()
    with call(relay) as connection:
        seen = relay.on_sight(b"FOR UPDATE", lambda: held.wait(SOON_SECONDS))
        connection.sendall(b"SELECT FOR UPDATE")
        assert hears_nothing(connection)
        assert not seen.is_set()
        held.set()
        assert connection.recv(1024) == b"SELECT FOR UPDATE"
        assert seen.wait(SOON_SECONDS)
        assert says(connection, b"SELECT FOR UPDATE") == b"SELECT FOR UPDATE", "once"


def test_a_server_that_is_away_is_a_connection_that_ends() -> None:
    relay = Relay(free_port())
    relay.start()
    with call(relay) as connection:
        assert has_ended(connection)
    relay.close()
