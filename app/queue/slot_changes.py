"""What a transaction's changes of tasks mean for the slots of their groups. Pure."""

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

from app.domain.eligibility import waits_for_slot
from app.domain.slots import (
    GIVEN_BY_GROUPS,
    GIVEN_BY_QUEUES,
    HAS,
    HAS_GROUPS,
    NEEDS_QUEUES,
    QUEUES_OWN,
    UNPAID,
    Group,
    Limits,
    Standing,
    Turn,
    missing_slot,
)
from app.domain.states import RANK, WAITING, Priority, Status
from app.domain.task import NewTask, Task
from app.domain.turns import had_turn

CHANGES: Final = "slots"


class Changes(NamedTuple):
    """So far, of one transaction, by group."""

    held: Counter[Group]
    # Attempts that do not count in the rate yet, and those that do from now on.
    unpaid: Counter[Group]
    paid: Counter[Group]
    # Turns that are in the database and are to go, and those that are not in it yet.
    left: defaultdict[Group, set[Turn]]
    joined: defaultdict[Group, dict[Turn, Task]]
    # Tasks of lower priorities that have got a slot; and those that have none, or are claimed.
    let_in: defaultdict[Group, set[int]]
    let_out: defaultdict[Group, set[int]]
    # Tasks that take their turn now, by id; and where those of the groups go on, by rank.
    turnless: dict[int, Task]
    next_turns: dict[tuple[Group, int], datetime]
    # Groups to be looked at, changed or not.
    looks: set[Group]
    # Those in which somebody has to give way whose row others hold: looked at once more.
    again: set[Group]
    # Those whose rows are locked already, as they were then.
    locked: dict[Group, Standing]
    # What is set for their queues, read behind the lock.
    limits: dict[str, Limits]

    @property
    def groups(self) -> set[Group]:
        """All that have changed or are to be looked at."""
        counts = (self.held, self.unpaid, self.paid)
        held = {group for of in counts for group, change in of.items() if change}
        turns = {group for of in (self.left, self.joined) for group, some in of.items() if some}
        by_turns = {group for task in self.turnless.values() for group in _to_take_turns(task)}
        let_in = {group for group, some in self.let_in.items() if some}
        return held | turns | by_turns | let_in | self.looks

    def waiting(self, group: Group) -> int:
        """How many tasks wait for a slot of a locked one by now."""
        return self.locked[group].waiting + len(self.joined[group]) - len(self.left[group])

    def is_full(self, group: Group) -> bool:
        """Whether a locked one has no slot to give until one of its tasks is claimed or ends."""
        standing, limits = self.locked[group], self.limits[group.queue]
        limit, rate = standing.limit(limits), standing.rate(limits)
        if limit is not None and limit <= standing.held + self.held[group]:
            return True
        return rate is not None and rate.burst <= standing.unpaid + self.unpaid[group]

    def given(self, group: Group) -> int:
        """The flags of a task that is given a slot of a locked one."""
        has_rate = self.locked[group].rate(self.limits[group.queue]) is not None
        return group.slot | (group.unpaid if has_rate else 0)

    def next_at(self, standing: Standing) -> datetime:
        """When there is a token more in a group that stands so, has no room and is not full."""
        rate = standing.rate(self.limits[standing.group.queue])
        assert rate is not None
        assert standing.paid_until is not None
        return rate.next_at(standing.paid_until, standing.unpaid)

    def room(self, group: Group, now: datetime) -> int | None:
        """How many slots a locked one may give by now; None: any number."""
        standing, limits = self.locked[group], self.limits[group.queue]
        limit, rate = standing.limit(limits), standing.rate(limits)
        rooms = []
        if limit is not None:
            rooms.append(limit - standing.held - self.held[group])
        if rate is not None:
            unpaid = standing.unpaid + self.unpaid[group]
            rooms.append(rate.tokens(self.paid_until(group, now), now) - unpaid)
        return max(min(rooms), 0) if rooms else None

    def paid_until(self, group: Group, now: datetime) -> datetime | None:
        """Of a locked one, by now."""
        standing = self.locked[group]
        rate = standing.rate(self.limits[group.queue])
        if rate is None:
            return standing.paid_until
        if self.paid[group]:
            return rate.charged(standing.paid_until, self.paid[group], now)
        return standing.paid_until and rate.clamped(standing.paid_until, now)


