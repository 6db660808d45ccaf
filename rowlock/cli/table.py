"""Tables: as wide as the terminal, or as plain lines for a file or another program."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, Final

from pydantic_core import to_json
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rowlock.printable import harmless

_COLOURS: Final = {
    "in_progress": "cyan",
    "done": "green",
    "retrying": "yellow",
    "paused": "magenta",
    "failed": "red",
    "cancelled": "bright_black",
}
_GAP: Final = 2
# What is long: cut in a terminal, and last in a line.
_TEXTS: Final = frozenset({"title", "result or error", "error", "tags", "progress", "result"})
_LEAST_TEXT: Final = 12
# Of plain lines the first so many say how wide each column is.
_LOOK_AHEAD: Final = 1000

Rows = Iterable[Sequence[Any]]


def console() -> Console:
    """The terminal, or a pipe without colours."""
    return Console(highlight=False)


def is_cut() -> bool:
    """Whether there is a width to keep to."""
    return sys.stdout.isatty() or "COLUMNS" in os.environ


def show_table(columns: Sequence[str], rows: Rows, *, droppable: Sequence[str] = ()) -> None:
    """With a line of headings. In a terminal that is too narrow the droppable columns are left
    out, the first of them first; elsewhere lines are written as they come."""
    if is_cut():
        screen = console()
        screen.print(table(columns, rows, droppable=droppable, width=screen.width))
        return
    for line in plain_lines(columns, rows):
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def table(
    columns: Sequence[str], rows: Rows, *, droppable: Sequence[str] = (), width: int | None = None
) -> Table:
    """Numbers to the right and never cut; texts on one line."""
    shown = [[cell(value) for value in row] for row in rows]
    widths = {
        name: max([len(name), *(row[place].cell_len for row in shown)])
        for place, name in enumerate(columns)
    }
    kept = _kept(columns, widths, droppable, width)
    if width is not None:
        _fit(widths, kept, width)
    made = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        if name not in kept:
            continue
        is_number = all(row[place].plain.replace(",", "").isdecimal() for row in shown)
        made.add_column(
            name,
            justify="right" if shown and is_number else "left",
            no_wrap=True,
            overflow="ellipsis",
            width=widths[name],
        )
    for row in shown:
        made.add_row(*(one for name, one in zip(columns, row, strict=True) if name in kept))
    return made


def plain_lines(columns: Sequence[str], rows: Rows) -> Iterator[str]:
    """The headings and a line a row, in columns as wide as the first rows are."""
    texts = ([cell(value).plain for value in row] for row in rows)
    first = list(islice(texts, _LOOK_AHEAD))
    widths = [
        max([len(name), *(len(row[place]) for row in first)]) for place, name in enumerate(columns)
    ]
    gap = " " * _GAP
    for row in chain([columns], first, texts):
        cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        yield gap.join(cells).rstrip()


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


def duration(seconds: float) -> str:
    """Such as "45 s", "12 min", "5 h", "3 d"."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _fit(widths: dict[str, int], kept: Sequence[str], width: int) -> None:
    """Cut the texts, the longest most, until all that is kept has room."""
    texts = sorted((name for name in kept if name in _TEXTS), key=widths.__getitem__)
    room = width - sum(widths[name] for name in kept if name not in _TEXTS)
    room -= _GAP * (len(kept) - 1)
    for place, name in enumerate(texts):
        widths[name] = max(min(widths[name], room // (len(texts) - place)), 1)
        room -= widths[name]


def _kept(
    columns: Sequence[str],
    widths: dict[str, int],
    droppable: Sequence[str],
    width: int | None,
) -> list[str]:
    kept = list(columns)
    least = {n: min(w, _LEAST_TEXT) if n in _TEXTS else w for n, w in widths.items()}
    for name in droppable:
        if width is None or sum(least[n] + _GAP for n in kept) - _GAP <= width:
            break
        if name in kept:
            kept.remove(name)
    return kept
