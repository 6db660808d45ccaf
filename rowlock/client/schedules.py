"""Recurring schedules; `client.schedules`."""

from collections.abc import AsyncIterator, Iterator
from typing import Unpack

from rowlock.client import schedule_calls as calls
from rowlock.client.admin import Ask, AsyncAsk
from rowlock.client.fields import Time
from rowlock.client.pages import walk, walk_async
from rowlock.client.schedule_fields import ScheduledTask, ScheduleFields, encode_schedule
from rowlock.models import BackfillResult, Occurrence, Schedule, ScheduleRun, Task

# `list` is a method below; inside the class that name means it.
Occurrences = list[Occurrence]


class Schedules:
    """The calls about schedules; they need a client token. Pausing and resuming is management's:
    `client.admin.pause_schedule`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def put(
        self,
        name: str,
        *,
        task: ScheduledTask | None = None,
        if_match: int | None = None,
        **fields: Unpack[ScheduleFields],
    ) -> Schedule:
        """Make a schedule, or change one to be just this; the same again changes nothing.

        The task's fields are keywords like those of `submit`, `title` being the schedule's name
        unless it is given; or `task` has all of them. With `if_match` only the schedule at that
        `revision` is changed, else `ConflictError` is raised. A name with a slash in it is a
        `ValueError`.
        """
        return self._ask(calls.put(name, encode_schedule(name, task, fields), if_match))

    def get(self, name: str) -> Schedule:
        """Get a schedule."""
        return self._ask(calls.get(name))

    def list(self, *, page_size: int = 200) -> Iterator[Schedule]:
        """All schedules by name, fetched page by page as needed."""
        yield from walk(self._ask, calls.list_schedules(page_size))

    def delete(self, name: str) -> None:
        """Delete a schedule and its runs; the tasks that it has submitted stay."""
        return self._ask(calls.delete(name))

    def next(self, name: str, count: int = 10, *, after: Time | None = None) -> Occurrences:
        """The next occurrences, at most `count` (1 to 100): from now on, or `after` a time. Fewer
        if the schedule ends. Whether it is paused makes no difference."""
        return self._ask(calls.upcoming(name, count, after))

    def runs(self, name: str, *, page_size: int = 200) -> Iterator[ScheduleRun]:
        """What came of its occurrences, newest first, fetched page by page as needed."""
        yield from walk(self._ask, calls.runs(name, page_size))

    def run(self, name: str, *, idempotency_key: str | None = None) -> Task:
        """Submit its task now, whatever it has under way, paused or not. Repeating a call with the
        same key stores nothing new."""
        return self._ask(calls.run(name, idempotency_key))

    def backfill(self, name: str, begin: Time, end: Time) -> BackfillResult:
        """Submit a task for each of its occurrences from `begin` on and before `end` that has
        none: at most 1,000, none of the future, and none of a time whose runs are not kept any
        more. May be repeated."""
        return self._ask(calls.backfill(name, begin, end))


class AsyncSchedules:
    """The same for asyncio."""

    def __init__(self, ask: AsyncAsk) -> None:
        self._ask = ask

    async def put(
        self,
        name: str,
        *,
        task: ScheduledTask | None = None,
        if_match: int | None = None,
        **fields: Unpack[ScheduleFields],
    ) -> Schedule:
        """Make a schedule, or change one to be just this; the same again changes nothing.

        The task's fields are keywords like those of `submit`, `title` being the schedule's name
        unless it is given; or `task` has all of them. With `if_match` only the schedule at that
        `revision` is changed, else `ConflictError` is raised. A name with a slash in it is a
        `ValueError`.
        """
        return await self._ask(calls.put(name, encode_schedule(name, task, fields), if_match))

    async def get(self, name: str) -> Schedule:
        """Get a schedule."""
        return await self._ask(calls.get(name))

    async def list(self, *, page_size: int = 200) -> AsyncIterator[Schedule]:
        """All schedules by name, fetched page by page as needed."""
        async for schedule in walk_async(self._ask, calls.list_schedules(page_size)):
            yield schedule

    async def delete(self, name: str) -> None:
        """Delete a schedule and its runs; the tasks that it has submitted stay."""
        return await self._ask(calls.delete(name))

    async def next(self, name: str, count: int = 10, *, after: Time | None = None) -> Occurrences:
        """The next occurrences, at most `count` (1 to 100): from now on, or `after` a time. Fewer
        if the schedule ends. Whether it is paused makes no difference."""
        return await self._ask(calls.upcoming(name, count, after))

    async def runs(self, name: str, *, page_size: int = 200) -> AsyncIterator[ScheduleRun]:
        """What came of its occurrences, newest first, fetched page by page as needed."""
        async for run in walk_async(self._ask, calls.runs(name, page_size)):
            yield run

    async def run(self, name: str, *, idempotency_key: str | None = None) -> Task:
        """Submit its task now, whatever it has under way, paused or not. Repeating a call with the
        same key stores nothing new."""
        return await self._ask(calls.run(name, idempotency_key))

    async def backfill(self, name: str, begin: Time, end: Time) -> BackfillResult:
        """Submit a task for each of its occurrences from `begin` on and before `end` that has
        none: at most 1,000, none of the future, and none of a time whose runs are not kept any
        more. May be repeated."""
        return await self._ask(calls.backfill(name, begin, end))
