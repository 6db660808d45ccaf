"""`rowlock import` and `rowlock export`: tasks as lines of JSON."""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Annotated, Any, Final, NamedTuple

import typer
from pydantic_core import from_json

from rowlock.cli import options, render
from rowlock.cli.completion import files
from rowlock.cli.connection import connected, fail, sentence
from rowlock.cli.filters import takes_filters
from rowlock.cli.progress import counting, reading
from rowlock.client import calls
from rowlock.client.fields import Filters, NewTask, TaskFields, encode_fields
from rowlock.client.sync_client import Client
from rowlock.client.upload import BATCH_LIMIT, BATCH_LIMIT_BYTES
from rowlock.errors import NaiveTimeError, ProblemError, RowlockError
from rowlock.models import Task

app = typer.Typer()
_PANEL: Final = "Many tasks"
_INTERRUPTED: Final = 130
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


@app.command("import", rich_help_panel=_PANEL)
def import_tasks(
    file: Annotated[
        typer.FileBinaryRead,
        typer.Argument(
            metavar="FILE", help="`-` is stdin.", show_default=False, autocompletion=files
        ),
    ],
    batch_size: Annotated[
        int,
        typer.Option(min=1, max=BATCH_LIMIT, help="Tasks per call; either all are stored or none."),
    ] = 500,
    key: Annotated[
        str, typer.Option(help="With another key, the same file is imported again.")
    ] = "",
    as_json: options.AsJson = False,
    url: options.Url = None,
    token: options.Token = None,
) -> None:
    """Submit tasks from a file with one JSON object per line, with the fields of `POST /tasks`.

    If it is interrupted, run it again with the same file and batch size: tasks that are already
    stored, and were not deleted since, are not stored twice. The output of `rowlock export` can
    be imported too, as new tasks.
    """
    stored, found = 0, 0
    with (
        connected(url, token, retry_seconds=IMPORT_RETRY_SECONDS) as client,
        reading(file) as advance,
    ):
        try:
            for number, batch in enumerate(_batches(_lines(file, advance), batch_size)):
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
            fail(_so_far(stored, found), _INTERRUPTED)
    if as_json:
        render.show_json({"stored": stored, "found": found})
        return
    typer.echo(_counted(stored, found))
    if found and not stored:
        typer.echo("All tasks were already stored; use --key to import them again.", err=True)


@app.command("export", rich_help_panel=_PANEL)
@takes_filters
def export(
    filters: Filters,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write, complete or not at all.",
            autocompletion=files,
        ),
    ] = None,
    url: options.Url = None,
    token: options.Token = None,
) -> None:
    """Write tasks, oldest first, as one JSON object per line."""
    with connected(url, token) as client:
        found = client.list(order="asc", page_size=1000, **filters)
        if output is None:
            _write(found, sys.stdout.buffer)
            return
        part = output.with_name(f"{output.name}.part")
        try:
            with part.open("wb") as file:
                count = _write(found, file)
            part.replace(output)
        except OSError as error:
            fail(f"--output: {error}")
        finally:
            part.unlink(missing_ok=True)
    typer.echo(f"{count:,} tasks were written to {output}.", err=True)


class _LineError(Exception):
    """A line that is no task."""


def _lines(file: IO[bytes], advance: Any) -> Iterator[tuple[int, bytes]]:
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


def _write(tasks: Iterable[Task], file: IO[bytes]) -> int:
    count = 0
    with counting("written") as advance:
        for task in tasks:
            file.write(render.json_line(task).encode() + b"\n")
            count += 1
            advance(count)
    file.flush()
    return count