def changes_of(unsettled: dict[str, Any]) -> Changes:
    """Those of a transaction, so far."""
    if CHANGES not in unsettled:
        unsettled[CHANGES] = Changes(
            Counter(),
            Counter(),
            Counter(),
            defaultdict(set),
            defaultdict(dict),
            defaultdict(set),
            defaultdict(set),
            {},
            {},
            set(),
            set(),
            {},
            {},
        )
    found: Changes = unsettled[CHANGES]
    return found


def record(changes: Changes, old: Task | None, new: Task | None) -> None:
    """A task was changed, made or deleted."""
    for group in _slots(old, UNPAID):
        changes.unpaid[group] -= 1
        changes.paid[group] += new is not None and new.status == Status.IN_PROGRESS
    for group in _slots(new, UNPAID):
        changes.unpaid[group] += 1
    before, after = _slots(old, HAS), _slots(new, HAS)
    for group in before - after:
        assert old is not None
        changes.held[group] -= 1
        changes.let_out[group].add(old.id)
        changes.let_in[group].discard(old.id)
    for group in after - before:
        assert new is not None
        changes.held[group] += 1
        changes.let_out[group].discard(new.id)
        if _may_give_way(new):
            changes.let_in[group].add(new.id)
    for group in after & before:
        assert old is not None
        assert new is not None
        if _may_give_way(new) and new.priority != old.priority:
            changes.let_in[group].add(new.id)
    if new is not None:
        _note_turn(changes, new)
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


def _may_give_way(task: Task) -> bool:
    return task.status in WAITING and RANK[task.priority] > 0


def _note_turn(changes: Changes, task: Task) -> None:
    has_turn = had_turn(task.flags, task.turn_at, task.created_at)
    if not has_turn and waits_for_slot(task.status, task.claim_rank, task.sweep_at, task.flags):
        changes.turnless[task.id] = task
    else:
        changes.turnless.pop(task.id, None)


def group_of(task: "InLine | NewTask") -> Group:
    """The one that it takes turns with others in; those that have none do so together."""
    return Group(task.queue, task.group_key or QUEUES_OWN)


def giver_of(task: "InLine | NewTask", slot: int) -> Group:
    """The one that gives it that slot."""
    return group_of(task) if slot == HAS_GROUPS else Group(task.queue, QUEUES_OWN)


def _to_take_turns(task: Task) -> set[Group]:
    """Where it takes its turn, and where it may wait for a slot after that, whatever is set for its
    queue by now."""
    own = group_of(task)
    return {own, own.queues_own} if task.flags & NEEDS_QUEUES else {own}


def _slots(task: Task | None, flags: int) -> set[Group]:
    """The groups of the slots that it has, of those with these flags. One that SQL has ended has
    none, whatever its flags say."""
    if task is None or (task.status not in WAITING and task.status != Status.IN_PROGRESS):
        return set()
    has = task.flags & flags
    found = set()
    if has & GIVEN_BY_GROUPS and task.group_key is not None:
        found.add(Group(task.queue, task.group_key))
    if has & GIVEN_BY_QUEUES:
        found.add(Group(task.queue, QUEUES_OWN))
    return found


class InLine(Protocol):
    """What of a task says whether it waits for a slot, and where."""

    @property
    def id(self) -> int: ...
    @property
    def queue(self) -> str: ...
    @property
    def group_key(self) -> str | None: ...
    @property
    def priority(self) -> Priority: ...
    @property
    def status(self) -> Status: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def turn_at(self) -> datetime: ...
    @property
    def claim_rank(self) -> int | None: ...
    @property
    def sweep_at(self) -> datetime | None: ...
    @property
    def flags(self) -> int: ...


def turn_of(task: InLine | None) -> tuple[Group, Turn] | None:
    """For which group's slot a task waits, and when it is its turn."""
    if task is None or not missing_slot(task.flags):
        return None
    if not had_turn(task.flags, task.turn_at, task.created_at):
        return None
    if not waits_for_slot(task.status, task.claim_rank, task.sweep_at, task.flags):
        return None
    return giver_of(task, missing_slot(task.flags)), Turn(
        RANK[task.priority], task.turn_at, task.id
    )
