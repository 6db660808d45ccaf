"""What a handler may raise, and no program expects."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from rowlock import Permanent, Retry


class Timeout(BaseException):
    """As gevent's: no `Exception`."""


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise LookupError("no text")

    __repr__ = __str__


class HarshError(Exception):
    def __str__(self) -> str:
        raise KeyboardInterrupt

    __repr__ = __str__


class EndlessError(Exception):
    def __str__(self) -> str:
        return str(self)

    __repr__ = __str__


class Text(str):
    __slots__ = ()

    def replace(self, *_: Any) -> str:
        raise LookupError("no")

    encode = splitlines = __format__ = replace  # type: ignore[assignment]


class SlipperyError(Exception):
    @property
    def __cause__(self) -> None:  # type: ignore[override]
        raise LookupError("no cause")


class NeverBegun(Retry):
    def __init__(self) -> None:
        pass


class Nonsense(Retry):
    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.after_seconds = "soon"  # type: ignore[assignment]


class Raising(Retry):
    @property
    def after_seconds(self) -> float:
        raise LookupError("no time")

    @after_seconds.setter
    def after_seconds(self, _: object) -> None: ...


class UnprintablePermanentError(Permanent, UnprintableError): ...


class UnprintableRetryError(UnprintableError, Retry): ...


def a_chain(length: int) -> Exception:
    error = ValueError("the first")
    for number in range(length):
        following = ValueError(f"number {number}")
        following.__cause__ = error
        error = following
    return error


def a_circle() -> Exception:
    first, second = ValueError("one"), ValueError("other")
    first.__cause__, second.__context__ = second, first
    return first


def a_group(size: int, depth: int = 1) -> BaseException:
    group: BaseException = BaseExceptionGroup("many", [KeyError(n) for n in range(size)])
    for _ in range(depth - 1):
        group = BaseExceptionGroup("deeper", [group])
    return group


def too_deep() -> BaseException:
    def down() -> None:
        down()

    try:
        down()
    except RecursionError as error:
        return error
    raise AssertionError


def noted() -> Exception:
    error = ValueError("with notes")
    error.__notes__ = [UnprintableError(), 7]  # type: ignore[list-item]
    return error


ODD: Final[dict[str, Callable[[], BaseException]]] = {
    "a BaseException of its own": Timeout,
    "KeyboardInterrupt": KeyboardInterrupt,
    "SystemExit": lambda: SystemExit(3),
    "SystemExit with an object": lambda: SystemExit(UnprintableError()),
    "GeneratorExit": GeneratorExit,
    "CancelledError": asyncio.CancelledError,
    "StopIteration": lambda: StopIteration(UnprintableError()),
    "StopAsyncIteration": StopAsyncIteration,
    "MemoryError": MemoryError,
    "RecursionError": too_deep,
    "no text": UnprintableError,
    "a text that ends the program": HarshError,
    "a text without an end": EndlessError,
    "a text of its own kind": lambda: ValueError(Text("the text")),
    "a text beyond Unicode": lambda: ValueError("\udcff\0\ud800"),
    "a text of many lines": lambda: ValueError("line\n" * 100_000),
    "a cause of its own": SlipperyError,
    "notes that are none": noted,
    "a hundred thousand causes": lambda: a_chain(100_000),
    "a circle of causes": a_circle,
    "a group": lambda: a_group(2),
    "a large group": lambda: a_group(100_000),
    "a deep group": lambda: a_group(2, depth=300),
    "Permanent without text": UnprintablePermanentError,
    "Retry without text": UnprintableRetryError,
    "Retry that never began": NeverBegun,
    "Retry after nonsense": lambda: Nonsense("busy"),
    "Retry that does not say when": lambda: Raising("busy"),
    "Retry after a timedelta": lambda: Retry("busy", after_seconds=timedelta(seconds=5)),
    "Retry after a header": lambda: Retry("busy", after_seconds="5"),
}
