"""A handler that runs a command for each task."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, cast

from rowlock.encoding import JSON_LIMIT_BYTES, encode
from rowlock.models import Task
from rowlock.worker.attempt import Permanent, Retry, RunningAttempt
from rowlock.worker.log import log
from rowlock.worker.output import result_of, text_of

# sysexits.h, EX_DATAERR: the input is wrong, and will be the next time.
FAILED_FOR_GOOD: Final = 65
# Between TERM and KILL.
END_SECONDS: Final = 5.0
ERROR_LIMIT_BYTES: Final = 16 * 1024
PIPES_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.02
_PROGRESS: Final = re.compile(rb"::progress\s+([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*%?\s*")


class Command:
    """Runs the command without a shell, in a process group of its own.

    The task is passed as JSON on stdin, and as `ROWLOCK_TASK_ID`, `ROWLOCK_ATTEMPT`,
    `ROWLOCK_TITLE` and `ROWLOCK_QUEUE` in the environment, which is the worker's without
    any other `ROWLOCK_` setting but `ROWLOCK_URL`. Exit code 0: stdout is the result.
    65: failed, not retried. Any other, or a signal: failed and retried, with the end of stderr
    as the error. A line `::progress 40` on stderr reports progress; others are logged. When the
    command or the attempt ends, the whole group gets SIGTERM, and 5 s later SIGKILL.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)

    async def __call__(self, task: Task, attempt: RunningAttempt) -> Any:
        """Raises `Retry` and `Permanent`."""
        is_to_end = asyncio.Event()
        # In a task of its own, which nobody cancels: whenever that happened, there would be
        # something left behind.
        running = asyncio.create_task(self._run(task, attempt, is_to_end))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            is_to_end.set()
            await asyncio.wait([running])
            raise

    async def _run(self, task: Task, attempt: RunningAttempt, is_to_end: asyncio.Event) -> Any:
        output, errors = _Output(), _Errors(task, attempt)
        document = encode(task) + b"\n"
        try:
            transport, talk = await asyncio.get_running_loop().subprocess_exec(
                lambda: _Talk(output, errors, is_to_end),
                *self._command,
                env=_environment(task, attempt),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise Retry(f"{self._command[0]} cannot be run: {error}") from error
        stdin = cast("asyncio.WriteTransport", transport.get_pipe_transport(0))
        stdin.write(document)
        stdin.close()
        try:
            await is_to_end.wait()
        finally:
            await _end_group(transport.get_pid())
            # The pipes are closed now, unless somebody has left the group with them.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(talk.is_over.wait(), PIPES_SECONDS)
            if stdin.get_write_buffer_size():
                stdin.abort()  # it would stay open for what nobody reads any more
            transport.close()
        lines = errors.end()
        code = transport.get_returncode()
        if code == 0:
            return result_of(bytes(output.head), is_whole=output.is_whole)
        said = "\n".join([*lines, f"[{self._command[0]} {_how(code)}]"])
        raise Permanent(said) if code == FAILED_FOR_GOOD else Retry(said)


class _Talk(asyncio.SubprocessProtocol):
    """Its pipes. `asyncio`'s own streams do not tell of its exit before these are closed."""

    def __init__(self, output: "_Output", errors: "_Errors", has_exited: asyncio.Event) -> None:
        self.is_over = asyncio.Event()
        self._has_exited = has_exited
        self._takers: dict[int, Callable[[bytes], None]] = {1: output.take, 2: errors.take}

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._takers[fd](data)

    def process_exited(self) -> None:
        self._has_exited.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.is_over.set()


class _Output:
    """The beginning of stdout, as much as a result may be."""

    def __init__(self) -> None:
        self.head = bytearray()
        self.is_whole = True

    def take(self, chunk: bytes) -> None:
        room = JSON_LIMIT_BYTES - len(self.head)
        self.head += chunk[:room]
        self.is_whole = self.is_whole and len(chunk) <= room


class _Errors:
    """The last lines of stderr, and the progress that is told there."""

    def __init__(self, task: Task, attempt: RunningAttempt) -> None:
        self._lines: deque[str] = deque()
        self._size = 0
        self._rest = b""
        self._task_id = task.id
        self._attempt = attempt

    def take(self, chunk: bytes) -> None:
        # A program that draws a progress bar ends its lines by a return alone.
        *lines, rest = re.split(rb"[\r\n]", self._rest + chunk)
        # A line without an end is not kept whole.
        self._rest = rest[-ERROR_LIMIT_BYTES:]
        for line in lines:
            self._take(line)

    def end(self) -> Iterable[str]:
        """The lines, once there will be no more."""
        self._take(self._rest)
        return self._lines

    def _take(self, line: bytes) -> None:
        if found := _PROGRESS.fullmatch(line):
            percent = float(found[1])
            self._attempt.progress({"percent": int(percent) if percent.is_integer() else percent})
            return
        if not line:
            return
        text = text_of(line[-ERROR_LIMIT_BYTES:])
        log.info("task %d: %s", self._task_id, text)
        self._lines.append(text)
        self._size += len(text)
        while self._size > ERROR_LIMIT_BYTES and len(self._lines) > 1:
            self._size -= len(self._lines.popleft())


async def _end_group(group: int) -> None:
    loop = asyncio.get_running_loop()
    # Some commands change their user (sudo): these are beyond our reach.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        for number in (signal.SIGTERM, signal.SIGKILL):
            until = loop.time() + END_SECONDS
            os.killpg(group, number)
            while loop.time() < until:
                await asyncio.sleep(_LOOK_SECONDS)
                os.killpg(group, 0)


def _environment(task: Task, attempt: RunningAttempt) -> dict[str, str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        # Tokens and passwords; and what says where one executable has unpacked itself.
        if name == "ROWLOCK_URL" or not name.startswith(("ROWLOCK_", "_PYI_"))
    }
    if getattr(sys, "frozen", False):
        # It carries libraries of its own, which others must not load.
        environment.pop("LD_LIBRARY_PATH", None)
        original = environment.pop("LD_LIBRARY_PATH_ORIG", None)
        if original:
            environment["LD_LIBRARY_PATH"] = original
    return environment | {
        "ROWLOCK_TASK_ID": str(task.id),
        "ROWLOCK_ATTEMPT": str(attempt.number),
        "ROWLOCK_TITLE": task.title.replace("\0", ""),
        "ROWLOCK_QUEUE": task.queue,
    }


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        is_named = -code in set(signal.Signals)
        return f"was killed by {signal.Signals(-code).name if is_named else f'signal {-code}'}"
    return f"exited with code {code}"
