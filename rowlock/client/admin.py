"""Management: pause, resume, cancel, retry, for a task, for all that match, for a queue; pause and
resume for a schedule; and who works."""

from collections.abc import Awaitable, Mapping
from typing import Protocol, TypeVar, Unpack

from rowlock.client import calls, schedule_calls
from rowlock.client.fields import Filters
from rowlock.client.pages import walk, walk_async
from rowlock.http.call import Call
from rowlock.models import (
    BulkResult,
    QueueSettings,
    QueueState,
    QueueStats,
    RegisteredWorker,
    Schedule,
    Task,
    WorkerDetails,
)

T = TypeVar("T")


class Ask(Protocol):
    """Gets a call's answer."""

    def __call__(self, call: Call[T], /) -> T: ...


class AsyncAsk(Protocol):
    """The same for asyncio."""

    def __call__(self, call: Call[T], /) -> Awaitable[T]: ...


class Admin:
    """The admin calls; they need an admin token."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def pause(self, task_id: int) -> Task:
        """Pause a task: it is not claimed until resumed."""
        return self._ask(calls.intervene("pause", task_id))

    def resume(self, task_id: int) -> Task:
        """Resume a paused task."""
        return self._ask(calls.intervene("resume", task_id))

    def cancel(self, task_id: int) -> Task:
        """Cancel a task; a worker that runs it is notified."""
        return self._ask(calls.intervene("cancel", task_id))

    def retry(self, task_id: int) -> Task:
        """Retry a failed or cancelled task, with all its retries."""
        return self._ask(calls.intervene("retry", task_id))

    def pause_all(self, *, dry_run: bool = False, **filters: Unpack[Filters]) -> BulkResult:
        """Pause all tasks that match. Needs at least one filter; `dry_run` only counts."""
        return self._ask(calls.intervene_in_all("pause", filters, is_dry_run=dry_run))

    def resume_all(self, *, dry_run: bool = False, **filters: Unpack[Filters]) -> BulkResult:
        """Resume all tasks that match."""
        return self._ask(calls.intervene_in_all("resume", filters, is_dry_run=dry_run))

    def cancel_all(self, *, dry_run: bool = False, **filters: Unpack[Filters]) -> BulkResult:
        """Cancel all tasks that match."""
        return self._ask(calls.intervene_in_all("cancel", filters, is_dry_run=dry_run))

    def retry_all(self, *, dry_run: bool = False, **filters: Unpack[Filters]) -> BulkResult:
        """Retry all tasks that match."""
        return self._ask(calls.intervene_in_all("retry", filters, is_dry_run=dry_run))

    def queues(self) -> list[QueueStats]:
        """All queues that have tasks or are paused."""
        return [*walk(self._ask, calls.queues())]

    def pause_queue(self, name: str) -> QueueState:
        """Pause a queue: its tasks are not claimed."""
        return self._ask(calls.set_queue("pause", name))

    def resume_queue(self, name: str) -> QueueState:
        """Resume a queue."""
        return self._ask(calls.set_queue("resume", name))

    def pause_schedule(self, name: str) -> Schedule:
        """Pause a schedule: it submits nothing until resumed."""
        return self._ask(schedule_calls.intervene("pause", name))

    def resume_schedule(self, name: str) -> Schedule:
        """Resume a schedule; what fell into the pause is left out."""
        return self._ask(schedule_calls.intervene("resume", name))

    def queue_settings(self, name: str) -> QueueSettings:
        """What is set for a queue."""
        return self._ask(calls.queue_settings(name))

    def set_queue_settings(
        self, name: str, *, ageing_seconds: Mapping[str, int] | None = None
    ) -> QueueSettings:
        """Replace what is set for a queue; what is left out has its default from then on. With
        `ageing_seconds` `{"中": 600, "低": 3600}` a task of low priority is claimed before those
        of high priority that came more than an hour after it."""
        return self._ask(calls.set_queue_settings(name, {"ageing_seconds": ageing_seconds}))

    def workers(
        self, *queues: str, seen_within_seconds: int | None = None
    ) -> list[RegisteredWorker]:
        """All workers that were seen in the last day, by name; if queues are named, those that
        poll one of them or hold a task of one. `seen_within_seconds` leaves out those that hold no
        task and have not polled for so long."""
        return [*walk(self._ask, calls.workers(queues, seen_within_seconds))]

    def worker(self, name: str) -> WorkerDetails:
        """A worker, with the tasks that it holds. Raises `NotFoundError`."""
        return self._ask(calls.worker(name))


class AsyncAdmin:
    """The same for asyncio."""

    def __init__(self, ask: AsyncAsk) -> None:
        self._ask = ask

    async def pause(self, task_id: int) -> Task:
        """Pause a task: it is not claimed until resumed."""
        return await self._ask(calls.intervene("pause", task_id))

    async def resume(self, task_id: int) -> Task:
        """Resume a paused task."""
        return await self._ask(calls.intervene("resume", task_id))

    async def cancel(self, task_id: int) -> Task:
        """Cancel a task; a worker that runs it is notified."""
        return await self._ask(calls.intervene("cancel", task_id))

    async def retry(self, task_id: int) -> Task:
        """Retry a failed or cancelled task, with all its retries."""
        return await self._ask(calls.intervene("retry", task_id))

    async def pause_all(self, *, dry_run: bool = False, **filters: Unpack[Filters]) -> BulkResult:
        """Pause all tasks that match. Needs at least one filter; `dry_run` only counts."""
        return await self._ask(calls.intervene_in_all("pause", filters, is_dry_run=dry_run))

    async def resume_all(self, *, dry_run: bool = False, **filters: Unpack[Filters]) -> BulkResult:
        """Resume all tasks that match."""
        return await self._ask(calls.intervene_in_all("resume", filters, is_dry_run=dry_run))

    async def cancel_all(self, *, dry_run: bool = False, **filters: Unpack[Filters]) -> BulkResult:
        """Cancel all tasks that match."""
        return await self._ask(calls.intervene_in_all("cancel", filters, is_dry_run=dry_run))

    async def retry_all(self, *, dry_run: bool = False, **filters: Unpack[Filters]) -> BulkResult:
        """Retry all tasks that match."""
        return await self._ask(calls.intervene_in_all("retry", filters, is_dry_run=dry_run))

    async def queues(self) -> list[QueueStats]:
        """All queues that have tasks or are paused."""
        return [queue async for queue in walk_async(self._ask, calls.queues())]

    async def pause_queue(self, name: str) -> QueueState:
        """Pause a queue: its tasks are not claimed."""
        return await self._ask(calls.set_queue("pause", name))

    async def resume_queue(self, name: str) -> QueueState:
        """Resume a queue."""
        return await self._ask(calls.set_queue("resume", name))

    async def pause_schedule(self, name: str) -> Schedule:
        """Pause a schedule: it submits nothing until resumed."""
        return await self._ask(schedule_calls.intervene("pause", name))

    async def resume_schedule(self, name: str) -> Schedule:
        """Resume a schedule; what fell into the pause is left out."""
        return await self._ask(schedule_calls.intervene("resume", name))

    async def queue_settings(self, name: str) -> QueueSettings:
        """What is set for a queue."""
        return await self._ask(calls.queue_settings(name))

    async def set_queue_settings(
        self, name: str, *, ageing_seconds: Mapping[str, int] | None = None
    ) -> QueueSettings:
        """Replace what is set for a queue; what is left out has its default from then on. With
        `ageing_seconds` `{"中": 600, "低": 3600}` a task of low priority is claimed before those
        of high priority that came more than an hour after it."""
        return await self._ask(calls.set_queue_settings(name, {"ageing_seconds": ageing_seconds}))

    async def workers(
        self, *queues: str, seen_within_seconds: int | None = None
    ) -> list[RegisteredWorker]:
        """All workers that were seen in the last day, by name; if queues are named, those that
        poll one of them or hold a task of one. `seen_within_seconds` leaves out those that hold no
        task and have not polled for so long."""
        found = walk_async(self._ask, calls.workers(queues, seen_within_seconds))
        return [worker async for worker in found]

    async def worker(self, name: str) -> WorkerDetails:
        """A worker, with the tasks that it holds. Raises `NotFoundError`."""
        return await self._ask(calls.worker(name))
