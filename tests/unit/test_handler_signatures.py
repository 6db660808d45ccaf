"""Which functions can be handlers, and what is said of those that cannot."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from rowlock import RunningAttempt, Task, Worker


@dataclass
class Size:
    width: int


class Connection: ...


def nothing() -> None: ...


def alone(task) -> None: ...  # type: ignore[no-untyped-def]


def three(task: Task, attempt: RunningAttempt, third) -> None: ...  # type: ignore[no-untyped-def]


def unknown(size: Size, connection: Connection) -> None: ...


def no_json(connection: Connection) -> None: ...


def attempt_first(attempt: RunningAttempt, size: Size) -> None: ...


def by_name(*, task: Task) -> None: ...


def nowhere(size: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821


def generator(task: Task) -> Iterator[int]:
    yield 1


REFUSED: dict[str, tuple[Callable[..., Any], str]] = {
    "no parameter": (nothing, "takes no parameter"),
    "one without an annotation": (alone, "takes 'task' alone, without an annotation"),
    "three": (three, "takes 'third' without an annotation"),
    "what nobody yields": (unknown, "takes 'connection', a Connection, which no lifespan"),
    "what is no JSON": (no_json, "takes 'connection', a Connection: a payload cannot"),
    "the attempt first": (attempt_first, "takes the attempt first"),
    "by name only": (by_name, "does not take 'task' by position"),
    "a name that is not there": (nowhere, "cannot be found out: name 'Nowhere' is not defined"),
    "a generator": (generator, "is a generator"),
    "a partial generator": (functools.partial(generator), "is a generator"),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("title", ["resize", None])
def test_what_cannot_be_called_is_refused_when_it_is_registered(
    kind: str, title: str | None
) -> None:
    function, said = REFUSED[kind]
    what = "any task" if title is None else "tasks titled 'resize'"
    worker = Worker()
    with pytest.raises(ValueError, match=f"^the handler for {what} .*{said}"):
        worker.handler(title)(function) if title else worker.handler()(function)
    assert not worker.has_handler


def test_a_default_has_to_be_a_field_of_tasks() -> None:
    worker: Any = Worker()
    with pytest.raises(TypeError, match="tasks have no default payload, retries"):
        worker.handler("resize", payload=1, retries=3)
    with pytest.raises(TypeError, match="only tasks with a title have defaults"):
        worker.handler(queue="images")
