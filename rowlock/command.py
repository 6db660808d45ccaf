"""A handler that runs a command for each task."""

import asyncio
import contextlib
import logging
import os
import re
import signal
import sys
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from rowlock.attempt import Permanent, Retry, RunningAttempt
from rowlock.encoding import JSON_LIMIT_BYTES, encode
from rowlock.models import Task
from rowlock.output import result_of, text_of

# sysexits.h, EX_DATAERR: the input is wrong, and will be the next time.
FAILED_FOR_GOOD: Final = 65
# Between TERM and KILL.
END_SECONDS: Final = 5.0
ERROR_LIMIT_BYTES: Final = 16 * 1024
_LOOK_SECONDS: Final = 0.05
_PROGRESS: Final = re.compile(rb"::progress\s+([0-9]+(?:\.[0-9]+)?)\s*%?\s*")

log = logging.getLogger("rowlock.worker")


class Command:
    """Runs the command without a shell, in a process group of its own.

    The task comes as JSON on stdin, and as `ROWLOCK_TASK_ID`, `ROWLOCK_ATTEMPT`,
    `ROWLOCK_TITLE` and `ROWLOCK_QUEUE` in the environment. Exit code 0: stdout is the result.
    65: failed for good. Any other, or a signal: failed, and the end of stderr says why. A line
    `::progress 40` on stderr is progress. When the command ends, or the attempt is cut short,
    the whole group ends: by SIGTERM, and 5 s later by SIGKILL.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)

    async def __call__(self, task: Task, attempt: RunningAttempt) -> Any:
        """Raises `Retry` and `Permanent`."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=_environment(task, attempt),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise Retry(f"{self._command[0]} cannot be run: {error}") from error
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        output, errors = _Output(), _Errors(task, attempt)
        talking = asyncio.gather(
            _tell(process.stdin, encode(task) + b"\n"),
            output.read(process.stdout),
            errors.read(process.stderr),
        )
        try:
            code = await process.wait()
        finally:
            await asyncio.shield(_end(process))
            # The pipes are closed now, unless somebody has left the group with them.
            await asyncio.wait([talking], timeout=1.0)
            talking.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await talking
        if code == 0:
            return result_of(bytes(output.head), is_whole=output.is_whole)
        said = "\n".join([*errors.lines, f"[{self._command[0]} {_how(code)}]"])
        raise Permanent(said) if code == FAILED_FOR_GOOD else Retry(said)


class _Output:
    """The beginning of stdout, as much as a result may be."""

    def __init__(self) -> None:
        self.head = bytearray()
        self.is_whole = True

    async def read(self, stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(65_536):
            room = JSON_LIMIT_BYTES - len(self.head)
            self.head += chunk[:room]
            self.is_whole = self.is_whole and len(chunk) <= room


class _Errors:
    """The last lines of stderr, and the progress that is told there."""

    def __init__(self, task: Task, attempt: RunningAttempt) -> None:
        self.lines: deque[str] = deque()
        self._size = 0
        self._task_id = task.id
        self._attempt = attempt

    async def read(self, stream: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await stream.read(65_536):
            # A program that draws a progress bar ends its lines by a return alone.
            *lines, rest = re.split(rb"[\r\n]", rest + chunk)
            # A line without an end is not kept whole.
            rest = rest[-ERROR_LIMIT_BYTES:]
            for line in lines:
                self._take(line)
        self._take(rest)

    def _take(self, line: bytes) -> None:
        if found := _PROGRESS.fullmatch(line):
            percent = float(found[1])
            self._attempt.progress({"percent": int(percent) if percent.is_integer() else percent})
            return
        if not line:
            return
        text = text_of(line[-ERROR_LIMIT_BYTES:])
        log.debug("task %d: %r", self._task_id, text)
        self.lines.append(text)
        self._size += len(text)
        while self._size > ERROR_LIMIT_BYTES and len(self.lines) > 1:
            self._size -= len(self.lines.popleft())


async def _tell(stdin: asyncio.StreamWriter, document: bytes) -> None:
    with contextlib.suppress(ConnectionError):  # it need not read
        stdin.write(document)
        await stdin.drain()
    with contextlib.suppress(ConnectionError):
        stdin.close()
        await stdin.wait_closed()


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the group, and wait for it."""
    loop = asyncio.get_running_loop()
    for number, seconds in ((signal.SIGTERM, END_SECONDS), (signal.SIGKILL, END_SECONDS)):
        until = loop.time() + seconds
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
            while loop.time() < until:
                os.killpg(process.pid, 0)
                await asyncio.sleep(_LOOK_SECONDS)
            continue
        break
    await process.wait()


def _environment(task: Task, attempt: RunningAttempt) -> dict[str, str]:
    environment = dict(os.environ)
    if getattr(sys, "frozen", False):
        # One executable carries libraries of its own, which others must not load.
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


def _how(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"exited with code {code}"
