"""Ports on this machine: a free one, and who holds a taken one."""

import socket
from pathlib import Path

from app.local.errors import LocalError

_LISTEN = "0A"
_INODE_FIELD = 9
_HIGHEST_PORT = 65535


def free_port(preferred: int | None = None) -> int:
    """A TCP port of 127.0.0.1 that is free right now; the preferred one if it is."""
    for port in (preferred or 0, 0):
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
                f"Port {port} is not for ordinary users. Set ROWLOCK_PORT to one above 1023."
            ) from None
        except OSError as error:
            holder = port_holder(port)
            cause = f"process {holder} listens there. End it" if holder else f"{error.strerror}"
            other = port + 1 if port < _HIGHEST_PORT else port - 1
            raise LocalError(
                f"Port {port} of {host} cannot be used: {cause}, or choose another port: "
                f"ROWLOCK_PORT={other}"
            ) from None


def port_holder(port: int) -> str | None:
    """Pid and command of the process that listens on the port, if /proc shows it to us."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    if not inodes:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(fd.readlink()) in inodes for fd in (process / "fd").iterdir()):
                words = (process / "cmdline").read_bytes().split(b"\0")
                command = b" ".join(words).decode(errors="replace").strip()
                return f"{process.name} ({command[:120]})"
        except OSError:  # another user's, or just ended
            continue
    return None


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
