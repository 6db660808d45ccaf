"""The backend: Django's tasks are tasks of a Rowlock server."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from django.core import checks

from rowlock.client.fields import TaskFields
from rowlock.django.call import Call, UnknownTaskError, call_of, fields_of, stored_call
from rowlock.django.contract import (
    DEFAULT_TASK_QUEUE_NAME,
    AnyResult,
    AnyTask,
    BaseTaskBackend,
    InvalidTask,
    InvalidTaskBackend,
    TaskResultDoesNotExist,
    task_enqueued,
)
from rowlock.django.results import has_history, result_of
from rowlock.errors import NotFoundError
from rowlock.http.target import target
from rowlock.models import Attempt
from rowlock.models import Task as StoredTask
from rowlock.worker.clients import Clients

_CALLING: Final = ("url", "token")
# Fields of a task, which it has where they are set; else the server's own defaults.
_FIELDS: Final = ("timeout_seconds", "retry_limit", "retry_delay_seconds", "retry_backoff")
_QUEUE: Final = re.compile(r"[a-z0-9_.-]{1,64}")
_TITLE_LIMIT: Final = 255
# More digits are no id that a server gives.
_ID: Final = re.compile(r"[0-9]{1,18}")
_CLIENT_TIMEOUT_SECONDS: Final = 10.0


class RowlockBackend(BaseTaskBackend):
    """Keeps tasks, and their results, in a Rowlock server; `manage.py rowlock_worker` runs them.

    `OPTIONS` may have `url` and `token` (else `ROWLOCK_URL` and `ROWLOCK_CLIENT_TOKEN`,
    `ROWLOCK_WORKER_TOKEN` or `ROWLOCK_TOKEN`), and for each of its tasks `timeout_seconds`,
    `retry_limit`, `retry_delay_seconds` and `retry_backoff`. Whatever asks the server may raise
    `RowlockError`.
    """

    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    def __init__(self, alias: str, params: dict[str, Any]) -> None:
        super().__init__(alias, params)
        # As they stand in the settings: the first is served first.
        self.queue_names: tuple[str, ...] = tuple(
            dict.fromkeys(params.get("QUEUES", [DEFAULT_TASK_QUEUE_NAME]))
        )
        unknown = self.options.keys() - {*_CALLING, *_FIELDS}
        if unknown:
            raise InvalidTaskBackend(
                f"The backend {alias!r} has no option {', '.join(sorted(map(repr, unknown)))}."
            )

    def check(self, **_kwargs: Any) -> list[checks.CheckMessage]:
        """What of the settings cannot work; the server is not asked."""
        return [*self._faults()]

    def _faults(self) -> Iterable[checks.CheckMessage]:
        of = f"TASKS[{self.alias!r}]"
        try:
            target(self.options.get("url"), self.options.get("token"))
        except ValueError as error:
            yield checks.Error(f"{of}: {error}", id="rowlock.E001")
        for name in self.queue_names:
            if not _QUEUE.fullmatch(name):
                yield checks.Error(f"{of}: {_said_of_queue(name)}", id="rowlock.E002")

    def validate_task(self, task: AnyTask) -> None:
        """Raises `InvalidTask` for what this backend cannot do."""
        super().validate_task(task)
        if not _QUEUE.fullmatch(task.queue_name):
            raise InvalidTask(_said_of_queue(task.queue_name))
        if len(task.module_path) > _TITLE_LIMIT:
            raise InvalidTask(
                f"The path of a task has {_TITLE_LIMIT} characters at most: {task.module_path}"
            )

    def enqueue(self, task: AnyTask, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Store it. It is committed when this returns."""
        call = self._checked(task, args, kwargs)
        stored = self._clients.shared().submit(task.module_path, **self._fields(call))
        result = result_of(stored, call, self.alias)
        task_enqueued.send_robust(type(self), task_result=result)
        return result

    async def aenqueue(self, task: AnyTask, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """See `enqueue`."""
        call = self._checked(task, args, kwargs)
        client = await self._clients.of_this_loop()
        stored = await client.submit(task.module_path, **self._fields(call))
        result = result_of(stored, call, self.alias)
        await task_enqueued.asend_robust(type(self), task_result=result)
        return result

    def get_result(self, result_id: str) -> AnyResult:
        """Raises `TaskResultDoesNotExist` where no task of this backend has this id."""
        client = self._clients.shared()
        try:
            stored = client.get(_task_id(result_id))
            attempts = client.attempts(stored.id) if has_history(stored) else []
        except NotFoundError as error:
            raise TaskResultDoesNotExist(result_id) from error
        return self._result(stored, attempts)

    async def aget_result(self, result_id: str) -> AnyResult:
        """See `get_result`."""
        client = await self._clients.of_this_loop()
        try:
            stored = await client.get(_task_id(result_id))
            attempts = await client.attempts(stored.id) if has_history(stored) else []
        except NotFoundError as error:
            raise TaskResultDoesNotExist(result_id) from error
        return self._result(stored, attempts)

    def attempts(self, task_id: int) -> list[Attempt]:
        """Those of a task that have ended."""
        return self._clients.shared().attempts(task_id)

    def _checked(self, task: AnyTask, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Call:
        self.validate_task(task)
        return call_of(task, args, kwargs)

    def _fields(self, call: Call) -> TaskFields:
        given: Any = {name: self.options[name] for name in _FIELDS if name in self.options}
        return {**fields_of(call, self.alias), **given}

    def _result(self, stored: StoredTask, attempts: Sequence[Attempt]) -> AnyResult:
        try:
            call = stored_call(stored)
        except UnknownTaskError as error:
            raise TaskResultDoesNotExist(str(stored.id)) from error
        if call.task.backend != self.alias:
            raise TaskResultDoesNotExist(str(stored.id))
        return result_of(stored, call, self.alias, attempts)

    @property
    def _clients(self) -> Clients:
        return _clients(self.options.get("url"), self.options.get("token"))


@cache
def _clients(url: str | None, token: str | None) -> Clients:
    # Django makes a backend for each thread; they share their connections.
    return Clients(url, token, timeout_seconds=_CLIENT_TIMEOUT_SECONDS, exchange=None)


def _task_id(result_id: str) -> int:
    if not _ID.fullmatch(result_id):
        raise TaskResultDoesNotExist(result_id)
    return int(result_id)


def _said_of_queue(name: str) -> str:
    return (
        f"The queue {name!r} has no name that a Rowlock server takes: up to 64 small letters, "
        "digits, '_', '.' and '-'."
    )
