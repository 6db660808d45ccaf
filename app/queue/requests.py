"""What callers ask of the queue, and what it answers. Many of each share one transaction."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from app.domain.errors import RowlockError
from app.domain.task import Lease, NewTask, Task


class Submission(NamedTuple):
    """One call's tasks, stored all or none; with `key`, once only."""

    tasks: Sequence[NewTask]
    key: str | None = None
    body_hash: str = ""


Move = tuple[Task, Task]
"""A task before and after a transition."""


class Place(NamedTuple):
    """A submitted task: one of those to be stored, or one that is there."""

    number: int | None
    task_id: int | None = None


class Submitted(NamedTuple):
    """The tasks that one call has made, in its order; where another one holds a task's unique key,
    that one. None where its idempotency key had made them before: then `first_id` is the first of
    those."""

    tasks: list[Task]
    first_id: int
    # Those of them that it has not made.
    held: frozenset[int] = frozenset()
    # Those of them whose long texts were left out: they are not to be shown.
    cut: frozenset[int] = frozenset()
    # Those of them that it has changed.
    moves: Sequence[Move] = ()

    @property
    def made(self) -> list[Task]:
        """Those that this call has made, each once."""
        return [*{task.id: task for task in self.tasks if task.id not in self.held}.values()]

    @property
    def is_new(self) -> bool:
        """Whether this call has made one."""
        return bool(self.made)


class FinishAction(StrEnum):
    """What a worker says of its attempt."""

    COMPLETE = "complete"
    FAIL = "fail"
    RELEASE = "release"


class Finish(NamedTuple):
    """One attempt to end. `result` is a JSON text; `error` says why it failed or is released. With
    tasks to submit it ends and they are stored, or neither."""

    lease: Lease
    action: FinishAction
    result: str | None = None
    error: str | None = None
    retryable: bool = True
    retry_after_seconds: int | None = None
    delay_seconds: int = 0
    submit: Sequence[NewTask] = ()


class Claim(NamedTuple):
    """Work asked for: up to `limit` tasks across `queues`, in their order."""

    worker: str
    queues: tuple[str, ...]
    limit: int
    lease_seconds: int | None = None


class LeaseCall(NamedTuple):
    """One call of a worker: attempts to end, then work to take."""

    finishes: Sequence[Finish] = ()
    claim: Claim | None = None


class LeaseAnswer(NamedTuple):
    """What the call gets: an answer for each finish, in order, and the claimed tasks. A claim
    that the batch did not come to is not served, and to be made again."""

    finished: list[Task | RowlockError]
    claimed: list[Task]
    is_served: bool = True
    # Those of the finished whose long texts were left out: they are not to be shown.
    cut: frozenset[int] = frozenset()
    # What those have submitted that submit, by their leases.
    submitted: Mapping[Lease, Sequence[int]] = MappingProxyType({})


class LeaseBatch(NamedTuple):
    """A batch of calls, done: an answer each, and every task that was moved."""

    answers: list[LeaseAnswer]
    moves: list[Move]
