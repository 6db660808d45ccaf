"""A process that a handler forks is no worker."""

import os
import sys
import traceback
from contextlib import suppress
from types import TracebackType

# Counted, as to ask for the process id twice a task costs a system call each.
_generation = 0


class OneProcess:
    """Who leaves the block in another process than it was entered in is a child that a handler
    has forked and not ended. It ends here, as Python would end: what comes after the block, the
    connections and the other tasks are its parent's."""

    __slots__ = ("_generation",)

    def __enter__(self) -> None:
        self._generation = _generation

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._generation != _generation:
            _end(error)


def _end(error: BaseException | None) -> None:
    code = 1
    try:
        if error is None:
            code = 0
        elif not isinstance(error, SystemExit):
            traceback.print_exception(error)
        elif isinstance(error.code, int | None):
            code = error.code or 0
        else:
            print(error.code, file=sys.stderr)
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
    finally:
        os._exit(code)


def _count() -> None:
    global _generation  # noqa: PLW0603
    _generation += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count)
