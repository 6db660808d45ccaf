"""Management: pause, resume, cancel, retry, for a task, for all that match, for a queue."""

from collections.abc import Awaitable
from typing import Protocol, TypeVar, Unpack

from rowlock.client import calls
from rowlock.client.fields import Filters
from rowlock.client.pages import walk, walk_async
from rowlock.http.call import Call
from rowlock.models import BulkResult, QueueState, QueueStats, Task

T = TypeVar("T")


class Ask(Protocol):
    """Gets a call's answer."""

    def __call__(self, call: Call[T], /) -> T: ...


class AsyncAsk(Protocol):
    """The same for asyncio."""

    def __call__(self, call: Call[T], /) -> Awaitable[T]: ...


class Admin:
    """What management does, with an admin token."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def pause(self, task_id: int) -> Task:
        """Out of the workers' reach until resumed."""
        return self._ask(calls.intervene("pause", task_id))

    def resume(self, task_id: int) -> Task:
        """Back to waiting."""
        return self._ask(calls.intervene("resume", task_id))

    def cancel(self, task_id: int) -> Task:
        """End it; a worker that runs it is told."""
        return self._ask(calls.intervene("cancel", task_id))

    def retry(self, task_id: int) -> Task:
        """Begin again, with all its retries."""
        return self._ask(calls.intervene("retry", task_id))

    def pause_all(self, *, dry_run: bool = False, **filters: Unpack[Filters]) -> BulkResult:
        """Pause all that match. At least one filter; `dry_run` only counts."""
        return self._ask(calls.intervene_in_all("pause", filters, is_dry_run=dry_run))

    def resume_all(self, *, dry_run: bool = False, **filters: Unpack[Filters]) -> BulkResult:
        """Resume all that match."""
        return self._ask(calls.intervene_in_all("resume", filters, is_dry_run=dry_run))

    def cancel_all(self, *, dry_run: bool = False, **filters: Unpack[Filters]) -> BulkResult:
        """Cancel all that match."""
        return self._ask(calls.intervene_in_all("cancel", filters, is_dry_run=dry_run))

    def retry_all(self, *, dry_run: bool = False, **filters: Unpack[Filters]) -> BulkResult:
        """Retry all that match."""
        return self._ask(calls.intervene_in_all("retry", filters, is_dry_run=dry_run))

    def queues(self) -> list[QueueStats]:
        """Every queue that has tasks or is paused."""
        return [*walk(self._ask, calls.queues())]

    def pause_queue(self, name: str) -> QueueState:
        """The queue hands out nothing."""
        return self._ask(calls.set_queue("pause", name))

    def resume_queue(self, name: str) -> QueueState:
        """The queue hands out its tasks again."""
        return self._ask(calls.set_queue("resume", name))


class AsyncAdmin:
    """The same for asyncio."""

    def __init__(self, ask: AsyncAsk) -> None:
        self._ask = ask

    async def pause(self, task_id: int) -> Task:
        """Out of the workers' reach until resumed."""
        return await self._ask(calls.intervene("pause", task_id))

    async def resume(self, task_id: int) -> Task:
        """Back to waiting."""
        return await self._ask(calls.intervene("resume", task_id))

    async def cancel(self, task_id: int) -> Task:
        """End it; a worker that runs it is told."""
        return await self._ask(calls.intervene("cancel", task_id))

    async def retry(self, task_id: int) -> Task:
        """Begin again, with all its retries."""
        return await self._ask(calls.intervene("retry", task_id))

    async def pause_all(self, *, dry_run: bool = False, **filters: Unpack[Filters]) -> BulkResult:
        """Pause all that match. At least one filter; `dry_run` only counts."""
        return await self._ask(calls.intervene_in_all("pause", filters, is_dry_run=dry_run))

    async def resume_all(self, *, dry_run: bool = False, **filters: Unpack[Filters]) -> BulkResult:
        """Resume all that match."""
        return await self._ask(calls.intervene_in_all("resume", filters, is_dry_run=dry_run))

    async def cancel_all(self, *, dry_run: bool = False, **filters: Unpack[Filters]) -> BulkResult:
        """Cancel all that match."""
        return await self._ask(calls.intervene_in_all("cancel", filters, is_dry_run=dry_run))

    async def retry_all(self, *, dry_run: bool = False, **filters: Unpack[Filters]) -> BulkResult:
        """Retry all that match."""
        return await self._ask(calls.intervene_in_all("retry", filters, is_dry_run=dry_run))

    async def queues(self) -> list[QueueStats]:
        """Every queue that has tasks or is paused."""
        return [queue async for queue in walk_async(self._ask, calls.queues())]

    async def pause_queue(self, name: str) -> QueueState:
        """The queue hands out nothing."""
        return await self._ask(calls.set_queue("pause", name))

    async def resume_queue(self, name: str) -> QueueState:
        """The queue hands out its tasks again."""
        return await self._ask(calls.set_queue("resume", name))
