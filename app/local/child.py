"""A child process that cannot outlive us, that Ctrl-C does not reach, and whose last words we keep.

The kernel kills the child when the *thread* that started it ends, so children are started from
the main thread only; `Child` insists on it.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from app.local.errors import LocalError

TAIL_LINES = 20
LOG_LIMIT_BYTES = 8 * 1024 * 1024
_INTERRUPTED_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1


def system_environment() -> dict[str, str]:
    """Our environment as system programs should see it.

    A frozen executable points LD_LIBRARY_PATH at its own libraries; others must not load those.
    """
    environment = dict(os.environ)
    if getattr(sys, "frozen", False):
        original = environment.pop("LD_LIBRARY_PATH_ORIG", None)
        environment.pop("LD_LIBRARY_PATH", None)
        if original:
            environment["LD_LIBRARY_PATH"] = original
    return environment


class Child:
    """A running child. Its output goes to a log file, or line by line to `echo`."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path | None = None,
        echo: Callable[[str], None] | None = None,
        environment: Mapping[str, str] | None = None,
        stdin: Path | None = None,
        keep_fds: Sequence[int] = (),
    ) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError(f"start {name} from the main thread: it dies with its thread")
        self.name = name
        self._log = log
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)
        with (
            (stdin or Path(os.devnull)).open("rb") as source,
            _log_file(log) as sink,
        ):
            try:
                self._process = subprocess.Popen(  # noqa: S603 (a list, no shell)
                    command,
                    stdin=source,
                    stdout=sink if log else subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    env=system_environment() if environment is None else environment,
                    start_new_session=True,
                    pass_fds=keep_fds,
                    preexec_fn=_die_with_parent(),  # noqa: PLW1509 (two system calls, no more)
                )
            except OSError as error:
                raise LocalError(f"Cannot run {command[0]} ({name}): {error}") from error
        self._reader: threading.Thread | None = None
        if self._process.stdout:
            self._reader = threading.Thread(
                target=self._read, args=(self._process.stdout, echo), daemon=True
            )
            self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs; a negative number is the signal that killed it."""
        return self._process.poll()

    def wait(self, timeout_seconds: float) -> int:
        """Its exit code; it is ended if it has not by then, or if the wait is interrupted."""
        try:
            return self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise LocalError(
                f"{self.name} did not end within {timeout_seconds:g} s and was killed."
                f"{self.last_words()}"
            ) from None
        except KeyboardInterrupt:
            self.stop(_INTERRUPTED_SECONDS)
            raise

    def ends_within(self, timeout_seconds: float) -> bool:
        """Wait that long at most; whether it has ended by then."""
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def ask_to_end(self) -> None:
        """SIGTERM, if it runs."""
        if self.exit_code() is None:
            self._process.terminate()

    def stop(self, timeout_seconds: float) -> None:
        """Ask it to end, and kill it if it has not by then."""
        if self.exit_code() is None:
            self._process.terminate()
            if not self.ends_within(timeout_seconds):
                self._process.kill()
        self._reap()

    def kill(self) -> None:
        """End it now (SIGKILL), as a crash would."""
        self._process.kill()
        self._reap()

    def how_it_ended(self) -> str:
        """Such as "exited with code 3" or "was killed by SIGKILL"."""
        code = self._process.wait()
        if code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"exited with code {code}"

    def last_words(self) -> str:
        """The last lines of its output, as the end of an error message; "" if there are none."""
        if self._log:
            lines = _tail(self._log)
        else:
            if self._reader and self.exit_code() is not None:
                self._reader.join(1)
            lines = list(self._lines)
        if not lines:
            return ""
        source = f" ({self._log})" if self._log else ""
        return "\n".join([f"\nIts last log lines{source}:", *(f"  {line}" for line in lines)])

    def _reap(self) -> None:
        self._process.wait()
        if self._reader:
            self._reader.join(1)

    def _read(self, stream: IO[bytes], echo: Callable[[str], None] | None) -> None:
        with stream:
            for raw in stream:
                line = raw.decode(errors="replace").rstrip()
                self._lines.append(line)
                if echo:
                    try:
                        echo(line)
                    except (OSError, ValueError):
                        echo = None  # our terminal is gone; keep the child's pipe flowing


def _die_with_parent() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent died before the kernel was asked
            os._exit(1)

    return ask_kernel


def _log_file(log: Path | None) -> IO[bytes]:
    if log is None:
        return Path(os.devnull).open("ab")
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    return log.open("ab")


def _tail(log: Path) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return text.splitlines()[-TAIL_LINES:]
