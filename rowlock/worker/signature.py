"""Which of a handler's parameters gets what."""

import inspect
from collections.abc import Callable, Collection, Mapping
from inspect import Parameter
from typing import Any, Final, NamedTuple

from rowlock.models import Task
from rowlock.worker.attempt import RunningAttempt
from rowlock.worker.payload import PayloadType

_UNSAID: Final = (Parameter.empty, Any, object)
_BY_POSITION: Final = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


class Signature(NamedTuple):
    """How a handler is called.

    First comes the task or, where a type is given, the payload made into that. `others` are the
    names and the types of what follows: the attempt, or what a lifespan yields. So many of them
    as `by_position` says are passed by position, the rest by name.
    """

    payload: PayloadType | None
    others: tuple[tuple[str, Any], ...]
    by_position: int

    def arguments(
        self, task: Task, attempt: RunningAttempt, resources: Mapping[Any, Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        """Those passed by position, and those by name. Raises `PayloadError`."""
        first = task if self.payload is None else self.payload.read(task.payload, task.title)
        named = {
            name: attempt if kind is RunningAttempt else resources[kind]
            for name, kind in self.others
        }
        given = [named.pop(name) for name, _ in self.others[: self.by_position]]
        return [first, *given], named


def signature_of(handler: Callable[..., Any], yielded: Collection[Any]) -> Signature:
    """How to call it, where lifespans yield what is of the types `yielded`.

    Raises `ValueError`, whose text begins with a verb, for a handler that cannot be called.
    """
    parameters = _parameters(handler)
    if not parameters:
        raise ValueError("takes no parameter; the first one is the task, or its payload")
    first, *rest = parameters
    if first.kind is Parameter.VAR_POSITIONAL and not rest:
        return Signature(None, (("attempt", RunningAttempt),), 1)
    payload = _payload_of(first)
    others = []
    by_position = 0
    is_in_order = True
    for number, parameter in enumerate(rest):
        kind = _kind_of(parameter, yielded, is_second=number == 0)
        if kind is None:
            is_in_order = False
        elif is_in_order and parameter.kind is not Parameter.KEYWORD_ONLY:
            others.append((parameter.name, kind))
            by_position += 1
        elif parameter.kind in (Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD):
            others.append((parameter.name, kind))
        else:
            raise ValueError(f"takes {parameter.name!r} only after what it is not given")
    if not others and first.annotation in _UNSAID:
        raise ValueError(
            f"takes {first.name!r} alone, without an annotation: say whether it is the task "
            "(`Task`) or its payload (any other type)"
        )
    return Signature(payload, tuple(others), by_position)


def _parameters(handler: Callable[..., Any]) -> list[Parameter]:
    try:
        try:
            signature = inspect.signature(handler, eval_str=True)
        except NameError:
            # Imported for the type checker only, as these two may be.
            ours = {kind.__name__: kind for kind in (Task, RunningAttempt)}
            signature = inspect.signature(handler, eval_str=True, locals=ours)
    except Exception as error:
        raise ValueError(f"has parameters whose types cannot be found out: {error}") from error
    return [one for one in signature.parameters.values() if one.kind is not Parameter.VAR_KEYWORD]


def _payload_of(first: Parameter) -> PayloadType | None:
    kind = first.annotation
    if first.kind not in _BY_POSITION:
        raise ValueError(f"does not take {first.name!r} by position, as the task or its payload")
    if kind is RunningAttempt:
        raise ValueError("takes the attempt first; the first one is the task, or its payload")
    if kind is Task or kind in _UNSAID:
        return None
    try:
        return PayloadType(kind)
    except ValueError as error:
        raise ValueError(f"takes {first.name!r}, a {_shown(kind)}: {error}") from error


def _kind_of(parameter: Parameter, yielded: Collection[Any], *, is_second: bool) -> Any:
    """`RunningAttempt`, a type that is yielded, or None: it is left to its default."""
    kind = parameter.annotation
    is_unsaid = kind in _UNSAID
    if kind is RunningAttempt or (is_second and is_unsaid):
        return RunningAttempt
    if kind in yielded:
        return kind
    if parameter.default is not Parameter.empty or parameter.kind is Parameter.VAR_POSITIONAL:
        return None
    if is_unsaid:
        raise ValueError(
            f"takes {parameter.name!r} without an annotation; beside the task and the attempt "
            "there is only what a lifespan yields, found by its type"
        )
    raise ValueError(
        f"takes {parameter.name!r}, a {_shown(kind)}, which no lifespan that is registered "
        "before it yields"
    )


def _shown(kind: Any) -> str:
    return kind.__qualname__ if isinstance(kind, type) else str(kind)
