"""A MySQL or MariaDB server program: how to run it, and what it is."""

import re
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.local.child import system_environment
from app.local.errors import LocalError

_VERSION = re.compile(r"\b(?:Ver|from)\s+(\d+)\.(\d+)\.(\d+)(.*)", re.DOTALL)


class Flavour(StrEnum):
    MYSQL = "MySQL"
    MARIADB = "MariaDB"


# The first versions with SKIP LOCKED.
OLDEST = {Flavour.MYSQL: (8, 0, 1), Flavour.MARIADB: (10, 6, 0)}


@dataclass(frozen=True)
class ServerBinary:
    """`command` starts the server; `options` tell an unpacked one where its own files are."""

    flavour: Flavour
    version: tuple[int, int, int]
    path: Path
    command: tuple[str, ...]
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.flavour} {'.'.join(map(str, self.version))}"

    def script(self, *names: str) -> Path:
        """One of the SQL files that come with the server, by any of the names it has had."""
        prefix = self.path.resolve().parent.parent
        places = [prefix / "share" / place for place in ("mysql", "mariadb", ".")]
        for path in (place / name for place in places for name in names):
            if path.is_file():
                return path
        raise LocalError(
            f"{self} at {self.path} has no {' or '.join(names)} (searched "
            f"{', '.join(map(str, places))}), so its data directory cannot be created. "
            "Set ROWLOCK_MYSQLD to a complete server, or ROWLOCK_DATABASE_URL to a running one."
        )


def parse_version(text: str) -> tuple[Flavour, tuple[int, int, int]] | None:
    """What `mysqld --version` says, or None if that is not the answer of such a server."""
    found = _VERSION.search(text)
    if not found:
        return None
    major, minor, patch, rest = found.groups()
    flavour = Flavour.MARIADB if "mariadb" in rest.lower() else Flavour.MYSQL
    return flavour, (int(major), int(minor), int(patch))


def inspect(path: Path) -> ServerBinary:
    """The installed server at this path, if it runs here and is new enough."""
    return _ask(path, (str(path),), ())


def inspect_unpacked(root: Path) -> ServerBinary:
    """The server in a tree of unpacked packages, run by the loader and libraries of that tree."""
    loader = _first(root, "lib/*/ld-linux*.so.*", "usr/lib/*/ld-linux*.so.*", "lib/*/ld64.so.*")
    server = _first(root, "usr/sbin/mariadbd", "usr/sbin/mysqld")
    triplet = loader.parent.name
    libraries = [root / "usr/lib" / triplet, root / "lib" / triplet, root / "usr/lib/mysql/private"]
    # MariaDB 11 has them in a directory of its own name.
    shares = [place.parent for place in root.glob("usr/share/m*/charsets")]
    share = shares[0] if shares else root / "usr/share/mysql"
    options = [f"--basedir={root / 'usr'}", f"--lc-messages-dir={share}"]
    options.append(f"--character-sets-dir={share / 'charsets'}")
    options += [f"--plugin-dir={place}" for place in root.glob("usr/lib/mysql/plugin")]
    command = (str(loader), "--library-path", ":".join(map(str, libraries)), str(server))
    return _ask(server, command, tuple(options))


def _ask(path: Path, command: tuple[str, ...], options: tuple[str, ...]) -> ServerBinary:
    try:
        answer = subprocess.run(  # noqa: S603 (a list, no shell)
            [*command, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=30,
            env=system_environment(),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LocalError(f"{path} cannot be run: {error}") from error
    parsed = parse_version(answer.stdout)
    if answer.returncode != 0 or not parsed:
        said = (answer.stderr or answer.stdout).strip()[-300:] or f"exit code {answer.returncode}"
        raise LocalError(f"{path} does not report its version: {said}")
    flavour, version = parsed
    binary = ServerBinary(flavour, version, path, command, options)
    if version < OLDEST[flavour]:
        oldest = ".".join(map(str, OLDEST[flavour]))
        raise LocalError(f"{path} is {binary}, too old: {flavour} {oldest} or newer is needed")
    return binary


def _first(root: Path, *patterns: str) -> Path:
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            if path.is_file() and not path.is_symlink():
                return path
    raise LocalError(f"{root} contains no {patterns[0]}")
