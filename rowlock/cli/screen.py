"""The whole terminal, drawn again and again, and given back as it was."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

_TAKE: Final = "\x1b[?1049h\x1b[?25l"
_GIVE_BACK: Final = "\x1b[?25h\x1b[?1049l"
_HOME: Final = "\x1b[H"
_CLEAR_TO_END_OF_LINE: Final = "\x1b[K"
_CLEAR_BELOW: Final = "\x1b[J"


@contextmanager
def whole_screen() -> Iterator[Callable[[Sequence[str]], None]]:
    """What draws these lines instead of the last ones; there may be no more than fit."""

    def draw(lines: Sequence[str]) -> None:
        shown = "\n".join(line + _CLEAR_TO_END_OF_LINE for line in lines)
        _write(_HOME + shown + _CLEAR_BELOW)

    _write(_TAKE)
    try:
        yield draw
    finally:
        _write(_GIVE_BACK)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
