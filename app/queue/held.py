"""The tasks that this process has handed out, as it wrote them.

Whoever finishes one need not have it read again: the write is guarded by `updated_at`, which
every change moves on, and matches only if nothing has touched the row since. Where it does not,
the transaction is undone and done again, by the rows as they are.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from app.queue.calls import Finish
from app.task import Lease, Task

MOST_TASKS: Final = 2000
# Longer ones are read again: what is remembered has to stay small.
LONGEST_CHARACTERS: Final = 4096


class Held:
    """One process's memory of the leases it has given out."""

    def __init__(self) -> None:
        self._tasks: dict[Lease, Task] = {}

    def keep(self, tasks: Iterable[Task]) -> None:
        """Remember tasks whose claim is committed; the oldest ones make room."""
        for task in tasks:
            if task.lease_token and _length(task) <= LONGEST_CHARACTERS:
                self._tasks[Lease(task.id, task.lease_token)] = task
        while len(self._tasks) > MOST_TASKS:
            del self._tasks[next(iter(self._tasks))]

    def all_of(self, finishes: Sequence[Finish]) -> dict[int, Task] | None:
        """The tasks by id, if every one is known."""
        tasks = {finish.lease.task_id: self._tasks.get(finish.lease) for finish in finishes}
        known = {task_id: task for task_id, task in tasks.items() if task is not None}
        return known if len(known) == len(finishes) else None

    def forget(self, finishes: Iterable[Finish]) -> None:
        """These have ended, or one of them was not as remembered."""
        for finish in finishes:
            self._tasks.pop(finish.lease, None)


def _length(task: Task) -> int:
    return len(task.payload or "") + len(task.description or "")
