"""Keep watch over several children, and end them in the opposite order of their start."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from app.local.child import Child
from app.local.errors import LocalError

Say = Callable[[str], None]

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WATCH_SECONDS = 0.1


class Supervisor:
    """Parts that live and die together."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._parts: list[tuple[Child, Callable[[], None]]] = []

    def add(self, child: Child, stop: Callable[[], None]) -> None:
        self._parts.append((child, stop))

    @property
    def are_any(self) -> bool:
        """Whether there is anything to stop."""
        return bool(self._parts)

    def require_all_alive(self) -> None:
        """Raise for a part that has ended: how, its last lines, and what to do."""
        for child, _ in self._parts:
            if child.exit_code() is not None:
                raise LocalError(
                    f"{child.name} {child.how_it_ended()}.{child.last_words()}\n"
                    "The data is kept: start again. If it stops again, its last log lines show "
                    "the cause."
                )

    def watch(self) -> None:
        """Return never; raise when a part ends."""
        while True:
            self.require_all_alive()
            time.sleep(_WATCH_SECONDS)

    def stop(self) -> None:
        """End all parts, the last started first. Further stop signals change nothing."""
        for number in _STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        while self._parts:
            child, stop = self._parts.pop()
            was_alive = child.exit_code() is None
            stop()
            if was_alive:
                slow = child.exit_code() == -signal.SIGKILL
                self._say(f"  {child.name} {'did not stop and was killed' if slow else 'stopped'}")


@contextmanager
def stop_signals_interrupt() -> Iterator[None]:
    """Within, the first Ctrl-C, SIGTERM or SIGHUP raises KeyboardInterrupt; more do nothing.
    SIGHUP that is ignored, as `nohup` has it, stays so."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in _STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt)
        for number in _STOP_SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN or number is not signal.SIGHUP
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
