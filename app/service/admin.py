"""The admin door's use cases: pause, resume, cancel, retry a task; queues."""

from collections.abc import Collection
from datetime import datetime
from functools import partial

from app.domain.queue_settings import QueueSettings
from app.domain.slots import Group
from app.domain.states import Event
from app.domain.task import Task
from app.queue import manage, processes, queue_settings
from app.queue.figures import counters, history, stats
from app.queue.groups import overrides, reading
from app.queue.processes import Process, Sweep
from app.queue.queue_settings import StoredSettings
from app.runtime.metrics import SweepFigure
from app.service.resources import Resources


class AdminService:
    """What management does."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def intervene(self, task_id: int, event: Event) -> Task:
        """One task. Raises `TaskNotFoundError` or `TransitionNotAllowedError`."""
        done = await self._resources.database.transact_alone(
            partial(manage.manage_tasks, event=event, ids=[task_id], is_strict=True)
        )
        await self._resources.after_commit.moved(done.moves)
        return done.tasks[0]

    async def pause_queue(self, queue: str) -> datetime:
        """It hands out nothing from the next claim on, in every process; since when."""
        pause = partial(manage.pause_queue, queue=queue)
        return await self._resources.database.transact_alone(pause)

    async def resume_queue(self, queue: str) -> None:
        """It hands out its tasks again."""
        await self._resources.database.transact_alone(partial(manage.resume_queue, queue=queue))

    async def settings_of(self, queue: str) -> StoredSettings:
        """What was set last for the queue."""
        read = partial(queue_settings.read_settings, queue=queue)
        return await self._resources.database.read(read)

    async def set_settings(self, queue: str, settings: QueueSettings) -> StoredSettings:
        """Replace what was set for the queue."""
        write = partial(queue_settings.write_settings, queue=queue, settings=settings)
        return await self._resources.database.transact_alone(write)

    async def groups(
        self, queue: str, *, is_waiting: bool, after: str | None, limit: int
    ) -> reading.Groups:
        """The groups of the queue by key, or those in which tasks wait."""
        return await self._resources.database.read_at_length(
            partial(reading.page, queue=queue, is_waiting=is_waiting, after=after, limit=limit)
        )

    async def set_group(
        self, group: Group, *, running: int | None, weight: int | None
    ) -> reading.GroupState:
        """Give the group a limit and a weight of its own, which count at once, or none; how it
        stands then."""
        database = self._resources.database
        put = partial(overrides.put, group=group, running=running, weight=weight)
        await database.transact_alone(put)
        return await database.read(partial(reading.state, group=group))

    async def unset_group(self, group: Group) -> None:
        """Take away what the group has of its own, if it has anything."""
        drop = partial(overrides.drop, group=group)
        await self._resources.database.transact_alone(drop)

    async def queues(self, *, wanted: Collection[str], after: str, limit: int) -> stats.Queues:
        """The standing of the queues that have tasks or are paused, by name; of those `wanted`, if
        any are named."""
        return await self._resources.database.read_at_length(
            partial(stats.queues, wanted=wanted, after=after, limit=limit)
        )

    async def history(self, *, queue: str | None, minutes: int) -> history.History:
        """How the last minutes went in a queue, or in all together."""
        read = partial(history.read, queue=queue or history.ALL_QUEUES, minutes=minutes)
        return await self._resources.database.read_at_length(read)

    async def waiting_and_running(self) -> tuple[int, int]:
        """How many tasks wait, and how many are in progress, in all queues together."""
        return await self._resources.database.read_at_length(counters.read_all_queues_together)

    async def processes(self) -> tuple[list[Process], list[Sweep]]:
        """The processes of this deployment, and what its schedulers have done."""
        database = self._resources.database
        return await database.read(processes.present), await database.read(processes.sweeps)

    async def sweeps(self) -> list[SweepFigure]:
        """How the schedulers' sweeps go."""
        return await self._resources.database.read(stats.sweeps)
