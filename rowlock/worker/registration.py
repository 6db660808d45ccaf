"""How a function becomes a handler."""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

from rowlock.client.fields import TaskDefaults
from rowlock.models import Task
from rowlock.worker.clients import Clients
from rowlock.worker.handler_schedules import HandlerSchedules
from rowlock.worker.handlers import Handler, Handlers
from rowlock.worker.task_handler import TaskHandler

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Registration(Protocol):
    """Registers a function for a title. Its first parameter is the task, or its payload."""

    @overload
    def __call__(
        self, function: Callable[Concatenate[Task, P], R], /
    ) -> TaskHandler[Concatenate[Task, P], R, Any]: ...

    @overload
    def __call__(
        self, function: Callable[Concatenate[T, P], R], /
    ) -> TaskHandler[Concatenate[T, P], R, T]: ...


def registration(
    handlers: Handlers,
    schedules: HandlerSchedules,
    clients: Clients,
    title: str | None,
    defaults: TaskDefaults,
) -> Callable[[Handler], Handler]:
    """Adds a function: one with a title as a `TaskHandler`, of which `defaults` are the fields.
    Raises `TypeError` for what is none."""
    unknown = defaults.keys() - TaskDefaults.__optional_keys__
    if unknown:
        raise TypeError(f"tasks have no default {', '.join(sorted(unknown))}")

    def register(function: Handler) -> Handler:
        if isinstance(function, TaskHandler):
            function = function.function
        signature = handlers.add(title, function)
        if title is None:
            return function
        handler: TaskHandler[..., Any, Any] = TaskHandler(
            function,
            title,
            defaults=defaults,
            payload_type=signature.payload,
            handlers=handlers,
            clients=clients,
        )
        schedules.registered(handler)
        return handler

    return register
