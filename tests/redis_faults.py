"""What can befall Redis, and how each ends."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

import redis

from app.local.valkey import ValkeyServer

Fault = Callable[[ValkeyServer], AbstractContextManager[object]]


def connected(server: ValkeyServer) -> redis.Redis:
    """A connection beside the service's; it stays allowed whatever the password becomes."""
    connection = redis.Redis.from_url(server.url, single_connection_client=True, socket_timeout=0.5)
    connection.ping()
    return connection


@contextmanager
def killed(server: ValkeyServer) -> Iterator[None]:
    """It comes back empty."""
    server.kill()
    yield
    server.start()


@contextmanager
def stopped(server: ValkeyServer) -> Iterator[None]:
    """It hangs, and refuses nothing."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


@contextmanager
def flushed(server: ValkeyServer) -> Iterator[None]:
    with connected(server) as connection:
        connection.flushall()
    yield


@contextmanager
def restarted(server: ValkeyServer) -> Iterator[None]:
    """Empty, before anybody has noticed."""
    server.kill()
    server.start()
    yield


@contextmanager
def full(server: ValkeyServer) -> Iterator[None]:
    """It reads and deletes, and stores nothing."""
    with connected(server) as connection:
        before = connection.config_get("maxmemory")["maxmemory"]
        connection.config_set("maxmemory", 1)
        yield
        connection.config_set("maxmemory", before)


@contextmanager
def locked(server: ValkeyServer) -> Iterator[redis.Redis]:
    """Its password is changed; whoever was in stays in."""
    with connected(server) as connection:
        before = connection.config_get("requirepass")["requirepass"]
        connection.config_set("requirepass", "another")
        yield connection
        connection.config_set("requirepass", before)


@contextmanager
def locked_out(server: ValkeyServer) -> Iterator[None]:
    """Its password is changed, and everybody has to come in anew."""
    with locked(server) as connection:
        connection.client_kill_filter(_type="normal", skipme=True)
        yield


FAULTS: Final[tuple[Fault, ...]] = (
    *(killed, stopped, flushed, restarted),
    *(full, locked, locked_out),
)
