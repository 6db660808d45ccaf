"""What can be a lifespan, and what can be around attempts."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from rowlock import RunningAttempt, Task, Worker


async def returns() -> None: ...


def yields_without_async() -> Iterator[None]:
    yield


async def takes_more(task: Task, attempt: RunningAttempt, more: int) -> AsyncIterator[None]:
    yield


async def takes_something(something: int) -> AsyncIterator[None]:
    yield


async def one() -> AsyncIterator[str]:
    yield "one"


async def other() -> AsyncIterator[str]:
    yield "other"


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (returns, "the lifespan returns must be an `async def` that yields once"),
        (yields_without_async, "must be an `async def` that yields once"),
        (takes_something, "the lifespan takes_something must take nothing: missing"),
    ],
)
def test_what_is_no_lifespan_is_refused(function: Callable[..., Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Worker().lifespan(function)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (returns, "returns, around attempts, must be an `async def` that yields once"),
        (one, "one, around attempts, must take task and attempt: too many"),
        (takes_more, "must take task and attempt: missing"),
    ],
)
def test_what_cannot_be_around_attempts_is_refused(function: Callable[..., Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Worker().around(function)


def test_two_lifespans_yield_two_types() -> None:
    worker = Worker()
    worker.lifespan(one)
    with pytest.raises(ValueError, match="one and other yield the same type"):
        worker.lifespan(other)


def test_a_lifespan_stands_before_the_handlers_that_use_it() -> None:
    worker = Worker()

    def handler(task: Task, text: str) -> None: ...

    with pytest.raises(ValueError, match="takes 'text', a str, which no lifespan"):
        worker.handler("x")(handler)
    worker.lifespan(one)
    worker.handler("x")(handler)
