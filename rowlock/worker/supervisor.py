"""The supervisor of a worker's processes."""

import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final

from rowlock.errors import WorkerProcessError
from rowlock.worker import runner
from rowlock.worker.log import log
from rowlock.worker.supervised import FIRST, LEAVING, LINK_VARIABLE, READY

# One that ends sooner after it was ready has failed, and the next one is not started at once.
SETTLED_SECONDS: Final = 10.0
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0
# So many that end with an error in a row, and none that works: it is no use.
FAILURES_LIMIT: Final = 5

_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Supervisor:
    """Keeps so many processes at work, each of them a worker with a name of its own.

    A process is the command of this one, run anew: a new interpreter, which runs the program up
    to the worker and then works where this one supervises. A fork would be quicker, and share
    memory; but a forked copy of a program that has threads (those of tracing, gRPC or OpenMP) may
    hang in a lock that none of them will open, macOS kills it when it uses some of the system's
    libraries, and both copies would own the same connections. And so nothing that handlers need
    has to be imported here.

    The first process is started alone: what is wrong with the program is said once. The others
    follow when it claims; until each of them does, one that ends with an error ends all. Later
    one that dies is replaced, after a pause that doubles where several die soon after their start.
    One that has done its share of tasks says so when it claims no more; it
    is replaced at once, and ends when its tasks have. With `drain`, one that has ended by itself
    is not replaced.

    A stop is passed on by a pair of sockets, whose other end tells a process of the
    supervisor's death, too. Processes are groups of their own: a terminal's Ctrl-C reaches the
    supervisor alone.
    """

    def __init__(self, processes: int, *, drain: bool) -> None:
        self._processes = processes
        self._places = processes
        self._is_draining = drain
        self._children: list[_Child] = []
        # How many have been ready.
        self._begun = 0
        self._failures = 0
        self._not_before = 0.0
        # How often it was told to stop, and how often that was passed on.
        self._stops = 0
        self._passed_on = 0
        self._code = 0

    def run(self) -> None:
        """Run until SIGTERM, SIGINT or SIGHUP and until all processes have ended; the second
        signal ends their tasks at once. With `drain`, until all have ended by themselves.

        Raises `WorkerProcessError` where processes cannot start, or have ended with an error
        that is the worker's end: with `drain`, or as they were stopped.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("a worker's processes are supervised by the main thread: signals")
        with selectors.DefaultSelector() as self._selector, self._signals():
            try:
                while self._children or (self._places and not self._stops):
                    self._start_due()
                    self._wait()
                    self._pass_stops_on()
                    self._reap()
            finally:
                for child in self._children:
                    child.link.close()
        if self._code:
            raise WorkerProcessError(self._code)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Within it a signal wakes whoever waits."""
        with ExitStack() as stack:
            self._wakeup, other_end = map(stack.enter_context, socket.socketpair())
            for end in (self._wakeup, other_end):
                end.setblocking(False)
            self._selector.register(self._wakeup, selectors.EVENT_READ)
            before = signal.set_wakeup_fd(other_end.fileno(), warn_on_full_buffer=False)
            stack.callback(signal.set_wakeup_fd, before)
            once = runner.without_echo(self._stop, time.monotonic)
            handlers = {
                signal.SIGTERM: self._stop,
                signal.SIGINT: once,
                signal.SIGCHLD: lambda: None,
            }
            if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as `nohup` has it
                handlers[signal.SIGHUP] = once
            for number, handler in handlers.items():
                took = signal.signal(number, lambda *_, handler=handler: handler())
                stack.callback(signal.signal, number, took)
            yield

    def _stop(self) -> None:
        self._stops += 1

    def _start_due(self) -> None:
        while self._lacks_one() and time.monotonic() >= self._not_before:
            self._start()

    def _lacks_one(self) -> bool:
        if self._stops or (self._children and not self._begun):
            return False
        staying = sum(not child.is_leaving for child in self._children)
        # Those that leave have tasks that may be long: they must not become ever more.
        return staying < self._places and len(self._children) < 2 * self._processes

    def _start(self) -> None:
        link, other_end = socket.socketpair()
        link.setblocking(False)
        said = f"{other_end.fileno()}" if self._begun else f"{other_end.fileno()} {FIRST}"
        with other_end:
            try:
                process = subprocess.Popen(  # noqa: S603 (a list, no shell)
                    [sys.executable, *sys.orig_argv[1:]],
                    stdin=subprocess.DEVNULL,
                    env=os.environ | {LINK_VARIABLE: said},
                    pass_fds=[other_end.fileno()],
                    process_group=0,
                )
            except OSError as error:
                link.close()
                log.error("a process cannot be started: %s", error)
                self._failed(0, time.monotonic())
                return
        child = _Child(process, link)
        self._children.append(child)
        self._selector.register(link, selectors.EVENT_READ, child)

    def _wait(self) -> None:
        pause = max(0.0, self._not_before - time.monotonic()) if self._lacks_one() else None
        for key, _ in self._selector.select(pause):
            if key.data is None:
                with suppress(BlockingIOError):
                    self._wakeup.recv(4096)
            else:
                self._hear(key.data)

    def _hear(self, child: "_Child") -> None:
        try:
            said = child.link.recv(64)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if not said:
            with suppress(KeyError):
                self._selector.unregister(child.link)
        if READY in said:
            self._begun += 1
            child.ready_at = time.monotonic()
        if LEAVING in said:
            child.is_leaving = True

    def _pass_stops_on(self) -> None:
        if self._passed_on == self._stops:
            return
        self._passed_on = self._stops
        for child in self._children:
            with suppress(OSError):
                if child.ready_at is None:  # it may not listen yet
                    child.process.terminate()
                else:
                    child.link.send(bytes([min(self._stops, 2)]))

    def _reap(self) -> None:
        for child in self._children[:]:
            if child.process.poll() is not None:
                self._hear(child)  # its last words
                with suppress(KeyError):
                    self._selector.unregister(child.link)
                child.link.close()
                self._children.remove(child)
                self._ended(child)

    def _ended(self, child: "_Child") -> None:
        code = child.process.returncode
        if self._stops:
            if code and -code not in _STOP_SIGNALS:
                self._code = self._code or max(code, 1)
            return
        if child.is_leaving:
            if code:
                log.warning("process %d, which was leaving, %s", child.process.pid, _how(code))
            return
        if code or not self._is_draining:
            log.warning("process %d %s", child.process.pid, _how(code))
        if self._is_draining and code >= 0 and child.ready_at:
            self._places -= 1
            self._code = self._code or code
        elif not child.ready_at or time.monotonic() - child.ready_at < SETTLED_SECONDS:
            self._failed(code, child.started_at)

    def _failed(self, code: int, started_at: float) -> None:
        """One has ended too soon."""
        is_in_a_row = started_at - self._not_before < SETTLED_SECONDS
        self._failures = self._failures + 1 if is_in_a_row else 1
        # As long as they start, an error of one is likely to be everybody's: a token, a URL.
        is_starting = self._begun < max(self._processes, 2)
        is_no_use = self._failures >= FAILURES_LIMIT and not any(c.ready_at for c in self._children)
        if not self._begun or (code > 0 and (is_starting or is_no_use)):
            self._code = max(code, 1)
            self._stop()
            self._pass_stops_on()
            return
        doubled = min(self._failures - 1, 10)
        pause = min(FIRST_PAUSE_SECONDS * 2**doubled, LONGEST_PAUSE_SECONDS)
        self._not_before = time.monotonic() + pause


class _Child:
    """A process, and what is known of it."""

    def __init__(self, process: "subprocess.Popen[bytes]", link: socket.socket) -> None:
        self.process = process
        self.link = link
        self.started_at = time.monotonic()
        self.ready_at: float | None = None
        self.is_leaving = False


def _how(code: int) -> str:
    if code < 0:
        is_named = -code in set(signal.Signals)
        return f"was killed by {signal.Signals(-code).name if is_named else f'signal {-code}'}"
    return f"has ended with exit code {code}"
