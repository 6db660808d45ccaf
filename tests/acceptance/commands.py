"""Commands, run to their end or on a terminal."""

import fcntl
import json
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from tests.acceptance.deployment import FROM_THE_CHECKOUT

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def run(
    environment: Mapping[str, str], *arguments: str, code: int = 0, given: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; it has to end as said."""
    ran = subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == code, ran
    assert "Traceback" not in ran.stderr
    return ran


class Terminal:
    """A command on a terminal of its own."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *arguments: str,
        command: Sequence[str] = FROM_THE_CHECKOUT,
    ) -> None:
        self.shown = ""
        self._main, side = pty.openpty()
        self._process = subprocess.Popen(
            [*command, *arguments],
            env={**environment, "TERM": "xterm", "COLUMNS": "100"},
            stdin=side,
            stdout=side,
            stderr=side,
            start_new_session=True,
            # One system call: Ctrl-C goes to whoever has the terminal as its own.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )
        os.close(side)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        if self._main >= 0:
            os.close(self._main)

    def goes(self) -> None:
        """The window is closed; return when the command has ended. How it ended it can no longer
        say: Python's exit code is another where its last words cannot be written."""
        os.close(self._main)
        self._main = -1
        self._process.wait(30)

    def types(self, keys: str) -> None:
        os.write(self._main, keys.encode())

    def shows(self, text: str) -> None:
        """Return when this has been shown."""
        while text not in self.shown:
            assert self._reads(), self.shown

    def ends(self) -> int:
        """The exit code."""
        while self._reads():
            pass
        return self._process.wait(60)

    def _reads(self) -> bool:
        try:
            chunk = os.read(self._main, 4096)
        except OSError:  # the other side has closed
            return False
        self.shown += chunk.decode(errors="replace")
        return bool(chunk)


def documents(ran: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    return [json.loads(line) for line in ran.stdout.splitlines()]
