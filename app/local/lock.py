"""One process at a time per directory. The kernel holds the lock, so a crash leaves none behind."""

import fcntl
import os
import time
from pathlib import Path

from app.local.errors import LocalError

_DYING_SECONDS = 15.0


class DirectoryLock:
    """An flock on `<directory>/lock`; the file names the holder's pid for whoever comes second."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file: int | None = None

    @property
    def fd(self) -> int:
        """For a child that shall hold the lock too, until it has ended as well."""
        if self._file is None:
            raise RuntimeError("the lock is not held")
        return self._file

    def acquire(self) -> None:
        """Take it, or refuse with the holder's pid. A dying holder's children are waited for."""
        file = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._wait_for(file)
            os.ftruncate(file, 0)
            os.pwrite(file, str(os.getpid()).encode(), 0)
        except BaseException:
            os.close(file)
            raise
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _wait_for(self, file: int) -> None:
        give_up_at = time.monotonic() + _DYING_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(file, 20, 0).decode()
                if _is_alive(holder) or time.monotonic() > give_up_at:
                    raise LocalError(
                        f"{self._directory} is in use by process {holder or '?'}. Stop it "
                        f"first (kill {holder or 'PID'}), or set ROWLOCK_HOME to another directory."
                    ) from None
                time.sleep(0.05)
            else:
                return


def _is_alive(pid: str) -> bool:
    return pid.isdigit() and Path(f"/proc/{pid}").exists()
