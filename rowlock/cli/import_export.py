"""`rowlock import` and `rowlock export`: tasks as lines of JSON."""

import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from pydantic_core import from_json

from rowlock.cli import options, render
from rowlock.cli.commands import Argument, Option, command
from rowlock.cli.connection import connected, fail, sentence
from rowlock.cli.exit_codes import INTERRUPTED, USAGE
from rowlock.cli.files import files
from rowlock.cli.filters import FILTERS, filters_of
from rowlock.cli.progress import counting, reading
from rowlock.cli.values import Number, Text
from rowlock.client import calls
from rowlock.client.fields import NewTask, TaskFields, encode_fields
from rowlock.client.sync_client import Client
from rowlock.client.upload import BATCH_LIMIT, BATCH_LIMIT_BYTES
from rowlock.errors import NaiveTimeError, ProblemError, RowlockError
from rowlock.models import Task

_PANEL: Final = "Many tasks"
# A server that is started anew does not break off a long import.
IMPORT_RETRY_SECONDS: Final = 60.0

_SUBMITTED: Final = NewTask.__annotations__.keys() | TaskFields.__annotations__.keys()


class Batch(NamedTuple):
    """Consecutive tasks, encoded, each with the line it stands in."""

    tasks: list[bytes]
    lines: list[int]

    def key(self, import_key: str, number: int) -> str:
        """The same for the same tasks at the same place: stored once, however often sent."""
        digest = hashlib.sha256(f"{import_key}\n{number}\n".encode())
        for task in self.tasks:
            digest.update(task + b"\n")
        return f"import-{digest.hexdigest()}"


@command(
    "import",
    _PANEL,
    Argument("file", Text("FILE", files), "`-` is stdin."),
    Option(
        "--batch-size",
        kind=Number(int, 1, BATCH_LIMIT),
        default=500,
        about="Tasks per call; either all are stored or none.",
    ),
    Option("--key", default="", about="With another key, the same file is imported again."),
    options.AS_JSON,
    *options.SERVER,
)
def import_tasks(
    *, file: str, batch_size: int, key: str, as_json: bool, url: str | None, token: str | None
) -> None:
    """Submit tasks from a file with one JSON object per line, with the fields of `POST /tasks`.

    If it is interrupted, run it again with the same file and batch size: tasks that are already
    stored, and were not deleted since, are not stored twice. The output of `rowlock export` can
    be imported too, as new tasks.
    """
    stored, found = 0, 0
    with (
        _opened(file) as opened,
        connected(url, token, retry_seconds=IMPORT_RETRY_SECONDS) as client,
    ):
        try:
            with reading(opened) as advance:
                lines = _lines(opened, advance)
                for number, batch in enumerate(_batches(lines, batch_size)):
                    if _store(client, batch, batch.key(key, number)):
                        stored += len(batch.tasks)
                    else:
                        found += len(batch.tasks)
                    advance(0, stored + found)
        except RowlockError as error:
            fail(f"{sentence(error)}\n{_so_far(stored, found)}")
        except _LineError as error:
            fail(f"{error}\n{_so_far(stored, found)}")
        except KeyboardInterrupt:
            fail(_so_far(stored, found), INTERRUPTED)
    if as_json:
        render.show_json({"stored": stored, "found": found})
        return
    print(_counted(stored, found))
    if found and not stored:
        print("All tasks were already stored; use --key to import them again.", file=sys.stderr)


@command(
    "export",
    _PANEL,
    Option(
        "--output", "-o", kind=Text("FILE", files), about="File to write, complete or not at all."
    ),
    *FILTERS,
    *options.SERVER,
)
def export(*, output: str | None, url: str | None, token: str | None, **given: Any) -> None:
    """Write tasks, oldest first, as one JSON object per line."""
    with connected(url, token) as client:
        found = client.list(order="asc", page_size=1000, **filters_of(given))
        if output is None:
            # Not among the tasks.
            with counting("written", is_shown=not sys.stdout.isatty()) as advance:
                _write(found, sys.stdout.buffer, advance)
            return
        count = _write_whole(found, Path(output))
    print(f"{count:,} tasks were written to {output}.", file=sys.stderr)


class _LineError(Exception):
    """A line that is no task."""


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115  (closed below)
    except OSError as error:
        fail(f"FILE: {error}", USAGE)
    with file:
        yield file


def _lines(file: IO[bytes], advance: Callable[[int], None]) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(file, 1):
        advance(len(line))
        if not line.strip():
            continue
        try:
            task = from_json(line, allow_inf_nan=False)
            if not isinstance(task, dict):
                raise _LineError(f"line {number} is not a JSON object")
            if "id" in task and "status" in task:  # from `export`
                task = {name: value for name, value in task.items() if name in _SUBMITTED}
            yield number, encode_fields(task)
        except NaiveTimeError as error:
            raise _LineError(f"line {number}: {error}") from error
        except ValueError as error:
            raise _LineError(f"line {number} is not JSON: {error}") from error


def _batches(tasks: Iterable[tuple[int, bytes]], size: int) -> Iterator[Batch]:
    batch, total = Batch([], []), 0
    for line, task in tasks:
        if len(batch.tasks) == size or (batch.tasks and total + len(task) > BATCH_LIMIT_BYTES):
            yield batch
            batch, total = Batch([], []), 0
        batch.tasks.append(task)
        batch.lines.append(line)
        total += len(task)
    if batch.tasks:
        yield batch


def _store(client: Client, batch: Batch, key: str) -> bool:
    """Whether it is new."""
    try:
        return client.ask(calls.store_batch(batch.tasks, key))
    except ProblemError as error:
        error.errors = [
            wrong._replace(field=_place(wrong.field, batch.lines)) for wrong in error.errors
        ]
        raise


def _place(field: str, lines: list[int]) -> str:
    """`tasks.3.title` as the line of the file and the field in it."""
    first, _, rest = field.removeprefix("tasks.").partition(".")
    if not first.isdecimal() or int(first) >= len(lines):
        return field
    return f"line {lines[int(first)]}: {rest}" if rest else f"line {lines[int(first)]}"


def _so_far(stored: int, found: int) -> str:
    return f"{_counted(stored, found)} Run the same command again to continue."


def _counted(stored: int, found: int) -> str:
    before = f", {found:,} were already stored" if found else ""
    return f"{stored:,} tasks are stored{before}."


def _write_whole(tasks: Iterable[Task], output: Path) -> int:
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("wb") as file, counting("written") as advance:
            count = _write(tasks, file, advance)
        part.replace(output)
    except OSError as error:
        fail(f"--output: {error}")
    finally:
        part.unlink(missing_ok=True)
    return count


def _write(tasks: Iterable[Task], file: IO[bytes], advance: Callable[[int], None]) -> int:
    count = 0
    for count, task in enumerate(tasks, 1):
        file.write(render.json_line(task).encode() + b"\n")
        advance(count)
    file.flush()
    return count
