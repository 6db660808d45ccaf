"""The platform as its users run it: real processes on a database of their own, stopped in order."""

import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from app.local.child import Child
from app.local.ports import free_port, is_held_by
from app.mysql import migration
from app.settings import Settings

FROM_THE_CHECKOUT = (sys.executable, "-m", "app")
# Generous: on a busy machine a program takes long to begin.
READY_SECONDS = 90.0
STOP_SECONDS = 45.0

ServeWith = Callable[[Mapping[str, str]], "Api"]


def until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Return as soon as it holds, looking every few milliseconds; fail after so long."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, f"after {seconds:g} s: not {what}"
        time.sleep(0.02)


class Process:
    """One running part. Its output is in `log`."""

    def __init__(
        self,
        name: str,
        environment: dict[str, str],
        home: Path,
        *arguments: str,
        command: Sequence[str] = FROM_THE_CHECKOUT,
    ) -> None:
        self.log = home / f"{name}.log"
        self._child = Child(name, [*command, *arguments], log=self.log, environment=environment)

    @property
    def is_running(self) -> bool:
        return self._child.exit_code() is None

    def exit_code(self, seconds: float = STOP_SECONDS) -> int:
        """Wait for its end, that long at most."""
        assert self._child.ends_within(seconds), f"still runs after {seconds:g} s{self.words}"
        code = self._child.exit_code()
        assert code is not None
        return code

    def children(self) -> list[int]:
        """The processes that it has started."""
        pid = self._child.pid
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]

    def signal(self, number: signal.Signals) -> None:
        """Tell it something, without waiting."""
        os.kill(self._child.pid, number)

    def stop(self) -> None:
        """Ask it to stop; it has to do so in order and in time."""
        self.signal(signal.SIGTERM)
        assert self.exit_code() == 0, self.words

    def kill(self) -> None:
        """End it as a crash would."""
        self._child.kill()

    @property
    def words(self) -> str:
        """Its last lines."""
        return self._child.last_words()


class Api(Process):
    """A `rowlock serve`, and a client to talk to it."""

    def __init__(
        self,
        name: str,
        environment: dict[str, str],
        home: Path,
        port: int,
        *options: str,
        command: Sequence[str] = FROM_THE_CHECKOUT,
    ) -> None:
        environment = environment | {"ROWLOCK_PORT": str(port)}
        super().__init__(name, environment, home, "serve", *options, command=command)
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.Client(base_url=self.url, timeout=90)

    def wait_ready(self) -> None:
        until(self._is_ready, f"ready on port {self.port}", READY_SECONDS)

    def answers(self) -> bool:
        """Whether it takes calls; it may not be ready to serve them."""
        try:
            return self.http.get("/healthz").is_success
        except httpx.TransportError:
            return False

    def _is_ready(self) -> bool:
        assert self.is_running, self.words
        if not is_held_by(self.port, pid=self._child.pid):
            return False  # somebody else's might answer there
        try:
            return self.http.get("/readyz").is_success
        except httpx.TransportError:
            return False


class Deployment:
    """The parts that run on one database. Leaving it stops them in order and drops the database.

    `command` is Rowlock; `environment`, in place of this process's, is what it finds around it;
    `settings` are set besides, by their names without `ROWLOCK_`.
    """

    def __init__(
        self,
        home: Path,
        *,
        database_url: str,
        redis_url: str | None,
        command: Sequence[str] = FROM_THE_CHECKOUT,
        environment: Mapping[str, str] = os.environ,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._home = home
        self._command = command
        self._server = database_url
        name = f"acceptance_{secrets.token_hex(4)}"
        url = make_url(database_url).set(database=name)
        self.database_url = url.render_as_string(hide_password=False)
        self._processes: list[Process] = []
        self._environment = {
            **{k: v for k, v in environment.items() if not k.startswith("ROWLOCK_")},
            "ROWLOCK_DATABASE_URL": self.database_url,
            "ROWLOCK_REDIS_URL": redis_url or "",
            "ROWLOCK_REDIS_PREFIX": f"{name}:",
            # Generous: a busy machine must not look like a broken Redis.
            "ROWLOCK_REDIS_TIMEOUT_SECONDS": "1",
            "ROWLOCK_SWEEP_INTERVAL_SECONDS": "0.2",
            **{f"ROWLOCK_{name}": value for name, value in (settings or {}).items()},
        }
        # As some servers still make them: the schema has to say itself what it needs.
        self.execute(f"CREATE DATABASE {name} CHARACTER SET latin1", on_server=True)
        # Not by the command, which has tests of its own: it takes a second each time.
        migration.upgrade(Settings(database_url=self.database_url))

    def run(self, verb: str, *options: str) -> Process:
        """A command that has run to its end."""
        process = self.start(verb, *options)
        process.exit_code(60)
        return process

    def start(self, verb: str, *options: str, command: Sequence[str] = ()) -> Process:
        """A command that ends by itself."""
        name = f"{verb}-{len(self._processes)}"
        process = Process(
            name, self._environment, self._home, verb, *options, command=command or self._command
        )
        self._processes.append(process)
        return process

    def serve(self, *options: str, port: int | None = None) -> Api:
        """An API, ready."""
        api = self._launch_api(port or free_port(), *options)
        api.wait_ready()
        return api

    def serve_twice(self) -> tuple[Api, Api]:
        """Two APIs, ready, which have started together."""
        one, two = self._launch_api(free_port()), self._launch_api(free_port())
        one.wait_ready()
        two.wait_ready()
        return one, two

    def schedule(self) -> Process:
        """A scheduler at work."""
        name = f"scheduler-{len(self._processes)}"
        process = Process(name, self._environment, self._home, "scheduler", command=self._command)
        self._processes.append(process)
        until(lambda: "scheduler_started" in process.log.read_text(), "started", READY_SECONDS)
        return process

    def execute(self, statement: str, *, on_server: bool = False) -> None:
        """Move time, and the like."""
        url = self._server if on_server else self.database_url
        engine = create_engine(Settings(database_url=url).sync_url)
        with engine.begin() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def count(self, statement: str) -> int:
        """What `SELECT COUNT(*) …` says."""
        engine = create_engine(Settings(database_url=self.database_url).sync_url)
        with engine.connect() as connection:
            found = int(connection.execute(text(statement)).scalar_one())
        engine.dispose()
        return found

    def _launch_api(self, port: int, *options: str) -> Api:
        name = f"serve-{len(self._processes)}"
        api = Api(name, self._environment, self._home, port, *options, command=self._command)
        self._processes.append(api)
        return api

    def close(self) -> None:
        """Stop what still runs, the last started first."""
        running = [process for process in reversed(self._processes) if process.is_running]
        for process in self._processes:
            if isinstance(process, Api):
                process.http.close()
        for process in running:
            process.signal(signal.SIGTERM)
        try:
            for process in running:
                assert process.exit_code() == 0, process.words
        finally:
            for process in running:
                process.kill()
            name = make_url(self.database_url).database
            self.execute(f"DROP DATABASE {name}", on_server=True)
