"""Management: pause, resume, cancel, retry, for a task, for all that match, which can be deleted
too, for a queue; pause and resume for a schedule; who works, and how the server is."""

from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from typing import Protocol, TypeVar, Unpack

from rowlock.client import bulk, calls, schedule_calls
from rowlock.client.fields import BulkAction, BulkFilters
from rowlock.client.pages import walk, walk_async
from rowlock.http.call import Call
from rowlock.models import (
    BulkResult,
    Examination,
    Processes,
    QueueGroup,
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

    def cancel(self, task_id: int, *, ancestors: bool = False) -> Task:
        """Cancel a task; a worker that runs it is notified. `ancestors` cancels too what it
        depends on and nothing else waits for: a flow, by its last task."""
        along = "ancestors" if ancestors else None
        return self._ask(calls.intervene("cancel", task_id, along=along))

    def retry(self, task_id: int, *, descendants: bool = False) -> Task:
        """Retry a failed or cancelled task, with all its retries. `descendants` retries too what
        was cancelled for it."""
        along = "descendants" if descendants else None
        return self._ask(calls.intervene("retry", task_id, along=along))

    def pause_all(self, **filters: Unpack[BulkFilters]) -> BulkResult:
        """Pause all tasks that match; needs at least one filter. `dry_run` only counts. `limit`
        acts on so many at most, from `after` (the `next` of the previous result) on. If more match
        than `expect_at_most`, raises `ConflictError` and changes nothing."""
        return self._ask(bulk.act_on_all("pause", filters))

    def resume_all(self, **filters: Unpack[BulkFilters]) -> BulkResult:
        """Resume all tasks that match."""
        return self._ask(bulk.act_on_all("resume", filters))

    def cancel_all(self, **filters: Unpack[BulkFilters]) -> BulkResult:
        """Cancel all tasks that match."""
        return self._ask(bulk.act_on_all("cancel", filters))

    def retry_all(self, **filters: Unpack[BulkFilters]) -> BulkResult:
        """Retry all tasks that match."""
        return self._ask(bulk.act_on_all("retry", filters))

    def delete_all(self, **filters: Unpack[BulkFilters]) -> BulkResult:
        """Delete all tasks that match, in any state."""
        return self._ask(bulk.act_on_all("delete", filters))

    def in_pages(self, action: BulkAction, **filters: Unpack[BulkFilters]) -> Iterator[BulkResult]:
        """Do the same page by page, `limit` tasks each (500 by default), with the result of each
        page: to show the progress, or to stop. Its `next` is what `after` goes on from."""
        return walk(self._ask, bulk.act_in_pages(action, filters))

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
        self,
        name: str,
        *,
        ageing_seconds: Mapping[str, int] | None = None,
        running: int | None = None,
        running_per_group: int | None = None,
        fair: bool = False,
        rate: Mapping[str, int] | None = None,
        rate_per_group: Mapping[str, int] | None = None,
    ) -> QueueSettings:
        """Replace what is set for a queue; what is left out has its default from then on. With
        `ageing_seconds` `{"中": 600, "低": 3600}` a task of low priority is claimed before those
        of high priority that came more than an hour after it. So many tasks of the queue run at a
        time, and of each of its groups, and so many attempts begin in a time, as in
        `{"limit": 100, "per_seconds": 60}`; None: any number. If `fair`, its groups take turns."""
        settings = {
            "ageing_seconds": ageing_seconds,
            "running": running,
            "running_per_group": running_per_group,
            "fair": fair,
            "rate": rate,
            "rate_per_group": rate_per_group,
        }
        return self._ask(calls.set_queue_settings(name, settings))

    def queue_groups(self, name: str, *, waiting: bool = False) -> list[QueueGroup]:
        """The queue's groups that have tasks with slots, tasks that wait, or limits or weights of
        their own; or with `waiting` those in which tasks wait."""
        return [*walk(self._ask, calls.queue_groups(name, waiting=waiting))]

    def set_queue_group(
        self, name: str, group: str, *, running: int | None = None, weight: int | None = None
    ) -> QueueGroup:
        """Let so many tasks of the group run at a time, in place of the queue's
        `running_per_group`, and have it so many turns, `weight`, for one of others', where groups
        take turns. What is left out is taken away."""
        return self._ask(calls.set_queue_group(name, group, {"running": running, "weight": weight}))

    def unset_queue_group(self, name: str, group: str) -> None:
        """Take away what the group has of its own, if it has anything."""
        self._ask(calls.unset_queue_group(name, group))

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

    def doctor(self) -> Examination:
        """What `rowlock doctor` finds on the server, up to a minute ago."""
        return self._ask(calls.doctor())

    def processes(self) -> Processes:
        """The API processes and the schedulers, and what their sweeps have done."""
        return self._ask(calls.processes())


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

    async def cancel(self, task_id: int, *, ancestors: bool = False) -> Task:
        """Cancel a task; a worker that runs it is notified. `ancestors` cancels too what it
        depends on and nothing else waits for: a flow, by its last task."""
        along = "ancestors" if ancestors else None
        return await self._ask(calls.intervene("cancel", task_id, along=along))

    async def retry(self, task_id: int, *, descendants: bool = False) -> Task:
        """Retry a failed or cancelled task, with all its retries. `descendants` retries too what
        was cancelled for it."""
        along = "descendants" if descendants else None
        return await self._ask(calls.intervene("retry", task_id, along=along))

    async def pause_all(self, **filters: Unpack[BulkFilters]) -> BulkResult:
        """Pause all tasks that match; needs at least one filter. `dry_run` only counts. `limit`
        acts on so many at most, from `after` (the `next` of the previous result) on. If more match
        than `expect_at_most`, raises `ConflictError` and changes nothing."""
        return await self._ask(bulk.act_on_all("pause", filters))

    async def resume_all(self, **filters: Unpack[BulkFilters]) -> BulkResult:
        """Resume all tasks that match."""
        return await self._ask(bulk.act_on_all("resume", filters))

    async def cancel_all(self, **filters: Unpack[BulkFilters]) -> BulkResult:
        """Cancel all tasks that match."""
        return await self._ask(bulk.act_on_all("cancel", filters))

    async def retry_all(self, **filters: Unpack[BulkFilters]) -> BulkResult:
        """Retry all tasks that match."""
        return await self._ask(bulk.act_on_all("retry", filters))

    async def delete_all(self, **filters: Unpack[BulkFilters]) -> BulkResult:
        """Delete all tasks that match, in any state."""
        return await self._ask(bulk.act_on_all("delete", filters))

    async def in_pages(
        self, action: BulkAction, **filters: Unpack[BulkFilters]
    ) -> AsyncIterator[BulkResult]:
        """Do the same page by page, `limit` tasks each (500 by default), with the result of each
        page: to show the progress, or to stop. Its `next` is what `after` goes on from."""
        async for page in walk_async(self._ask, bulk.act_in_pages(action, filters)):
            yield page

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
        self,
        name: str,
        *,
        ageing_seconds: Mapping[str, int] | None = None,
        running: int | None = None,
        running_per_group: int | None = None,
        fair: bool = False,
        rate: Mapping[str, int] | None = None,
        rate_per_group: Mapping[str, int] | None = None,
    ) -> QueueSettings:
        """Replace what is set for a queue; what is left out has its default from then on. With
        `ageing_seconds` `{"中": 600, "低": 3600}` a task of low priority is claimed before those
        of high priority that came more than an hour after it. So many tasks of the queue run at a
        time, and of each of its groups, and so many attempts begin in a time, as in
        `{"limit": 100, "per_seconds": 60}`; None: any number. If `fair`, its groups take turns."""
        settings = {
            "ageing_seconds": ageing_seconds,
            "running": running,
            "running_per_group": running_per_group,
            "fair": fair,
            "rate": rate,
            "rate_per_group": rate_per_group,
        }
        return await self._ask(calls.set_queue_settings(name, settings))

    async def queue_groups(self, name: str, *, waiting: bool = False) -> list[QueueGroup]:
        """The queue's groups that have tasks with slots, tasks that wait, or limits or weights of
        their own; or with `waiting` those in which tasks wait."""
        found = walk_async(self._ask, calls.queue_groups(name, waiting=waiting))
        return [group async for group in found]

    async def set_queue_group(
        self, name: str, group: str, *, running: int | None = None, weight: int | None = None
    ) -> QueueGroup:
        """Let so many tasks of the group run at a time, in place of the queue's
        `running_per_group`, and have it so many turns, `weight`, for one of others', where groups
        take turns. What is left out is taken away."""
        return await self._ask(
            calls.set_queue_group(name, group, {"running": running, "weight": weight})
        )

    async def unset_queue_group(self, name: str, group: str) -> None:
        """Take away what the group has of its own, if it has anything."""
        await self._ask(calls.unset_queue_group(name, group))

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

    async def doctor(self) -> Examination:
        """What `rowlock doctor` finds on the server, up to a minute ago."""
        return await self._ask(calls.doctor())

    async def processes(self) -> Processes:
        """The API processes and the schedulers, and what their sweeps have done."""
        return await self._ask(calls.processes())
