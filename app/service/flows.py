"""Tasks that depend on each other: how they stand, and what management does along them."""

from collections.abc import Sequence
from functools import partial
from typing import Final, Protocol

import orjson

from app.domain.documents import Array, dumps
from app.domain.states import Event
from app.domain.task import Lease, Task
from app.mysql.connection import Connection
from app.queue import manage
from app.queue.dependencies import reach, reading
from app.queue.dependencies.reading import Dependencies, Direction, ParentResult
from app.service.admin import AdminService
from app.service.pages import gathered
from app.service.resources import Resources

BATCH: Final = 500


class Step(Protocol):
    """From some tasks to the next ones."""

    async def __call__(self, connection: Connection, ids: Sequence[int]) -> list[int]: ...


class FlowService:
    """What callers do with dependencies, but for submitting."""

    def __init__(self, resources: Resources, admin: AdminService) -> None:
        self._resources = resources
        self._admin = admin

    async def dependencies(
        self, task_id: int, *, direction: Direction, after: int, limit: int
    ) -> Dependencies:
        """What a task depends on, or what depends on it. Raises `TaskNotFoundError`."""
        read = partial(
            reading.dependencies, task_id=task_id, direction=direction, after=after, limit=limit
        )
        return await self._resources.database.read_at_length(read)

    async def parents(
        self, lease: Lease, *, after: int, limit: int
    ) -> tuple[bytearray, int | None]:
        """What became of those that the lease's task depends on, as a JSON array; and after which
        one the next page begins, if any. Raises `TaskNotFoundError` and `StaleLeaseError`."""

        async def read(
            connection: Connection, found: Array, limit_bytes: int
        ) -> tuple[int | None, bool]:
            def add(parent: ParentResult) -> int:
                result = None if parent.result is None else orjson.Fragment(parent.result)
                found.add(dumps({**parent._asdict(), "result": result}))
                return len(found)

            return await reading.parents_of_lease(
                connection, lease, after=after, limit=limit, add=add, limit_bytes=limit_bytes
            )

        found, last = await gathered(self._resources.database, read)
        return found.end(), last

    async def retry_with_descendants(self, task_id: int) -> Task:
        """Retry a task, and then all that was cancelled for it, level by level, each batch
        committed by itself. Raises as `AdminService.intervene` does."""
        task = await self._admin.intervene(task_id, Event.RETRY)
        await self._go_on(Event.RETRY, [task_id], reach.cascaded)
        return task

    async def cancel_with_ancestors(self, task_id: int) -> Task:
        """Cancel a task, and then all that it depends on and nobody else waits for, likewise."""
        task = await self._admin.intervene(task_id, Event.CANCEL)
        await self._go_on(Event.CANCEL, [task_id], reach.only_for)
        return task

    async def _go_on(self, event: Event, ids: Sequence[int], step: Step) -> None:
        database = self._resources.database
        frontier = [*ids]
        while frontier:
            batch, frontier = frontier[:BATCH], frontier[BATCH:]
            found = await database.read_at_length(partial(step, ids=batch))
            for begin in range(0, len(found), BATCH):
                manage_some = partial(
                    manage.manage_tasks,
                    event=event,
                    ids=found[begin : begin + BATCH],
                    is_strict=False,
                )
                done = await database.transact_alone(manage_some)
                await self._resources.after_commit.moved(done.moves)
                frontier += [task.id for task in done.tasks]
