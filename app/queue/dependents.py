"""What a transaction's changes of tasks mean for those that depend on them. Pure."""

from collections import defaultdict
from typing import Any, Final, NamedTuple

from app.domain.dependency import (
    HAS_DEPENDENCIES,
    HAS_DEPENDENTS,
    WAITS_FOR_TASKS,
    Crossing,
    Wait,
)
from app.domain.states import ENDED, Status
from app.domain.task import Task

CHANGES: Final = "dependencies"


class Changes(NamedTuple):
    """So far, of one transaction."""

    # Tasks with dependents that have ended, were retried, or are deleted and not done, by id.
    crossed: dict[int, Crossing]
    # What is known of single waits already, by who waits.
    told: dict[int, list[Crossing]]
    # Waits to be looked at once more.
    looks: set[int]
    # Of waits that were to end for a cause which is none any more: that one, and another, if any.
    causes: dict[int, tuple[int, int | None]]
    # Tasks that do not wait any more.
    left: set[int]
    # Tasks that wait from now on, and for whom.
    begun: list[Wait]
    edges: list[tuple[int, int, str | None]]
    # Deleted tasks on which others depend, and which depend on others.
    gone_parents: set[int]
    gone_children: set[int]


def changes_of(unsettled: dict[str, Any]) -> Changes:
    """Those of a transaction, so far."""
    if CHANGES not in unsettled:
        unsettled[CHANGES] = Changes({}, defaultdict(list), set(), {}, set(), [], [], set(), set())
    found: Changes = unsettled[CHANGES]
    return found


def record(changes: Changes, old: Task | None, new: Task | None) -> None:
    """A task was changed, made or deleted."""
    if old is None:
        return
    flags = old.flags if new is None else old.flags | new.flags
    if flags & HAS_DEPENDENTS:
        delta = _is_open(new) - _is_open(old)
        is_gone = new is None
        has_failed = (old if new is None else new).status != Status.DONE and delta <= 0
        if delta or (is_gone and has_failed):
            changes.crossed[old.id] = Crossing(old.id, delta, has_failed, is_gone)
        if is_gone:
            changes.gone_parents.add(old.id)
    if old.flags & WAITS_FOR_TASKS and not (new is not None and new.flags & WAITS_FOR_TASKS):
        changes.left.add(old.id)
    if new is None and old.flags & HAS_DEPENDENCIES:
        changes.gone_children.add(old.id)


def _is_open(task: Task | None) -> bool:
    return task is not None and task.status not in ENDED
