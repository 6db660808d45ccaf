"""`rowlock dev`: the whole platform on this machine, from nothing, until Ctrl-C.

Parts start as MySQL, Valkey, migration, scheduler, API, and end in the opposite order. No part is
restarted: one that dies takes the rest down with a message, so that a fault is seen, not hidden.
"""

import http.client
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

from app.local.banner import Banner, own_name
from app.local.child import Child
from app.local.dev_settings import DevSettings
from app.local.errors import LocalError
from app.local.lock import DirectoryLock
from app.local.lookup import find_server
from app.local.mysql import MySQLServer
from app.local.ports import is_held_by, require_free
from app.local.supervisor import Say, Supervisor, stop_signals_interrupt
from app.local.valkey import ValkeyServer

_MIGRATE_SECONDS = 600.0
_READY_SECONDS = 60.0
_STOP_SECONDS = 15.0


def say_on_terminal(line: str) -> None:
    """One write a line, as several threads speak; a terminal that is gone stops nothing."""
    with suppress(OSError):
        print(f"{line}\n", end="", flush=True)


def run_dev(
    environment: Mapping[str, str] | None = None,
    *,
    command: Sequence[str] | None = None,
    say: Say = say_on_terminal,
) -> int:
    """Run until Ctrl-C (0), or until something fails (1, after saying what, and what to do).

    `command` is what runs `migrate`, `serve` and `scheduler`; by default it is Rowlock itself.
    """
    try:
        with stop_signals_interrupt():
            _Dev(os.environ if environment is None else environment, command, say).run()
    except (LocalError, OSError) as error:
        print(f"\nrowlock dev: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


def own_command() -> list[str]:
    """How to run this program again; frozen into one executable it takes `-m` as Python does."""
    # Not what lies in the folder from which it was started: that may be anybody's project.
    safe = [] if getattr(sys, "frozen", False) else ["-P"]
    return [sys.executable, *safe, "-m", "rowlock"]


class _Dev:
    def __init__(
        self, environment: Mapping[str, str], command: Sequence[str] | None, say: Say
    ) -> None:
        self._settings = DevSettings.read(environment)
        self._environment = dict(environment)
        self._command = list(command or own_command())
        self._say = say
        self._parts = Supervisor(say)

    def run(self) -> None:
        """Start everything, say where it is, keep watch; in the end leave nothing running."""
        home = self._settings.home
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LocalError(
                f"The data directory cannot be created: {error}. Set ROWLOCK_HOME to another."
            ) from error
        lock = DirectoryLock(home)
        lock.acquire()
        try:
            require_free(self._settings.host, self._settings.port)
            self._start()
            self._parts.watch()
        except KeyboardInterrupt:
            self._say("\nStopping …")
        except LocalError:
            if self._parts.are_any:
                self._say("\nAn error occurred; stopping …")
            raise
        finally:
            self._parts.stop()
            lock.release()
        self._say(f"Stopped. The data is kept in {home} for the next start.")

    def _start(self) -> None:
        settings = self._settings
        mysql = None if settings.database_url else self._launch_mysql()
        valkey = None if settings.redis_url is not None else self._launch_valkey()
        if mysql:
            mysql.wait_ready()
        if valkey:
            valkey.wait_ready()
        database_url = settings.database_url or (mysql.url if mysql else "")
        redis_url = valkey.url if valkey else settings.redis_url or ""
        self._environment |= {
            "ROWLOCK_DATABASE_URL": database_url,
            "ROWLOCK_REDIS_URL": redis_url,
            "ROWLOCK_HOST": settings.host,
            "ROWLOCK_PORT": str(settings.port),
            "PYTHONUNBUFFERED": "1",
        }
        self._environment.setdefault("ROWLOCK_LOG_FORMAT", "console")
        self._migrate()
        self._launch("scheduler", "scheduler")
        self._wait_ready(self._launch("API", "serve"))
        self._say(
            Banner(
                url=settings.url,
                home=settings.home,
                mysql=database_url,
                redis=redis_url,
                mysql_password_file=mysql.password_file if mysql else None,
                redis_password_file=valkey.configuration if valkey else None,
                tokens_needed=settings.has_tokens,
                rowlock=own_name(),
                # Not into a log, which others may read, and which is kept.
                shows_passwords=sys.stdout.isatty(),
            ).text()
        )

    def _launch_mysql(self) -> MySQLServer:
        server = MySQLServer(
            self._settings.home / "mysql",
            binary=find_server(self._say),
            buffer_pool_mib=self._settings.buffer_pool_mib,
        )
        new = "" if server.is_initialised else ", creating its data directory"
        self._say(f"Starting {server.binary}{new} …")
        server.launch()
        self._parts.add(server.child, server.stop)
        return server

    def _launch_valkey(self) -> ValkeyServer:
        server = ValkeyServer(self._settings.home / "valkey")
        server.launch()
        self._parts.add(server.child, server.stop)
        return server

    def _launch(self, name: str, verb: str) -> Child:
        child = self._child(name, verb)
        self._parts.add(child, partial(child.stop, _STOP_SECONDS))
        return child

    def _child(self, name: str, verb: str) -> Child:
        return Child(
            name,
            [*self._command, verb],
            echo=lambda line: self._say(f"{name:>9} | {line}"),
            environment=self._environment,
        )

    def _migrate(self) -> None:
        migration = self._child("migration", "migrate")
        if migration.wait(_MIGRATE_SECONDS) != 0:
            self._parts.require_all_alive()
            raise LocalError(
                f"The migration of the database {migration.how_it_ended()}.{migration.last_words()}"
            )

    def _wait_ready(self, api: Child) -> None:
        give_up_at = time.monotonic() + _READY_SECONDS
        while (answer := self._ask_ready(api)) is not None:
            self._parts.require_all_alive()
            if time.monotonic() > give_up_at:
                raise LocalError(
                    f"The API is not ready after {_READY_SECONDS:g} s; GET /readyz says: {answer}"
                )
            time.sleep(0.05)

    def _ask_ready(self, api: Child) -> str | None:
        """None once it is ready, else what it says."""
        settings = self._settings
        if not is_held_by(settings.port, pid=api.pid):
            return "nothing, because it is not listening yet"  # another program may, and answer too
        connection = http.client.HTTPConnection(settings.reachable_host, settings.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            body = response.read(2000).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return str(error)
        finally:
            connection.close()
        return None if response.status == http.client.OK else f"{response.status} {body}"
