"""Recurring schedules: what clients and management ask of them."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TypeVar

from app.domain.documents import task_document
from app.domain.errors import RowBusyError, TaskNotFoundError
from app.domain.schedule import Definition, Schedule
from app.queue.schedules import changes, rows, runs
from app.service.conflicts import TRIES, or_again
from app.service.reads import ReadService
from app.service.resources import Resources
from app.service.tasks import Stored

T = TypeVar("T")


class ScheduleService:
    """What clients and management do."""

    def __init__(self, resources: Resources, reads: ReadService) -> None:
        self._resources = resources
        self._reads = reads

    async def put(
        self, name: str, definition: Definition, *, revision: int | None
    ) -> tuple[Schedule, bool]:
        """Make or change one; and whether it is new. Raises `RevisionMismatchError` and
        `InvalidRecurrenceError`."""
        put = partial(changes.put, name=name, definition=definition, revision=revision)
        changed = await self._change(put)
        return changed.schedule, changed.is_new

    async def get(self, name: str) -> Schedule:
        """Raises `ScheduleNotFoundError`."""
        return await self._resources.database.read(partial(rows.find, name=name))

    async def page(self, *, after: str, limit: int) -> rows.Page:
        """Some of them, by name."""
        read = partial(rows.page, after=after, limit=limit)
        return await self._resources.database.read_at_length(read)

    async def delete(self, name: str) -> None:
        """Its tasks stay. Raises `ScheduleNotFoundError`."""
        await self._resources.database.transact_alone(partial(changes.delete, name=name))

    async def pause(self, name: str) -> Schedule:
        """It submits nothing from now on. Raises `ScheduleNotFoundError`."""
        return (await self._change(partial(changes.pause, name=name))).schedule

    async def resume(self, name: str) -> Schedule:
        """It goes on with its next occurrence. Raises `ScheduleNotFoundError`."""
        return await self._resources.database.transact_alone(partial(changes.resume, name=name))

    async def list_runs(self, name: str, *, before: datetime, limit: int) -> runs.Page:
        """Some of a schedule's runs, newest first. Raises `ScheduleNotFoundError`."""
        read = partial(runs.page, name=name, before=before, limit=limit)
        return await self._resources.database.read(read)

    async def now(self) -> datetime:
        """MySQL's time."""
        return await self._resources.database.read(lambda connection: connection.now())

    async def run_now(self, name: str, *, key: str | None, body_hash: str) -> tuple[Stored, int]:
        """Submit its task now, and the task's id; with `key` once only. Raises
        `ScheduleNotFoundError`, `KeyReusedError`, `UniqueKeyHeldError` and
        `RetryLimitTooLowError`."""
        run = partial(runs.run_now, name=name, key=key, body_hash=body_hash)
        for _ in range(TRIES):
            submitted = await self._write(run)
            await self._resources.after_commit.stored([submitted])
            if submitted.tasks and not submitted.cut:
                (task,) = submitted.tasks
                return Stored(task_document(task), is_new=submitted.is_new), task.id
            with suppress(TaskNotFoundError):  # deleted meanwhile, and the key is free again
                document = await self._reads.get(submitted.first_id)
                return Stored(document, is_new=False), submitted.first_id
        raise RowBusyError

    async def backfill(self, name: str, *, begin: datetime, end: datetime) -> runs.Backfilled:
        """Submit a task for each occurrence from `begin` on and before `end` that has none. Raises
        `ScheduleNotFoundError`, `InvalidRecurrenceError`, `UniqueKeyHeldError` and
        `RetryLimitTooLowError`."""
        backfill = partial(runs.backfill, name=name, begin=begin, end=end)
        done = await self._write(backfill)
        await self._resources.after_commit.stored(done.answers)
        return done

    async def _change(self, change: Callable[..., Awaitable[changes.Changed]]) -> changes.Changed:
        done = await self._write(change)
        await self._resources.after_commit.stored(done.answers)
        return done

    async def _write(self, work: Callable[..., Awaitable[T]]) -> T:
        tags, database = self._resources.tags, self._resources.database
        return await or_again(
            tags, partial(database.transact_alone, partial(work, tag_ids=tags.ids))
        )
