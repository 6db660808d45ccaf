"""The schedules of a worker's handlers: `@worker.schedule`."""

import inspect
from typing import Any, NamedTuple, cast

from rowlock.client.schedule_calls import check_name
from rowlock.client.schedule_fields import ScheduleOptions, ScheduleTiming, encode_schedule
from rowlock.errors import PayloadError, ScheduleError
from rowlock.worker.handlers import Handler, Handlers
from rowlock.worker.task_handler import TaskHandler


class _Declared(NamedTuple):
    """What the decorator was told."""

    function: Handler
    name: str | None
    timing: ScheduleTiming
    payload: Any


def timing_of(
    cron: str | None, every_seconds: int | None, options: ScheduleOptions
) -> ScheduleTiming:
    """When it submits. Raises `TypeError` unless one of the two says so."""
    if (cron is None) == (every_seconds is None) or callable(cron):
        raise TypeError("say when: a cron expression, or every_seconds=")
    timing = {"cron": cron, "interval_seconds": every_seconds, **options}
    return cast("ScheduleTiming", timing)


class HandlerSchedules:
    """Schedules by name, each of a handler with a title: one that is registered already, or the
    next that is registered for the same function."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers
        self._encoded: dict[str, bytes] = {}
        self._waiting: list[_Declared] = []

    def declare(
        self, function: Handler, *, name: str | None, timing: ScheduleTiming, payload: Any
    ) -> None:
        """Raises `ValueError` for what cannot be a schedule."""
        handler = inspect.unwrap(function, stop=lambda inner: isinstance(inner, TaskHandler))
        if not isinstance(handler, TaskHandler):
            self._waiting.append(_Declared(function, name, timing, payload))
            return
        if handler.handlers is not self._handlers:
            raise ValueError(f"{handler!r} is a handler of another worker")
        self._keep(handler, _Declared(function, name, timing, payload))

    def registered(self, handler: TaskHandler[..., Any, Any]) -> None:
        """A handler is there, perhaps the one that some wait for. Raises `ValueError`."""
        for declared in self._waiting[:]:
            if _is_around(handler.function, declared.function):
                self._waiting.remove(declared)
                self._keep(handler, declared)

    def encoded(self) -> dict[str, bytes]:
        """All of them, as they are sent. Raises `ScheduleError` where one has no handler."""
        for declared in self._waiting:
            raise ScheduleError(
                f"the schedule of {declared.function!r} has no task: give it a title by "
                "@worker.handler(…) as well"
            )
        return self._encoded

    def _keep(self, handler: TaskHandler[..., Any, Any], declared: _Declared) -> None:
        name = handler.title if declared.name is None else declared.name
        check_name(name)
        if name in self._encoded:
            raise ValueError(f"there is already a schedule {name!r}; name this one by name=")
        try:
            task = handler.scheduled(declared.payload)
        except PayloadError as error:
            if declared.payload is None:
                raise ValueError(f"the schedule {name!r} needs payload=: {error}") from None
            raise
        self._encoded[name] = encode_schedule(name, task, declared.timing)


def _is_around(outer: Handler, inner: Handler) -> bool:
    """Whether the one is the other, or a decorator has put it around that."""
    return inspect.unwrap(outer, stop=lambda function: function is inner) is inner
