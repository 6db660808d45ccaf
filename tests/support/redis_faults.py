"""What can befall Redis, and how each ends."""

import os
import signal
import time
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
def restored(server: ValkeyServer) -> Iterator[None]:
    """Killed, and started again from what it had saved before."""
    with connected(server) as connection:
        connection.save()
    yield
    server.kill()
    server.start()


@contextmanager
def failed_over(server: ValkeyServer) -> Iterator[None]:
    """Killed, and a replica that lacks the last writes has taken its place."""
    replica = ValkeyServer(server.home.parent / "replica")
    replica.start()
    with connected(server) as connection, connected(replica) as other:
        password = connection.config_get("requirepass")["requirepass"]
        connection.config_set("repl-diskless-sync-delay", 0)
        other.config_set("masterauth", password)
        other.replicaof("127.0.0.1", str(server.port))
        while other.info("replication")["master_link_status"] != "up":
            time.sleep(0.02)
        assert connection.wait(1, 400) == 1
        other.replicaof("NO", "ONE")
        yield
        server.kill()
        other.config_set("requirepass", password)
        other.config_set("port", server.port)
    server._child = replica.child


@contextmanager
def paused(server: ValkeyServer) -> Iterator[None]:
    """It answers who only reads, and nobody else, as when its role is handed over."""
    with connected(server) as connection:
        connection.client_pause(600_000, all=False)
        yield
        connection.client_unpause()


@contextmanager
def full(server: ValkeyServer) -> Iterator[None]:
    """It reads and deletes, and stores nothing."""
    with connected(server) as connection:
        before = connection.config_get("maxmemory")["maxmemory"]
        connection.config_set("maxmemory", 1)
        yield
        connection.config_set("maxmemory", before)


@contextmanager
def refusing(server: ValkeyServer) -> Iterator[None]:
    """It answers who only reads, and deletes nothing either, as when it cannot save."""
    with connected(server) as connection:
        connection.config_set("min-replicas-to-write", 1)
        yield
        connection.config_set("min-replicas-to-write", 0)


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
    *(killed, stopped, flushed, restarted, restored, failed_over),
    *(paused, full, locked, locked_out),
)
