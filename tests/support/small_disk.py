"""A MySQL whose data lies on a small disk of its own: a tmpfs that only it sees."""

import dataclasses
import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from app.local.binary import ServerBinary
from app.local.mysql import MySQLServer

ROOM_MIB: Final = 48
BALLAST_MIB: Final = 16
# At its end the server is this very process, so that it is killed as any other.
_SCRIPT: Final = f"""set -e
size=$(( $(du -sm "$1" | cut -f1) + {ROOM_MIB} ))
mkdir -p "$1.small"
mount -t tmpfs -o "size=${{size}}m" tmpfs "$1.small"
cp -a "$1/." "$1.small"
mount --bind "$1.small" "$1"
fallocate -l {BALLAST_MIB}M "$1/ballast"
shift
exec setpriv --pdeathsig KILL "$@"
"""
_NEEDED: Final = ("unshare", "mount", "setpriv", "fallocate")
# Much less log than usual, or there would be more log than disk.
SMALL: Final = (
    *("--loose-innodb-redo-log-capacity=8M", "--loose-innodb-log-file-size=8M"),
    "--innodb-doublewrite=0",
)


def why_not(directory: Path) -> str | None:
    """Why there can be no such disk here, if there cannot."""
    if missing := [name for name in _NEEDED if shutil.which(name) is None]:
        return f"this machine has no {', '.join(missing)}"
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(directory)]
    tried = subprocess.run([*_unshare(), *mount], capture_output=True, text=True, check=False)
    return tried.stderr.strip() if tried.returncode else None


class SmallDisk:
    """A copy of a data directory, which is at rest, on a small disk, and a server on it. What the
    server writes is gone when it ends."""

    def __init__(self, home: Path, binary: ServerBinary, *, fast: bool) -> None:
        self._data = home / "data"
        command = (*_unshare(), "sh", "-c", _SCRIPT, "small-disk", str(self._data), *binary.command)
        # Whoever may mount is root, at least in a namespace of its own.
        extra = (*SMALL, "--user=root")
        binary = dataclasses.replace(binary, command=command)
        self.server = MySQLServer(home, binary=binary, fast=fast, extra=extra, buffer_pool_mib=64)

    def fill(self) -> None:
        """Somebody else takes what is left."""
        with suppress(OSError), (self._as_seen_by_mysql / "more").open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass

    def make_room(self) -> None:
        """Somebody deletes something."""
        (self._as_seen_by_mysql / "ballast").unlink()

    @property
    def _as_seen_by_mysql(self) -> Path:
        return Path(f"/proc/{self.server.pid}/root{self._data}")


def _unshare() -> Sequence[str]:
    return ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-rm")
