"""A handler that can be submitted."""

import inspect
import sys
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, Unpack, cast

from rowlock.client.async_client import AsyncClient
from rowlock.client.fields import NewTask, SubmitFields, TaskDefaults, TaskFields
from rowlock.client.schedule_fields import ScheduledTask
from rowlock.client.sync_client import Client
from rowlock.models import Task
from rowlock.worker.clients import Clients
from rowlock.worker.handlers import Handlers
from rowlock.worker.payload import PayloadType

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)


class TaskHandler(Generic[P, R_co, T_contra]):
    """A function that does the tasks of one title. Called, it is the function itself; `submit`
    and `submit_async` store a task for it, with the defaults given to `@worker.handler`.

    A task goes to the worker's server unless a client is passed. Where the handler's first
    parameter is annotated as its payload, a payload of another form raises `PayloadError`, with
    the fields, before anything is sent.
    """

    __name__: str

    def __init__(
        self,
        function: Callable[P, R_co],
        title: str,
        *,
        defaults: TaskDefaults,
        payload_type: PayloadType | None,
        handlers: Handlers,
        clients: Clients,
    ) -> None:
        update_wrapper(self, function)
        if sys.version_info >= (3, 12) and inspect.iscoroutinefunction(function):
            inspect.markcoroutinefunction(self)
        self.function = function
        self.title = title
        self.defaults = defaults
        self.handlers = handlers
        self._payload_type = payload_type
        self._clients = clients

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.title!r}: {self.function!r}>"

    def submit(
        self,
        payload: T_contra,
        *,
        client: Client | None = None,
        idempotency_key: str | None = None,
        **fields: Unpack[SubmitFields],
    ) -> Task:
        """Store a task. `fields` count more than the defaults; a call with the same key stores
        nothing new. Raises `RowlockError`."""
        given = self._fields(payload, fields)
        client = client or self._clients.shared()
        return client.submit(self.title, idempotency_key=idempotency_key, **given)

    async def submit_async(
        self,
        payload: T_contra,
        *,
        client: AsyncClient | None = None,
        idempotency_key: str | None = None,
        **fields: Unpack[SubmitFields],
    ) -> Task:
        """The same for asyncio."""
        given = self._fields(payload, fields)
        client = client or await self._clients.of_this_loop()
        return await client.submit(self.title, idempotency_key=idempotency_key, **given)

    def scheduled(self, payload: T_contra) -> ScheduledTask:
        """The task for `client.schedules.put(…, task=…)`: its title, the defaults and this
        payload. Raises `PayloadError`."""
        self._check(payload)
        task = {"title": self.title, **self.defaults, "payload": payload}
        return cast("ScheduledTask", task)

    def new_task(self, payload: T_contra, **fields: Unpack[SubmitFields]) -> NewTask:
        """The task that `submit` would store, for `Done(then=…)` or `client.submit_batch`. Raises
        `PayloadError`."""
        return cast("NewTask", {"title": self.title, **self._fields(payload, fields)})

    def _fields(self, payload: Any, fields: SubmitFields) -> TaskFields:
        self._check(payload)
        return {**self.defaults, **fields, "payload": payload}

    def _check(self, payload: Any) -> None:
        if self._payload_type is not None:
            self._payload_type.read(payload, self.title)
