"""What a transaction's changes of tasks mean for the slots of their groups. Pure."""

from collections import Counter, defaultdict
from typing import Any, Final, NamedTuple

from app.domain.eligibility import waits_for_slot
from app.domain.slots import (
    HAS_GROUPS,
    HAS_QUEUES,
    NEEDS,
    QUEUES_OWN,
    Group,
    Limits,
    Standing,
    Turn,
    missing_slot,
)
from app.domain.states import RANK, WAITING
from app.domain.task import Task

CHANGES: Final = "slots"


class Changes(NamedTuple):
    """So far, of one transaction, by group."""

    held: Counter[Group]
    # Turns that are in the database and are to go, and those that are not in it yet.
    left: defaultdict[Group, set[Turn]]
    joined: defaultdict[Group, dict[Turn, Task]]
    # Tasks of lower priorities that have got a slot; and those that have none, or are claimed.
    let_in: defaultdict[Group, set[int]]
    let_out: defaultdict[Group, set[int]]
    # Groups to be looked at, changed or not.
    looks: set[Group]
    # Those whose rows are locked already, as they were then.
    locked: dict[Group, Standing]
    # What is set for their queues, read behind the lock.
    limits: dict[str, Limits]

    @property
    def groups(self) -> set[Group]:
        """All that have changed or are to be looked at."""
        held = {group for group, change in self.held.items() if change}
        turns = {group for of in (self.left, self.joined) for group, some in of.items() if some}
        return held | turns | self.looks

    def waiting(self, group: Group) -> int:
        """How many tasks wait for a slot of a locked one by now."""
        return self.locked[group].waiting + len(self.joined[group]) - len(self.left[group])

    def room(self, group: Group) -> int | None:
        """How many slots a locked one has free by now; None: any number."""
        standing = self.locked[group]
        limit = standing.limit(self.limits[group.queue])
        return None if limit is None else max(limit - standing.held - self.held[group], 0)


def changes_of(unsettled: dict[str, Any]) -> Changes:
    """Those of a transaction, so far."""
    if CHANGES not in unsettled:
        unsettled[CHANGES] = Changes(
            Counter(),
            defaultdict(set),
            defaultdict(dict),
            defaultdict(set),
            defaultdict(set),
            set(),
            {},
            {},
        )
    found: Changes = unsettled[CHANGES]
    return found


def record(changes: Changes, old: Task | None, new: Task | None) -> None:
    """A task was changed, made or deleted."""
    before, after = _slots(old), _slots(new)
    for group in before - after:
        assert old is not None
        changes.held[group] -= 1
        changes.let_out[group].add(old.id)
        changes.let_in[group].discard(old.id)
    for group in after - before:
        assert new is not None
        changes.held[group] += 1
        changes.let_out[group].discard(new.id)
        if new.status in WAITING and RANK[new.priority]:
            changes.let_in[group].add(new.id)
    was, stands = turn_of(old), turn_of(new)
    if was is not None and was != stands:
        group, turn = was
        if changes.joined[group].pop(turn, None) is None:
            changes.left[group].add(turn)
    if stands is not None and new is not None:
        group, turn = stands
        if was == stands and turn not in changes.joined[group]:
            return
        changes.joined[group][turn] = new


RANK_FIRST: Final = 0


def _slots(task: Task | None) -> set[Group]:
    if task is None:
        return set()
    found = set()
    if task.flags & HAS_GROUPS and task.group_key is not None:
        found.add(Group(task.queue, task.group_key))
    if task.flags & HAS_QUEUES:
        found.add(Group(task.queue, QUEUES_OWN))
    return found


def turn_of(task: Task | None) -> tuple[Group, Turn] | None:
    """For which group's slot a task waits, and when it is its turn."""
    if task is None or not task.flags & NEEDS:
        return None
    if not waits_for_slot(task.status, task.claim_rank, task.sweep_at, task.flags):
        return None
    slot = missing_slot(task.flags)
    key = task.group_key if slot == HAS_GROUPS else None
    return Group(task.queue, key or QUEUES_OWN), Turn(RANK[task.priority], task.created_at, task.id)
