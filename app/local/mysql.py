"""A private MySQL (or MariaDB) server, as a child process on its own data directory."""

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pymysql
from pymysql.constants import ER

from app.local.binary import Flavour, ServerBinary
from app.local.child import Child
from app.local.datadir import DATABASE, USER, DataDirectory, open_data_directory
from app.local.errors import LocalError
from app.local.lock import DirectoryLock
from app.local.lookup import find_server
from app.local.ports import free_port

_SOCKET_PATH_LIMIT = 100
_STOP_SECONDS = 60.0
# Recovery after a crash reads the redo log; a big one on a slow disk takes minutes.
_READY_SECONDS = 600.0
_DENIED_SECONDS = 5.0

_SAFE = ("--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1")
_FAST = ("--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--innodb-doublewrite=0")


class MySQLServer:
    """A server that keeps its data in `home`, listens on 127.0.0.1 and wants a password.

    `fast` gives up durability and the binary log, for throw-away test servers. `extra` options
    are added last and so win. Start it from the main thread: it dies with the thread.
    """

    def __init__(
        self,
        home: Path,
        *,
        port: int | None = None,
        extra: Sequence[str] = (),
        fast: bool = False,
        buffer_pool_mib: int = 256,
        binary: ServerBinary | None = None,
    ) -> None:
        self.home = home.absolute()
        self.log = self.home / "mysql.log"
        self._data_path = self.home / "data"
        self._wanted_port = port
        self._port: int | None = None
        self._extra = tuple(extra)
        self._fast = fast
        self._buffer_pool_mib = buffer_pool_mib
        self._binary = binary
        self._lock = DirectoryLock(self.home)
        self._data: DataDirectory | None = None
        self._child: Child | None = None
        self._socket_directory: Path | None = None

    @property
    def binary(self) -> ServerBinary:
        if self._binary is None:
            self._binary = find_server()
        return self._binary

    @property
    def flavour(self) -> Flavour:
        return self.binary.flavour

    @property
    def version(self) -> tuple[int, int, int]:
        return self.binary.version

    @property
    def is_initialised(self) -> bool:
        return self._data_path.exists()

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
    def password(self) -> str:
        return self._started.password

    @property
    def password_file(self) -> Path:
        """Its owner alone may read it."""
        return self._started.password_file

    @property
    def _started(self) -> DataDirectory:
        if self._data is None:
            raise RuntimeError("the server has not been started")
        return self._data

    @property
    def url(self) -> str:
        return f"mysql://{USER}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._fast:
            self.kill()
        else:
            self.stop()

    def start(self) -> None:
        """Start it and wait until it answers; crash recovery is waited for."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start it without waiting until it answers; new data directories are made here."""
        if self._child and self._child.exit_code() is not None:
            self._clean_up()  # it died by itself
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.home / "tmp").mkdir(exist_ok=True)
        self._lock.acquire()
        try:
            options = self._options()
            self._data = open_data_directory(self._data_path, self.binary, options, self.log)
            self._port = self._choose_port()
            self._child = Child(
                str(self.binary.flavour),
                [
                    *self.binary.command,
                    "--no-defaults",
                    *self.binary.options,
                    *options,
                    f"--datadir={self._data.path}",
                    f"--port={self._port}",
                    f"--socket={self._socket()}",
                    *self._extra,
                ],
                log=self.log,
                keep_fds=(self._lock.fd,),
            )
        except BaseException:
            self._clean_up()
            raise

    def wait_ready(self, timeout_seconds: float = _READY_SECONDS) -> None:
        """Wait until it answers a query; a server that ends instead is an error with its log."""
        try:
            self._poll(time.monotonic() + timeout_seconds)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Shut it down in order; killed if that takes longer than a minute."""
        if self._child:
            self._child.stop(_STOP_SECONDS)
        self._clean_up()

    def kill(self) -> None:
        """End it at once, as a crash would. What was committed is there at the next start."""
        if self._child:
            self._child.kill()
        self._clean_up()

    def _poll(self, give_up_at: float) -> None:
        while not self._answers():
            if self.child.exit_code() is not None:
                raise LocalError(
                    f"{self.binary} {self.child.how_it_ended()} before it was ready."
                    f"{self.child.last_words()}"
                )
            if time.monotonic() > give_up_at:
                raise LocalError(
                    f"{self.binary} did not answer on port {self.port} in time."
                    f"{self.child.last_words()}"
                )
            time.sleep(0.03)

    def _options(self) -> list[str]:
        """`loose-` marks what only some versions know."""
        options = [
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            "--transaction-isolation=READ-COMMITTED",
            "--default-time-zone=+00:00",
            "--max-connections=500",
            "--innodb-lock-wait-timeout=5",
            f"--innodb-buffer-pool-size={self._buffer_pool_mib}M",
            "--loose-innodb-redo-log-capacity=256M",
            "--loose-mysqlx=OFF",
            f"--pid-file={self.home / 'mysql.pid'}",
        ]
        if self.flavour is Flavour.MYSQL:
            options.append("--secure-file-priv=NULL")
        else:
            # A MariaDB that starts deletes other servers' temporary tables from a common directory.
            # Relative to the data directory: the option takes several, with colons between.
            options.append("--tmpdir=../tmp")
        if os.geteuid() == 0:
            options.append("--user=root")
        if self._fast:
            return [*options, *_FAST]
        options += ["--server-id=1", "--log-bin=binlog", "--binlog-expire-logs-seconds=259200"]
        if self.flavour is Flavour.MARIADB:
            options.append("--binlog-format=ROW")  # the only one of MySQL
        return [*options, *_SAFE]

    def _choose_port(self) -> int:
        """The port of last time if it is free, so that clients find the server again."""
        if self._wanted_port is not None:
            return self._wanted_port
        note = self.home / "port"
        try:
            last = int(note.read_text())
        except (OSError, ValueError):
            last = None
        port = free_port(last)
        note.write_text(f"{port}\n")
        return port

    def _socket(self) -> Path:
        """A path short enough for a Unix socket; what a crash left there is in nobody's use."""
        directory = self.home
        if len(os.fsencode(directory / "mysql.sock")) > _SOCKET_PATH_LIMIT:
            directory = self._socket_directory = Path(
                tempfile.mkdtemp(prefix="rowlock-", dir="/tmp")
            )
        for left in ("mysql.sock", "mysql.sock.lock", "mysql.pid"):
            (directory / left).unlink(missing_ok=True)
        return directory / "mysql.sock"

    def _answers(self) -> bool:
        try:
            pymysql.connect(
                host="127.0.0.1",
                port=self.port,
                user=USER,
                password=self.password,
                database=DATABASE,
                connect_timeout=2,
            ).close()
        except pymysql.OperationalError as error:
            # Denied by our server, or by another one on that port: then ours is about to end.
            if error.args[0] != ER.ACCESS_DENIED_ERROR or self.child.ends_within(_DENIED_SECONDS):
                return False
            raise LocalError(
                f"{self.binary} rejects the password stored in {self._data_path}."
            ) from error
        except (pymysql.MySQLError, OSError):
            return False
        return True

    def _clean_up(self) -> None:
        if self._socket_directory:
            shutil.rmtree(self._socket_directory, ignore_errors=True)
            self._socket_directory = None
        self._lock.release()
