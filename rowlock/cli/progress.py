"""How far a long command is: on a terminal, on stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


@contextmanager
def reading(file: IO[bytes]) -> Iterator[Any]:
    """A bar on the terminal, by the file's bytes; nothing where stderr is none."""
    if not sys.stderr.isatty():
        yield lambda _size, _stored=0: None
        return
    path = Path(str(getattr(file, "name", "-")))
    total = path.stat().st_size if path.is_file() else None
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[stored]:,} stored"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=total, stored=0)

        def advance(size: int, stored: int | None = None) -> None:
            progress.advance(bar, size)
            if stored is not None:
                progress.update(bar, stored=stored)

        yield advance


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], None]]:
    """The number of what is done so far, without knowing how many there are."""
    if not sys.stderr.isatty():
        yield lambda _count: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} " + what), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=None)
        yield lambda count: progress.update(bar, completed=count)


@contextmanager
def working(what: str) -> Iterator[None]:
    """That something is under way, and since when."""
    if not sys.stderr.isatty():
        yield
        return
    columns = (SpinnerColumn(), TextColumn(f"{what} …"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task("", total=None)
        yield
