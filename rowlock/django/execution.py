"""One attempt of a Django task, in a worker."""

from collections.abc import Callable
from contextlib import suppress
from inspect import iscoroutinefunction
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import close_old_connections, connections
from django.utils import timezone

from rowlock.django.backend import RowlockBackend
from rowlock.django.call import Call, UnknownTaskError, stored_call
from rowlock.django.contract import (
    AnyResult,
    TaskContext,
    TaskResultStatus,
    normalize_json,
    task_finished,
    task_started,
)
from rowlock.django.errors import task_error, verdict_of
from rowlock.django.results import become, result_of
from rowlock.encoding import encode_bounded
from rowlock.errors import RowlockError
from rowlock.models import Attempt, Task
from rowlock.worker.attempt import RELEASED, Permanent, Retry, RunningAttempt
from rowlock.worker.unknown_titles import UnknownTitleError, UnknownTitles


class DjangoTasks:
    """The handler for all of Django's tasks: plain functions run in its thread, coroutine
    functions in the event loop. What is no task of this project is released."""

    def __init__(self) -> None:
        self._unknown = UnknownTitles()

    def __call__(self, task: Task, attempt: RunningAttempt) -> Any:
        try:
            call = stored_call(task)
            backend = _backend_of(call)
        except UnknownTaskError as error:
            self._unknown.note(task.title)
            raise UnknownTitleError(task) from error
        result = result_of(task, call, backend.alias, _attempts_before(task, backend))
        run = _Run(call, result, attempt, type(backend))
        if iscoroutinefunction(call.task.func):
            return _awaited(run)
        return _called(run)


def _backend_of(call: Call) -> RowlockBackend:
    backend = call.task.get_backend()
    if not isinstance(backend, RowlockBackend):
        raise UnknownTaskError(f"{call.task.module_path} is for another backend")
    return backend


def _attempts_before(task: Task, backend: RowlockBackend) -> list[Attempt]:
    """Where they cannot be had, that there were some is what the task itself says."""
    if task.attempt > 1:
        with suppress(RowlockError):
            return backend.attempts(task.id)
    return []


class _Run:
    """What Django is told of an attempt, whose `function` is called with `args` and `kwargs`.
    `sender` is that of its signals."""

    def __init__(
        self, call: Call, result: AnyResult, attempt: RunningAttempt, sender: type[RowlockBackend]
    ) -> None:
        context = [TaskContext(task_result=result)] if call.task.takes_context else []
        self.function: Callable[..., Any] = call.task.func
        self.args = [*context, *call.args]
        self.kwargs = call.kwargs
        self.result = result
        self.sender = sender
        self._attempt = attempt
        self._has_returned = False

    @property
    def is_lost(self) -> bool:
        """Whether what it raises is not heard any more."""
        return self._attempt.lost is not None

    @property
    def is_finished(self) -> bool:
        """Whether the task ends with this attempt. A worker that stops still hears of success."""
        return self.result.is_finished and self._attempt.lost in (None, RELEASED)

    def returned(self, value: Any) -> Any:
        """The value as JSON has it. Raises `TypeError` or `ValueError` for what it has not."""
        self._has_returned = True
        value = normalize_json(value)
        encode_bounded(value, "the return value")
        become(
            self.result,
            status=TaskResultStatus.SUCCESSFUL,
            finished_at=timezone.now(),
            _return_value=value,
        )
        return value

    def raised(self, error: BaseException) -> Permanent | Retry:
        """What the handler raises for it. The task has failed only where no retry remains; what
        cannot be kept could not be the next time."""
        verdict = verdict_of(error)
        if self._has_returned:
            verdict = Permanent(str(verdict))
        self.result.errors.append(task_error(str(verdict)))
        task = self._attempt.task
        if isinstance(verdict, Permanent) or task.current_retry_count >= task.retry_limit:
            become(self.result, status=TaskResultStatus.FAILED, finished_at=timezone.now())
        else:
            become(self.result, status=TaskResultStatus.READY)
        return verdict


def _called(run: _Run) -> Any:
    close_old_connections()
    try:
        task_started.send_robust(run.sender, task_result=run.result)
        try:
            value = run.returned(run.function(*run.args, **run.kwargs))
        except BaseException as error:
            if run.is_lost:
                raise
            verdict = run.raised(error)
            # In here the log's receiver finds the exception.
            if run.is_finished:
                task_finished.send_robust(run.sender, task_result=run.result)
            raise verdict from error
        if run.is_finished:
            task_finished.send_robust(run.sender, task_result=run.result)
        return value
    finally:
        close_old_connections()


async def _awaited(run: _Run) -> Any:
    # As in a request, what must be synchronous has a thread of the attempt's own.
    async with ThreadSensitiveContext():
        try:
            await task_started.asend_robust(run.sender, task_result=run.result)
            try:
                value = run.returned(await run.function(*run.args, **run.kwargs))
            except BaseException as error:
                if run.is_lost:
                    raise
                verdict = run.raised(error)
                if run.is_finished:
                    await task_finished.asend_robust(run.sender, task_result=run.result)
                raise verdict from error
            if run.is_finished:
                await task_finished.asend_robust(run.sender, task_result=run.result)
            return value
        finally:
            # All: its thread ends.
            await sync_to_async(connections.close_all)()
