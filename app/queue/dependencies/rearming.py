"""A retry of a task that depends on others: it waits for those that have not ended."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from graphlib import TopologicalSorter
from typing import Final, NamedTuple

from app.domain import transitions
from app.domain.dependency import RUNS_AFTER_FAILURE, OnParentFailure, Wait
from app.domain.errors import DependencyUnmetError, RowBusyError
from app.domain.states import ENDED, Status
from app.domain.task import Task
from app.mysql.connection import Connection, placeholders
from app.queue.dependencies.linking import FATES
from app.queue.dependencies.rows import told_bit_by_bit

_PARENTS: Final = (
    "SELECT child_id, parent_id, status "
    "FROM task_dependencies FORCE INDEX (ix_task_dependencies_child) "
    "STRAIGHT_JOIN tasks FORCE INDEX (PRIMARY) ON tasks.id = parent_id WHERE child_id IN ({})"
)


class Parents(NamedTuple):
    """Of tasks that are to be retried: what they depend on, as it was seen without locks."""

    of_tasks: dict[int, list[int]]
    statuses: dict[int, Status]
    # Tasks whose last end not all that depend on them know of yet.
    busy: set[int]

    @property
    def open(self) -> set[int]:
        """Those to be locked together with the tasks: they must not end unseen."""
        return {i for i, status in self.statuses.items() if status not in ENDED}


NONE: Final = Parents({}, {}, set())


async def parents_of(connection: Connection, ids: Sequence[int]) -> Parents:
    """Plain reads."""
    if not ids:
        return NONE
    of_tasks: dict[int, list[int]] = {task_id: [] for task_id in ids}
    statuses: dict[int, Status] = {}
    rows = await connection.fetch(_PARENTS.format(placeholders(ids)), ids)
    for child_id, parent_id, status in rows:
        of_tasks[child_id].append(parent_id)
        statuses[parent_id] = Status(status)
    return Parents(of_tasks, statuses, await told_bit_by_bit(connection, ids))


class Rearming:
    """Decides, once the rows are locked."""

    def __init__(self, parents: Parents, locked: Mapping[int, Task], now: datetime) -> None:
        self._parents = parents
        self._now = now
        seen = {i: Status(locked[i].status) for i in parents.statuses if i in locked}
        self._statuses = parents.statuses | seen
        self.waits: list[Wait] = []

    def ordered(self, ids: Sequence[int]) -> list[int]:
        """Each task after those that it depends on."""
        graph = {i: self._parents.of_tasks.get(i, []) for i in ids}
        graph = {i: [p for p in parents if p in graph] for i, parents in graph.items()}
        return [*TopologicalSorter(graph).static_order()]

    def retried(self, task: Task) -> Task:
        """Raises `TransitionNotAllowedError`, `DependencyUnmetError` and `RowBusyError`."""
        unmet, failed = 0, None
        for parent_id in self._parents.of_tasks.get(task.id, []):
            status = self._statuses[parent_id]
            unmet += status not in ENDED
            if status in FATES:
                failed = parent_id
        new = transitions.retried(task, now=self._now, waits=unmet > 0)
        if task.id in self._parents.busy:
            raise RowBusyError
        on_failure = OnParentFailure.CANCEL
        if task.flags & RUNS_AFTER_FAILURE:
            on_failure = OnParentFailure.RUN
        elif failed is not None:
            fate = FATES[self._statuses[failed]]
            raise DependencyUnmetError(task_id=task.id, dependency=failed, fate=fate)
        if unmet:
            self.waits.append(Wait(task.id, unmet, on_failure))
        self._statuses[task.id] = Status(new.status)
        return new
