"""Real servers for a run, durable, in a directory of its own; nothing is left of them after."""

import http.client
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, Self

import pymysql
from sqlalchemy.engine import make_url

from app.local.child import Child
from app.local.mysql import MySQLServer
from app.local.ports import free_port
from app.local.valkey import ValkeyServer
from app.mysql import migration
from app.settings import Settings
from bench.result import BenchError

READY_SECONDS: Final = 30.0
STOP_SECONDS: Final = 20.0
# Of the 24 GiB of the machine; what ten million tasks take fits in.
BUFFER_POOL_MIB: Final = {False: 1024, True: 8192}
# What MySQL's own defaults, or an administrator, would give a server of that size.
_OPTIONS: Final = ("--loose-innodb-redo-log-capacity=2G", "--loose-innodb-log-file-size=2G")


class Stack:
    """One MySQL and one Valkey; a database on them for each benchmark."""

    def __init__(self, *, is_large: bool = False, home: Path | None = None) -> None:
        self._parts = ExitStack()
        self._is_large = is_large
        self._home = home
        self.mysql: MySQLServer
        self.valkey: ValkeyServer

    def __enter__(self) -> Self:
        home = Path(tempfile.mkdtemp(prefix="rowlock-bench-", dir=self._home))
        self._parts.callback(shutil.rmtree, home, ignore_errors=True)
        pool = BUFFER_POOL_MIB[self._is_large]
        mysql = MySQLServer(home / "mysql", extra=_OPTIONS, buffer_pool_mib=pool)
        valkey = ValkeyServer(home / "valkey")
        try:
            self.mysql = self._parts.enter_context(mysql)
            self.valkey = self._parts.enter_context(valkey)
        except BaseException:
            self._parts.close()
            raise
        self.logs = home
        return self

    def __exit__(self, *_: object) -> None:
        self._parts.close()

    @contextmanager
    def site(self, name: str) -> Iterator["Site"]:
        """A database with the schema in place, dropped at the end."""
        site = Site(f"bench_{name}", self, self.logs)
        try:
            yield site
        finally:
            site.close()


class Site:
    """One database, and the processes that serve it."""

    def __init__(self, name: str, stack: Stack, logs: Path) -> None:
        self.name = name
        self.stack = stack
        self._logs = logs
        self._processes: list[Process] = []
        self.settings = Settings(
            database_url=make_url(stack.mysql.url)
            .set(database=name)
            .render_as_string(hide_password=False),
            redis_url=stack.valkey.url,
            redis_prefix=f"{name}:",
            log_level="error",
        )
        self._sql = connect(stack.mysql.url)
        self.run(f"CREATE DATABASE {name}", f"USE {name}")
        migration.upgrade(self.settings)

    def connect(self) -> Any:
        """One more connection, for whoever needs its own."""
        return connect(self.settings.database_url)

    def run(self, *statements: str) -> None:
        for statement in statements:
            with self._sql.cursor() as cursor:
                cursor.execute(statement)

    def rows(self, statement: str) -> list[Any]:
        with self._sql.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def value(self, statement: str) -> Any:
        ((value,),) = self.rows(statement)
        return value

    def serve(self, *options: str, redis: bool = True) -> "Api":
        """An API process, ready."""
        environment = self._environment(redis=redis)
        api = Api(f"{self.name}-{len(self._processes)}", environment, self._logs, options)
        self._processes.append(api)
        api.wait_ready()
        return api

    def work(self, api: "Api", *options: str) -> "Process":
        """A `rowlock worker` on an API."""
        arguments = ["app", "worker", "--url", api.url, *options]
        return Process(f"{self.name}-worker", arguments, None, self._logs)

    def schedule(self, **more: str) -> None:
        """A scheduler process; `more` is added to its environment."""
        environment = self._environment(redis=True) | more
        name = f"{self.name}-scheduler"
        self._processes.append(Process(name, ["app", "scheduler"], environment, self._logs))

    def close(self) -> None:
        """Stop its processes and drop the database."""
        for process in reversed(self._processes):
            process.stop()
        self.run(f"DROP DATABASE {self.name}")
        self._sql.close()

    def _environment(self, *, redis: bool) -> dict[str, str]:
        settings = self.settings
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("ROWLOCK_")},
            "ROWLOCK_DATABASE_URL": settings.database_url,
            "ROWLOCK_REDIS_URL": (settings.redis_url or "") if redis else "",
            "ROWLOCK_REDIS_PREFIX": settings.redis_prefix or "",
            "ROWLOCK_LOG_LEVEL": "error",
        }


class Process:
    """A child with a port."""

    def __init__(
        self, name: str, arguments: list[str], environment: dict[str, str] | None, logs: Path
    ) -> None:
        command = [sys.executable, "-m", *arguments]
        self._child = Child(name, command, log=logs / f"{name}.log", environment=environment)

    @property
    def pid(self) -> int:
        return self._child.pid

    def stop(self) -> None:
        self._child.stop(STOP_SECONDS)

    def _wait_for(self, port: int, path: str) -> None:
        give_up_at = time.monotonic() + READY_SECONDS
        while not _answers(port, path):
            if self._child.exit_code() is not None or time.monotonic() > give_up_at:
                raise BenchError(f"{self._child.name} is not ready.{self._child.last_words()}")
            time.sleep(0.05)


class Api(Process):
    """A `rowlock serve`."""

    def __init__(
        self, name: str, environment: dict[str, str], logs: Path, options: tuple[str, ...]
    ) -> None:
        self.port = free_port()
        arguments = ["app", "serve", "--port", str(self.port), *options]
        super().__init__(name, arguments, environment, logs)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_ready(self) -> None:
        self._wait_for(self.port, "/readyz")


class Reference(Process):
    """`bench.reference`, served as the API is."""

    def __init__(self, logs: Path) -> None:
        self.port = free_port()
        super().__init__("reference", ["bench.reference", str(self.port)], None, logs)
        self._wait_for(self.port, "/tasks/1")


def connect(url: str) -> Any:
    """A plain connection, each statement its own transaction unless begun."""
    parts = make_url(url)
    return pymysql.connect(
        host=parts.host,
        port=parts.port or 3306,
        user=parts.username,
        password=parts.password or "",
        database=parts.database,
        charset="utf8mb4",
        autocommit=True,
    )


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
