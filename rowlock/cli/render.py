"""What commands show: tables for people, JSON for programs."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import typer
from pydantic import BaseModel
from pydantic_core import to_json
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rowlock.models import Attempt, Task
from rowlock.printable import harmless, harmless_json

_COLOURS: Final = {
    "in_progress": "cyan",
    "done": "green",
    "retrying": "yellow",
    "paused": "magenta",
    "failed": "red",
    "cancelled": "bright_black",
}
# A table that goes to a program is not to be cut at the width of a screen that is not there.
_ENDLESS: Final = 1_000_000


def console() -> Console:
    """The terminal, or a pipe without colours."""
    is_cut = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if is_cut else _ENDLESS)


def show_json(value: BaseModel | Mapping[str, Any]) -> None:
    """One document, one line."""
    typer.echo(json_line(value))


def json_line(value: BaseModel | Mapping[str, Any]) -> str:
    """A document on one line, that can do nothing to a terminal."""
    return harmless_json(to_json(value).decode())


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """With a line of headings."""
    console().print(table(columns, rows))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Numbers to the right; texts on one line."""
    shown = [[cell(value) for value in row] for row in rows]
    made = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        is_number = all(row[place].plain.replace(",", "").isdecimal() for row in shown)
        made.add_column(
            name,
            justify="right" if shown and is_number else "left",
            no_wrap=True,
            overflow="ellipsis",
        )
    for row in shown:
        made.add_row(*row)
    return made


def show_tasks(tasks: Iterable[Task]) -> None:
    """A line a task."""
    show_table(
        ("id", "status", "pri", "queue", "retries", "created", "tags", "title"),
        (
            (
                *(str(task.id), task.status, task.priority, task.queue),
                f"{task.current_retry_count}/{task.retry_limit}",
                *(task.created_at, " ".join(task.tags), task.title),
            )
            for task in tasks
        ),
    )


def show_ends(tasks: Iterable[Task]) -> None:
    """A line a task, with what came of it."""
    show_table(
        ("id", "status", "retries", "title", "result or error"),
        (
            (
                *(str(task.id), task.status, f"{task.current_retry_count}/{task.retry_limit}"),
                *(task.title, task.error if task.status == "failed" else task.result),
            )
            for task in tasks
        ),
    )


def show_task(task: Task, attempts: Sequence[Attempt]) -> None:
    """All of a task: its fields, then the attempts that have ended otherwise than in success."""
    screen = console()
    fields = {name: value for name, value in task.model_dump().items() if value not in (None, [])}
    width = max(map(len, fields))
    for name, value in fields.items():
        shown = cell(str(value) if isinstance(value, int) else value)
        screen.print(Text(f"{harmless(name):{width}}  ", "bold") + shown, soft_wrap=True)
    if attempts:
        screen.print()
        screen.print(
            table(
                ("attempt", "outcome", "worker", "started", "finished", "error"),
                (
                    (a.attempt, a.outcome, a.worker, a.started_at, a.finished_at, a.error)
                    for a in attempts
                ),
            )
        )


def cell(value: Any) -> Text:
    """A value as one piece of text that can do nothing to a terminal."""
    if value is None:
        return Text("–", "bright_black")
    if isinstance(value, datetime):
        # As a filter takes it.
        return Text(f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, int):
        return Text(f"{value:,}")
    if not isinstance(value, str):
        return Text(harmless(to_json(value).decode()))
    return Text(harmless(value), _COLOURS.get(value, ""))
