"""A data directory: made once, whole or not at all, and marked with the server it belongs to."""

import json
import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.local.binary import Flavour, ServerBinary
from app.local.child import Child
from app.local.errors import LocalError

USER = "rowlock"
DATABASE = "rowlock"
_MARK = "rowlock-server.json"
_INITIALISE_SECONDS = 180.0

# The order in which mariadb-install-db feeds them to the server. From MariaDB 11 on `mysql_` is
# `mariadb_`.
_MARIADB_SCRIPTS = (
    "mysql_system_tables.sql",
    "mysql_performance_tables.sql",
    "mysql_system_tables_data.sql",
    "fill_help_tables.sql",
    "maria_add_gis_sp_bootstrap.sql",
    "mysql_sys_schema.sql",
)


@dataclass(frozen=True)
class DataDirectory:
    path: Path
    password: str

    @property
    def password_file(self) -> Path:
        return self.path / _MARK


def open_data_directory(
    path: Path, binary: ServerBinary, options: Sequence[str], log: Path
) -> DataDirectory:
    """The data directory at this path, initialised first if it is new; another flavour's, refused.

    The accounts get their password while the server is not yet reachable by anyone, and the
    directory takes its name only when it is complete: an interrupted attempt is started afresh.
    """
    if not path.exists():
        _initialise(path, binary, options, log)
    try:
        mark = json.loads((path / _MARK).read_text())
        flavour, password = Flavour(mark["flavour"]), str(mark["password"])
    except (OSError, ValueError, KeyError) as error:
        raise LocalError(
            f"{path} was not created by Rowlock, or its {_MARK} is damaged ({error}). "
            "Move it away, or set ROWLOCK_HOME to another directory."
        ) from error
    if flavour is not binary.flavour:
        raise LocalError(
            f"The data in {path} belongs to {flavour} {mark.get('version', '')}, but the server "
            f"found is {binary} ({binary.path}). Set ROWLOCK_MYSQLD to a {flavour} server, or "
            "ROWLOCK_HOME to another directory to start with empty data."
        )
    return DataDirectory(path, password)


def _initialise(path: Path, binary: ServerBinary, options: Sequence[str], log: Path) -> None:
    fresh = path.with_name(path.name + ".new")
    script = path.with_name("initialise.sql")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    password = secrets.token_hex(16)
    try:
        command = [*binary.command, "--no-defaults", *binary.options, *options]
        command.append(f"--datadir={fresh}")
        if binary.flavour is Flavour.MYSQL:
            _write_private(script, _accounts(password))
            command += ["--initialize-insecure", f"--init-file={script}"]
            child = Child("initialising MySQL", command, log=log)
        else:
            _write_private(script, _mariadb_bootstrap(binary, password))
            command.append("--bootstrap")
            child = Child("initialising MariaDB", command, log=log, stdin=script)
        if child.wait(_INITIALISE_SECONDS) != 0:
            raise LocalError(
                f"{binary} could not create its data directory {path}: it "
                f"{child.how_it_ended()}.{child.last_words()}{_confinement_hint(binary)}"
            )
        version = ".".join(map(str, binary.version))
        mark = {"flavour": binary.flavour, "version": version, "user": USER, "password": password}
        _write_private(fresh / _MARK, json.dumps(mark) + "\n")
        fresh.rename(path)
    finally:
        script.unlink(missing_ok=True)


def _accounts(password: str) -> str:
    """One statement a line, as --init-file wants it."""
    accounts = [f"'{USER}'@'{host}'" for host in ("127.0.0.1", "localhost")]
    return "\n".join(
        [
            f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';",
            *(f"CREATE USER {account} IDENTIFIED BY '{password}';" for account in accounts),
            *(f"GRANT ALL ON *.* TO {account} WITH GRANT OPTION;" for account in accounts),
            f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4;",
            "",
        ]
    )


def _mariadb_bootstrap(binary: ServerBinary, password: str) -> str:
    scripts = [binary.script(n, n.replace("mysql_", "mariadb_")) for n in _MARIADB_SCRIPTS]
    system = [script.read_text(errors="surrogateescape") for script in scripts]
    return "\n".join(
        [
            "CREATE DATABASE IF NOT EXISTS mysql;",
            "USE mysql;",
            "SET @auth_root_socket=NULL;",
            *system,
            "USE mysql;",
            "DELETE FROM global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');",
            "FLUSH PRIVILEGES;",
            _accounts(password),
        ]
    )


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w", errors="surrogateescape") as file:
        file.write(text)
        file.flush()
        os.fsync(fd)


def _confinement_hint(binary: ServerBinary) -> str:
    profile = Path("/etc/apparmor.d/usr.sbin.mysqld")
    if str(binary.path) != "/usr/sbin/mysqld" or not profile.exists():
        return ""
    return (
        f"\nAppArmor ({profile}) may deny it access to this directory; "
        "set ROWLOCK_MYSQLD to another server, or ROWLOCK_DATABASE_URL to a running one."
    )
