"""Everything that can be killed or stopped, each started again the same way."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from app.local.child import Child
from app.local.mysql import MySQLServer
from app.local.valkey import ValkeyServer
from tests.trials.chaos.relay import Relay


class Part(Protocol):
    """Something that runs."""

    name: str

    def start(self) -> None: ...
    def kill(self) -> None: ...

    @property
    def pid(self) -> int: ...

    @property
    def is_running(self) -> bool: ...


class Process:
    """A `python -m …` of ours."""

    def __init__(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], home: Path
    ) -> None:
        self.name = name
        self._command = [sys.executable, "-m", *arguments]
        self._environment = environment
        self._log = home / f"{name}.log"
        self._child: Child | None = None

    def start(self) -> None:
        self._child = Child(self.name, self._command, log=self._log, environment=self._environment)

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()

    def stop(self, seconds: float) -> None:
        """In order."""
        if self._child is not None:
            self._child.stop(seconds)

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.exit_code() is None


class Server:
    """MySQL or Valkey, always on the port it first had."""

    def __init__(self, name: str, server: MySQLServer | ValkeyServer) -> None:
        self.name = name
        self._server = server

    def start(self) -> None:
        self._server.start()

    def kill(self) -> None:
        self._server.kill()

    def stop(self) -> None:
        """In order."""
        self._server.stop()

    @property
    def pid(self) -> int:
        return self._server.pid

    @property
    def is_running(self) -> bool:
        return self._server.child.exit_code() is None


class Host:
    """The machine of an API: the process, and its links to MySQL and Redis."""

    def __init__(self, api: Process, mysql: Relay, redis: Relay) -> None:
        self.api = api
        self.mysql = mysql
        self.redis = redis


def freeze(part: Part) -> None:
    """It hangs: it neither answers nor refuses."""
    os.kill(part.pid, signal.SIGSTOP)


def thaw(part: Part) -> None:
    """It goes on as if nothing had been."""
    os.kill(part.pid, signal.SIGCONT)
