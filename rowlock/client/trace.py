"""The trace that submits belong to, where somebody traces them, as `rowlock.otel` does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Final, Protocol


class Span(Protocol):
    """What is told of a submit. `traceparent` goes out with it, and stays with its tasks."""

    traceparent: str | None

    def stored(self, task_ids: Sequence[int]) -> None:
        """The tasks that it has made."""


class _Untraced:
    traceparent: str | None = None

    def stored(self, task_ids: Sequence[int]) -> None:
        """Nobody asks."""


# Begins the span of a submit, to one queue or to any number.
Tracing = Callable[[str | None], AbstractContextManager[Span]]

_UNTRACED: Final = _Untraced()
_HEADERS: Final[ContextVar[Mapping[str, str]]] = ContextVar(
    "rowlock_trace", default=MappingProxyType({})
)
_tracing: Tracing | None = None


def trace_by(tracing: Tracing | None) -> None:
    """From now on all clients of this process have their submits traced like this, or not."""
    global _tracing  # noqa: PLW0603
    _tracing = tracing


def headers() -> Mapping[str, str]:
    """Those of a submit that is made now."""
    return _HEADERS.get()


@contextmanager
def submitting(queue: str | None) -> Iterator[Span]:
    """What is submitted within belongs to a span of its own."""
    if _tracing is None:
        yield _UNTRACED
        return
    with _tracing(queue) as span:
        found = {} if span.traceparent is None else {"traceparent": span.traceparent}
        token = _HEADERS.set(found)
        try:
            yield span
        finally:
            _HEADERS.reset(token)
