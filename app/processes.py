"""Several API processes on one port, for a machine with more than one core.

Each listens by itself (SO_REUSEPORT), so that the kernel deals out the connections; one socket
for all would leave most of them with whoever wakes first. A process that is killed is replaced.
"""

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from typing import Final

from prometheus_client.multiprocess import mark_process_dead

from app.local.child import Child
from app.local.ports import require_free
from app.settings import Settings

WATCH_SECONDS: Final = 0.2
STOP_SECONDS: Final = 15.0
# Whoever lives that long could start: what ends one later is no reason to end them all.
SETTLED_SECONDS: Final = 15.0
RESTART_SECONDS: Final = 0.5


class Processes:
    """So many `rowlock serve`, each started by `command`, until SIGINT or SIGTERM."""

    def __init__(self, settings: Settings, count: int, command: Sequence[str]) -> None:
        self._settings = settings
        self._count = count
        self._command = command
        self._stopped = threading.Event()
        self._figures = ""

    def run(self) -> int:
        """The exit code: 1 where one could not begin to serve.

        Raises `LocalError` where the port is taken.
        """
        require_free(self._settings.host, self._settings.port)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stopped.set())
        # `/metrics` of each then shows the figures of all, the dead ones' too.
        with tempfile.TemporaryDirectory(prefix="rowlock-metrics-") as self._figures:
            return self._keep_running()

    def _keep_running(self) -> int:
        running: list[Child] = []
        began = time.monotonic()
        try:
            running += (self._start() for _ in range(self._count))
            while not self._stopped.wait(WATCH_SECONDS):
                for place, process in enumerate(running):
                    code = process.exit_code()
                    if code is None:
                        continue
                    _say(f"{process.name} {process.how_it_ended()}")
                    mark_process_dead(process.pid, self._figures)
                    has_served = time.monotonic() - began > SETTLED_SECONDS
                    if code > 0 and not has_served:
                        return 1
                    # One that cannot start just now (MySQL is away) is tried again.
                    self._stopped.wait(RESTART_SECONDS)
                    running[place] = self._start()
            return 0
        finally:
            for process in running:
                process.ask_to_end()
            for process in running:
                process.stop(STOP_SECONDS)

    def _start(self) -> Child:
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": self._figures}
        return Child("API", self._command, echo=_say, environment=environment)


def _say(line: str) -> None:
    print(f"{line}\n", end="", file=sys.stderr, flush=True)
