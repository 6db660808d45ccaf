"""The tasks that this process has handed out, as it wrote them.

Whoever finishes one need not have it read again: the write is guarded by `updated_at`, which
every change that an answer shows moves on, and matches only if there was none since. Where it
does not, the transaction is undone and done again, by the rows as they are.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from app.domain.task import Lease, Task, texts_of
from app.queue.requests import Finish

MOST_TASKS: Final = 2000
# Longer ones are read again: what is remembered has to stay small.
LONGEST_CHARACTERS: Final = 4096


class LeasedTasks:
    """One process's memory of the leases it has given out."""

    def __init__(self) -> None:
        self._tasks: dict[Lease, Task] = {}

    def keep(self, tasks: Iterable[Task]) -> None:
        """Remember tasks whose claim is committed; the oldest ones make room."""
        for task in tasks:
            if task.lease_token and sum(map(len, texts_of(task))) <= LONGEST_CHARACTERS:
                self._tasks[Lease(task.id, task.lease_token)] = task
        while len(self._tasks) > MOST_TASKS:
            del self._tasks[next(iter(self._tasks))]

    def has(self, lease: Lease) -> bool:
        """Whether its task is known."""
        return lease in self._tasks

    def all_of(self, finishes: Sequence[Finish]) -> dict[int, Task] | None:
        """The tasks by id, in their order, if every one is known."""
        known = {f.lease.task_id: self._tasks.get(f.lease) for f in finishes}
        tasks = {task_id: task for task_id, task in sorted(known.items()) if task is not None}
        return tasks if len(tasks) == len(finishes) else None

    def forget_all(self) -> None:
        """None is known to be as remembered."""
        self._tasks.clear()

    def forget(self, finishes: Iterable[Finish]) -> None:
        """These have ended, or one of them was not as remembered."""
        for finish in finishes:
            self._tasks.pop(finish.lease, None)
