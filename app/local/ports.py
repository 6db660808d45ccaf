"""Ports on this machine: a free one, and who holds a taken one."""

import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

from app.local.errors import LocalError

_LISTEN = "0A"
_INODE_FIELD = 9
_PARENT_FIELD = 1
_HIGHEST_PORT = 65535
_LOWEST_CHOSEN = 10_000
_CHOICES = 20


def free_port(preferred: int | None = None) -> int:
    """A TCP port of 127.0.0.1 that is free right now; the preferred one if it is.

    It may be seconds until somebody listens there, so it is none of those that the kernel gives
    to whoever wants just any: another program would have it by then.
    """
    others = range(_LOWEST_CHOSEN, _first_given_away())
    chosen = secrets.SystemRandom().sample(others, min(_CHOICES, len(others)))
    for port in (*([preferred] if preferred else []), *chosen, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise LocalError("No TCP port of 127.0.0.1 is free.")


def require_free(host: str, port: int) -> None:
    """Refuse a taken port, naming its holder where that can be known."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise LocalError(
                f"Port {port} needs root. Set ROWLOCK_PORT to a port above 1023."
            ) from None
        except OSError as error:
            holder = port_holder(port)
            cause = (
                f"process {holder} is listening there. Stop it" if holder else f"{error.strerror}"
            )
            other = port + 1 if port < _HIGHEST_PORT else port - 1
            raise LocalError(
                f"Port {port} of {host} cannot be used: {cause}, or choose another port: "
                f"ROWLOCK_PORT={other}"
            ) from None


def is_held_by(port: int, pid: int) -> bool:
    """Whether that process, or one below it, listens on the port, as /proc shows it."""
    return any(_is_at_or_below(int(process.name), pid) for process in _holders(port))


def port_holder(port: int) -> str | None:
    """Pid and command of the process that listens on the port, if /proc shows it to us."""
    for process in _holders(port):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:  # just ended
            continue
        command = b" ".join(words).decode(errors="replace").strip()
        return f"{process.name} ({command[:120]})"
    return None


def _holders(port: int) -> Iterator[Path]:
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    if not inodes:
        return
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(fd.readlink()) in inodes for fd in (process / "fd").iterdir()):
                yield process
        except OSError:  # another user's, or just ended
            continue


def _is_at_or_below(process: int, pid: int) -> bool:
    while process not in (pid, 0):
        try:
            after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2]
        except OSError:  # just ended
            return False
        process = int(after_name.split()[_PARENT_FIELD])
    return process == pid


def _first_given_away() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _LOWEST_CHOSEN


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            local_port = int(fields[1].rpartition(":")[2], 16)
            if local_port == port and fields[3] == _LISTEN:
                found.add(fields[_INODE_FIELD])
    return found
