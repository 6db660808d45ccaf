"""Dependencies: a task waits until those that it depends on have ended. Pure."""

from enum import StrEnum
from typing import Final, NamedTuple

# Bits of `tasks.flags`.
HAS_DEPENDENTS: Final = 1
WAITS_FOR_TASKS: Final = 2
HAS_DEPENDENCIES: Final = 1024
# Any of these, and something may follow for others.
OF_DEPENDENCIES: Final = HAS_DEPENDENTS | WAITS_FOR_TASKS | HAS_DEPENDENCIES
# What it depends on may end in any way.
RUNS_AFTER_FAILURE: Final = 4096
# It was cancelled for what has become of one that it depends on.
CASCADED: Final = 8192


class OnParentFailure(StrEnum):
    """What becomes of a task when one that it depends on has failed or is cancelled."""

    CANCEL = "cancel"  # it is cancelled too
    RUN = "run"  # nothing: it runs once all have ended


class ByRef(NamedTuple):
    """An earlier item of the same batch."""

    item: int
    name: str


class Depends(NamedTuple):
    """What a submission says of dependencies: tasks that it waits for, which are there or come
    earlier in its batch; or tasks that wait for others by now, and shall wait for it too."""

    ids: tuple[int, ...] = ()
    refs: tuple[ByRef, ...] = ()
    on_failure: OnParentFailure = OnParentFailure.CANCEL
    blocks: tuple[int, ...] = ()
    # Its own name, for those that wait for it.
    ref: str | None = None
    # What precedes the names of its fields: "tasks.3.".
    prefix: str = ""
    # Where those of the ids are among all that it depends on.
    places: tuple[int, ...] = ()


class Wait(NamedTuple):
    """How a task stands that waits for others."""

    task_id: int
    # Of those that it depends on, how many have not ended.
    unmet: int
    on_failure: OnParentFailure
    # One of them that has failed, is cancelled or deleted, for which it is to be cancelled.
    cause: int | None = None

    @property
    def is_met(self) -> bool:
        """Whether it waits no longer."""
        return self.unmet <= 0 and self.cause is None

    @property
    def is_over(self) -> bool:
        """Whether something is to be done about it."""
        return self.unmet <= 0 or self.cause is not None


# A cause: one has failed, but that one was retried since. Whether another one has is looked up.
ANY: Final = 0


class Crossing(NamedTuple):
    """A parent has ended, was retried or deleted: by how much that changes what is unmet."""

    parent_id: int
    delta: int
    has_failed: bool
    is_gone: bool = False


def moved_on(wait: Wait, crossings: list[Crossing]) -> Wait:
    """The wait after those."""
    unmet, cause = wait.unmet, wait.cause
    for crossing in crossings:
        unmet += crossing.delta
        if crossing.has_failed and wait.on_failure is OnParentFailure.CANCEL:
            # In place of `ANY` too: who looks for one just now may have looked before this one
            # failed. One that is deleted is retried by nobody, and found by nobody either.
            cause = crossing.parent_id if crossing.is_gone or not cause else cause
        if crossing.delta > 0 and cause == crossing.parent_id:
            cause = ANY
    return wait._replace(unmet=unmet, cause=cause)
