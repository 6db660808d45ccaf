"""One call of a server: what is sent, and how its answer is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from rowlock.http.answer import Answer

T = TypeVar("T")

Query = tuple[tuple[str, str], ...]
Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One call: the request, and how to read a 2xx answer to it.

    A call that is not repeatable is sent again only if it cannot have arrived. The answer to
    one that was sent again may be `settled_if_repeated`: what it wanted is so already.
    """

    method: str
    path: str
    read: Callable[[Answer], T]
    query: Query = ()
    body: bytes | None = None
    headers: Headers = field(default_factory=dict)
    # For what takes its time on purpose: on top of the usual time.
    extra_seconds: float = 0.0
    is_repeatable: bool = True
    settled_if_repeated: int | None = None
