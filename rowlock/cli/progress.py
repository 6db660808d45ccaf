"""How far a long command is: a line on stderr, where that is a terminal."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import IO, Final

from rowlock.cli.terminal import can_redraw, cut, width

_BAR: Final = 30
_SPINNER: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_FRAME_SECONDS: Final = 0.1
_BEGIN_LINE: Final = "\r\x1b[K"


@contextmanager
def reading(file: IO[bytes]) -> Iterator[Callable[..., None]]:
    """A bar by the file's bytes. It is told how many more were read, and perhaps how many tasks
    are stored."""
    path = Path(str(getattr(file, "name", "-")))
    total = path.stat().st_size if path.is_file() else 0
    read, stored = 0, 0

    def advance(size: int, now_stored: int | None = None) -> None:
        nonlocal read, stored
        read += size
        stored = stored if now_stored is None else now_stored

    def line(seconds: float) -> str:
        if not total:
            return f"{_spinner(seconds)} {stored:,} stored {_clock(seconds)}"
        part = min(read / total, 1)
        left = f" {_clock(seconds / part - seconds)} left" if part else ""
        return f"{'━' * int(_BAR * part):{_BAR}} {part:4.0%} {stored:,} stored{left}"

    with _drawn(line):
        yield advance


@contextmanager
def counting(what: str, *, is_shown: bool = True) -> Iterator[Callable[[int], None]]:
    """The number of what is done so far, without knowing how many there are."""
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done = count

    with _drawn(lambda s: f"{_spinner(s)} {done:,} {what} {_clock(s)}", is_shown=is_shown):
        yield advance


@contextmanager
def working(what: str) -> Iterator[None]:
    """That something is under way, and since when."""
    with _drawn(lambda seconds: f"{_spinner(seconds)} {what} … {_clock(seconds)}"):
        yield


@contextmanager
def _drawn(line: Callable[[float], str], *, is_shown: bool = True) -> Iterator[None]:
    """The line at that many seconds, by a thread of its own: the command may be waiting. Nothing
    of it is left."""
    if not is_shown or not can_redraw(sys.stderr):
        yield
        return
    begun, ended = monotonic(), threading.Event()

    def draw() -> None:
        while True:
            _write(_BEGIN_LINE + cut(line(monotonic() - begun), width() - 1))
            if ended.wait(_FRAME_SECONDS):
                return

    drawing = threading.Thread(target=draw, daemon=True)
    drawing.start()
    try:
        yield
    finally:
        ended.set()
        drawing.join()
        _write(_BEGIN_LINE)


def _spinner(seconds: float) -> str:
    return _SPINNER[int(seconds / _FRAME_SECONDS) % len(_SPINNER)]


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
