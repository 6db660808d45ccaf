"""The terminal: how wide it is, how wide a text is on it, and what it can be told."""

import os
import shutil
import sys
import unicodedata
from typing import Final, TextIO

_STYLES: Final = {
    "bold": "1",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "magenta": "35",
    "cyan": "36",
    "grey": "90",
}
# One of them is set where a terminal of Windows knows escape sequences.
_ON_WINDOWS: Final = ("WT_SESSION", "TERM_PROGRAM", "TERM", "ANSICON")


def width() -> int:
    """In cells; COLUMNS counts more than what the terminal says."""
    return shutil.get_terminal_size().columns


def height() -> int:
    """In lines; LINES counts more."""
    return shutil.get_terminal_size().lines


def can_redraw(stream: TextIO) -> bool:
    """Whether the stream is a terminal on which the cursor can be moved."""
    if not stream.isatty() or os.environ.get("TERM") in ("dumb", "unknown"):
        return False
    return os.name != "nt" or any(name in os.environ for name in _ON_WINDOWS)


def styled(text: str, style: str) -> str:
    """In that colour, or bold, where stdout is a terminal that shows it and NO_COLOR is not set."""
    if not style or os.environ.get("NO_COLOR") or not can_redraw(sys.stdout):
        return text
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def cells(text: str) -> int:
    """How many columns a text takes: two for each wide character, none for accents."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def padded(text: str, room: int) -> str:
    """With blanks up to that width."""
    return text + " " * (room - cells(text))


def cut(text: str, room: int) -> str:
    """At most that wide; what is left out shows as an ellipsis."""
    if cells(text) <= room:
        return text
    return _beginning(text, room - 1) + "…"


def wrapped(text: str, room: int) -> list[str]:
    """In lines of at most that width, broken at blanks, and in a word only where it is longer."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if cells(longer) <= room:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while cells(line) > room:
            part = _beginning(line, room)
            lines.append(part)
            line = line[len(part) :]
    return [*lines, line] if line else lines


def _beginning(text: str, room: int) -> str:
    taken = 0
    for place, char in enumerate(text):
        taken += _cells_of(char)
        if taken > room:
            return text[:place]
    return text


def _cells_of(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
