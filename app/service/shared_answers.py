"""An answer that many ask for, computed once."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Final, Generic, TypeVar

from app.runtime.steady_clock import steady_seconds

Question = TypeVar("Question", bound=Hashable)
Answer = TypeVar("Answer")

# More different ones are not remembered.
KEPT: Final = 64


class SharedAnswers(Generic[Question, Answer]):
    """Whoever asks the same while it is computed, or within `seconds` of its beginning, is told
    the same. What has failed is told to those who wait for it, and is asked anew."""

    def __init__(
        self, compute: Callable[[Question], Coroutine[Any, Any, Answer]], *, seconds: float
    ) -> None:
        self._compute = compute
        self._seconds = seconds
        self._computed: dict[Question, tuple[float, asyncio.Task[Answer]]] = {}

    async def __call__(self, question: Question) -> Answer:
        """The answer; raises what computing it raises."""
        now = steady_seconds()
        found = self._computed.get(question)
        if found is None or self._is_over(*found, now):
            self._make_room(now)
            # It is nobody's in particular: who asked first may leave.
            task = asyncio.create_task(self._compute(question), context=contextvars.Context())
            task.add_done_callback(_see)
            self._computed[question] = found = now, task
        return await asyncio.shield(found[1])

    async def drain(self) -> None:
        """Return when nothing is being computed any more."""
        if under_way := [task for _, task in self._computed.values() if not task.done()]:
            await asyncio.wait(under_way)

    def _is_over(self, began: float, task: asyncio.Task[Answer], now: float) -> bool:
        if not task.done():
            return False
        return task.cancelled() or task.exception() is not None or now - began >= self._seconds

    def _make_room(self, now: float) -> None:
        for question, computed in list(self._computed.items()):
            if self._is_over(*computed, now):
                del self._computed[question]
        while len(self._computed) >= KEPT:
            del self._computed[next(iter(self._computed))]


def _see(task: "asyncio.Task[Any]") -> None:
    """Else asyncio complains of an exception that nobody was left to be told of."""
    if not task.cancelled():
        task.exception()
