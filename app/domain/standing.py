"""Where a task stands: what was found of it and around it at one moment. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from app.domain.ageing import Ageing
from app.domain.dependency import WAITS_FOR_TASKS
from app.domain.eligibility import waits_for_slot
from app.domain.slots import NO_LIMITS, Limits
from app.domain.states import ENDED
from app.domain.task import Task
from app.domain.worker import SILENT_SECONDS

# So many tasks ahead of one, or that it depends on, are counted, and no more.
AHEAD_LIMIT: Final = 1000

# A lease that goes to the deadline ends a moment before or after it, by Redis' clock.
_MOMENT: Final = timedelta(seconds=1)

Unknown = Literal["unknown"]
# What could not be found out in time, or was not asked for since it does not matter there.
UNKNOWN: Final = "unknown"


class Pace(NamedTuple):
    """How a queue goes: attempts that have ended in the last minutes, and tasks in progress."""

    ended: int
    minutes: int
    in_progress: int

    @property
    def per_minute(self) -> float:
        return self.ended / self.minutes


class Waits(NamedTuple):
    """The tasks that it depends on, with their statuses, those first that have not ended; no more
    than are counted."""

    parents: Sequence[tuple[int, str]]

    @property
    def unmet(self) -> Sequence[tuple[int, str]]:
        return [parent for parent in self.parents if parent[1] not in ENDED]


class Line(NamedTuple):
    """Of the group whose slot a task waits for: who has slots, and who comes before it."""

    # Null for the queue's own.
    group: str | None
    held: int
    # None: any number.
    running_limit: int | None
    # No more than are counted.
    ahead: int
    # Whether a rate lets only so many begin in a time, and when the next one may; None: once one
    # of those that may be claimed is.
    is_paced: bool = False
    next_at: datetime | None = None

    @property
    def is_full(self) -> bool:
        """Whether it has no slot free."""
        return self.running_limit is not None and self.held >= self.running_limit

    @property
    def needs_sweep(self) -> bool:
        """Whether the next slot comes with a sweep, and not with the end or the claim of a task."""
        return not self.is_full and (not self.is_paced or self.next_at is not None)


class Standing(NamedTuple):
    """What was found."""

    task: Task
    now: datetime
    queue_paused_at: datetime | None
    # When a scheduler last told of itself, and whether one still runs.
    swept_at: datetime | None
    is_swept: bool
    # Of its queue; None: strictly by priority.
    ageing: Ageing | None = None
    limits: Limits = NO_LIMITS
    is_row_locked: bool | Unknown = UNKNOWN
    # When a worker last asked for tasks of the queue; None: none is known.
    polled_at: datetime | Unknown | None = UNKNOWN
    ahead: int | Unknown = UNKNOWN
    # Of one that waits for other tasks.
    waits: Waits | Unknown = UNKNOWN
    # Of one that waits for a slot.
    line: Line | Unknown = UNKNOWN
    pace: Pace | Unknown = UNKNOWN
    # Until the lease expires, by what Redis has heard; None: it has heard nothing for so long.
    lease_seconds_left: float | Unknown | None = UNKNOWN

    @property
    def is_claimable(self) -> bool:
        """Whether a worker that asks gets it, once those ahead of it are taken."""
        return self.task.claim_rank is not None and self.queue_paused_at is None

    @property
    def is_waiting_for_tasks(self) -> bool:
        """Whether those that it depends on come before all else."""
        return bool(self.task.flags & WAITS_FOR_TASKS)

    @property
    def is_waiting_for_slot(self) -> bool:
        """Whether it needs nothing but a slot of its group, or of its queue."""
        task = self.task
        return waits_for_slot(task.status, task.claim_rank, task.sweep_at, task.flags)

    @property
    def has_no_worker(self) -> bool:
        """Whether it is known that no worker has asked its queue lately."""
        if self.polled_at == UNKNOWN:
            return False
        silent = timedelta(seconds=SILENT_SECONDS)
        return self.polled_at is None or self.now - self.polled_at > silent

    @property
    def heard_at(self) -> datetime | None:
        """When the worker that holds it was last heard of, at the earliest; None: not known."""
        left, task = self.lease_seconds_left, self.task
        if task.lease_seconds is None or left is None or left == UNKNOWN:
            return None
        assert task.started_at is not None
        heard_at = self.now + timedelta(seconds=left - task.lease_seconds)
        return min(max(heard_at, task.started_at), self.now)

    @property
    def ends_at(self) -> datetime:
        """When the sweep ends the attempt under way, if nothing more is heard of it."""
        left, task = self.lease_seconds_left, self.task
        assert task.deadline_at is not None  # CHECKs tie both to in_progress
        assert task.sweep_at is not None
        if task.lease_seconds is None or left == UNKNOWN:
            return task.deadline_at
        looks_at = task.sweep_at
        if left is not None:
            looks_at = max(looks_at, self.now + timedelta(seconds=left))
        return looks_at if looks_at < task.deadline_at - _MOMENT else task.deadline_at
