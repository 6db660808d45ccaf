"""A deployment's processes: the API, of which several may share a port, and the scheduler.

Each API process listens by itself (SO_REUSEPORT), so that the kernel deals out the connections;
one socket for all would leave most of them with whoever wakes first. A process that is killed is
replaced.
"""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from prometheus_client.multiprocess import mark_process_dead

from app.local.child import Child
from app.local.ports import require_free
from app.runtime.metrics import PROCESS_NAME
from app.settings import Settings

WATCH_SECONDS: Final = 0.2
STOP_SECONDS: Final = 15.0
# Whoever lives that long could start: what ends one later is no reason to end them all.
SETTLED_SECONDS: Final = 15.0
RESTART_SECONDS: Final = 0.5


class Processes:
    """So many `rowlock serve`, each started by the command `api`, and one `scheduler` if there
    is a command for it, until SIGINT or SIGTERM."""

    def __init__(
        self,
        settings: Settings,
        workers: int,
        api: Sequence[str],
        *,
        scheduler: Sequence[str] | None = None,
    ) -> None:
        self._settings = settings
        self._commands = [("API", api)] * workers
        if scheduler is not None:
            self._commands.append(("scheduler", scheduler))
        self._shares_figures = workers > 1
        # No `threading.Event`: set by a signal in the midst of its own `wait`, it locks itself.
        self._is_stopped = False
        self._figures = ""

    def run(self) -> int:
        """The exit code: 1 where one could not begin to serve.

        Raises `LocalError` where the port is taken.
        """
        require_free(self._settings.host, self._settings.port)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        # `/metrics` of each then shows the figures of all, the dead ones' too.
        with tempfile.TemporaryDirectory(prefix="rowlock-metrics-") as self._figures:
            return self._keep_running()

    def _keep_running(self) -> int:
        running: list[Child] = []
        began = time.monotonic()
        try:
            running += (self._start(place) for place in range(len(self._commands)))
            while not self._is_stopped:
                time.sleep(WATCH_SECONDS)
                for place, process in enumerate(running):
                    code = process.exit_code()
                    if code is None or self._is_stopped:
                        continue
                    _say(f"{process.name} {process.how_it_ended()}")
                    # What it counted stays, and its successor goes on with it.
                    mark_process_dead(place, self._figures)
                    has_served = time.monotonic() - began > SETTLED_SECONDS
                    if code > 0 and not has_served:
                        return 1
                    # One that cannot start just now (MySQL is away) is tried again.
                    time.sleep(RESTART_SECONDS)
                    if self._is_stopped:
                        break
                    running[place] = self._start(place)
            return 0
        finally:
            for process in running:
                process.ask_to_end()
            until = time.monotonic() + STOP_SECONDS
            for process in running:
                process.stop(max(until - time.monotonic(), 0))

    def _stop(self, *_: object) -> None:
        self._is_stopped = True

    def _start(self, place: int) -> Child:
        name, command = self._commands[place]
        environment = dict(os.environ)
        if self._shares_figures and name == "API":
            environment["PROMETHEUS_MULTIPROC_DIR"] = self._figures
            environment[PROCESS_NAME] = str(place)
        return Child(name, command, echo=_say, environment=environment)


def _say(line: str) -> None:
    with suppress(OSError):  # a terminal that is gone stops nothing
        print(f"{line}\n", end="", file=sys.stderr, flush=True)
