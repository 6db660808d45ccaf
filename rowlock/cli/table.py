"""Tables: as wide as the terminal, or as plain lines for a file or another program."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from pydantic_core import to_json

from rowlock.cli.terminal import cells, cut, padded, styled, width
from rowlock.printable import harmless

_COLOURS: Final = {
    "in_progress": "cyan",
    "done": "green",
    "retrying": "yellow",
    "paused": "magenta",
    "failed": "red",
    "cancelled": "grey",
}
_GAP: Final = 2
# What is long: cut in a terminal, and last in a line.
_TEXTS: Final = frozenset(
    {"title", "result or error", "error", "tags", "progress", "result", "agent", "queues"}
)
_LEAST_TEXT: Final = 12
# Of plain lines the first so many say how wide each column is.
_LOOK_AHEAD: Final = 1000

Rows = Iterable[Sequence[Any]]


class Cell(NamedTuple):
    """A value as one piece of text that can do nothing to a terminal."""

    text: str
    style: str = ""


def show_table(columns: Sequence[str], rows: Rows, *, droppable: Sequence[str] = ()) -> None:
    """With a line of headings. In a terminal that is too narrow the droppable columns are left
    out, the first of them first; elsewhere lines are written as they come."""
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        lines: Iterable[str] = table(columns, rows, droppable=droppable, room=width())
    else:
        lines = plain_lines(columns, rows)
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def table(
    columns: Sequence[str], rows: Rows, *, droppable: Sequence[str] = (), room: int
) -> list[str]:
    """Lines for that width. Numbers to the right and never cut; texts on one line."""
    shown = [[cell(value) for value in row] for row in rows]
    widths = {
        name: max([len(name), *(cells(row[place].text) for row in shown)])
        for place, name in enumerate(columns)
    }
    numbers = {
        place
        for place in range(len(columns))
        if shown and all(_is_number(row[place]) for row in shown)
    }
    kept = _kept(columns, widths, droppable, room)
    _fit(widths, kept, {columns[place] for place in numbers}, room)
    places = [place for place, name in enumerate(columns) if name in kept]

    def line(row: Sequence[Cell]) -> str:
        parts = [
            _drawn(row[place], widths[columns[place]], to_the_right=place in numbers)
            for place in places
        ]
        return (" " * _GAP).join(parts).rstrip()

    return [line([Cell(name, "bold") for name in columns]), *map(line, shown)]


def plain_lines(columns: Sequence[str], rows: Rows) -> Iterator[str]:
    """The headings and a line a row, in columns as wide as the first rows are."""
    texts = ([cell(value).text for value in row] for row in rows)
    first = list(islice(texts, _LOOK_AHEAD))
    widths = [
        max([len(name), *(cells(row[place]) for row in first)])
        for place, name in enumerate(columns)
    ]
    gap = " " * _GAP
    for row in chain([columns], first, texts):
        yield gap.join(map(padded, row, widths)).rstrip()


def cell(value: Any) -> Cell:
    """A value as it stands in a table."""
    if value is None:
        return Cell("–", "grey")
    if isinstance(value, datetime):
        # As a filter takes it.
        return Cell(f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}")
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, int):
        return Cell(f"{value:,}")
    if not isinstance(value, str):
        return Cell(harmless(to_json(value).decode()))
    return Cell(harmless(value), _COLOURS.get(value, ""))


def duration(seconds: float) -> str:
    """Such as "45 s", "12 min", "5 h", "3 d"."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _is_number(one: Cell) -> bool:
    return one.text.replace(",", "").isdecimal()


def _drawn(one: Cell, room: int, *, to_the_right: bool) -> str:
    text = cut(one.text, room)
    blanks = " " * (room - cells(text))
    text = styled(text, one.style)
    return blanks + text if to_the_right else text + blanks


def _fit(widths: dict[str, int], kept: Sequence[str], numbers: Set[str], room: int) -> None:
    """Cut the texts, the longest most, until all that is kept has room. Where that is not enough,
    the widest of what is no number is cut too."""
    texts = sorted((name for name in kept if name in _TEXTS), key=widths.__getitem__)
    room -= sum(widths[name] for name in kept if name not in _TEXTS)
    room -= _GAP * (len(kept) - 1)
    for place, name in enumerate(texts):
        widths[name] = max(min(widths[name], room // (len(texts) - place)), 1)
        room -= widths[name]
    if room < 0:
        widest = max(kept, key=lambda name: (name not in numbers, widths[name]))
        widths[widest] = max(widths[widest] + room, 1)


def _kept(
    columns: Sequence[str], widths: Mapping[str, int], droppable: Sequence[str], room: int
) -> list[str]:
    kept = list(columns)
    least = {n: min(w, _LEAST_TEXT) if n in _TEXTS else w for n, w in widths.items()}
    for name in droppable:
        if sum(least[n] + _GAP for n in kept) - _GAP <= room:
            break
        if name in kept:
            kept.remove(name)
    return kept
