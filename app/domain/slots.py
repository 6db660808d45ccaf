"""Slots: of a queue, and of each group in it, so many tasks may run at a time. Pure.

A task that needs a slot can be claimed only once it has one: the rest wait for theirs, out of the
claim's sight. Its group's slot comes first, then the queue's.
"""

from datetime import datetime
from typing import Any, Final, NamedTuple

from app.domain.rates import Rate, rate_of
from app.domain.turns import BY_TURNS
from app.domain.unique import hash_of

# Bits of `tasks.flags`: which slots it needs, and which of them it has.
NEEDS_GROUPS: Final = 4
HAS_GROUPS: Final = 8
NEEDS_QUEUES: Final = 16
HAS_QUEUES: Final = 32
# It has a slot, and the attempt that it will use it for does not count in the rate yet.
UNPAID_GROUPS: Final = 64
UNPAID_QUEUES: Final = 2048
NEEDS: Final = NEEDS_GROUPS | NEEDS_QUEUES
# Any of these, and something may follow for groups.
OF_GROUPS: Final = NEEDS | BY_TURNS
UNPAID: Final = UNPAID_GROUPS | UNPAID_QUEUES
HAS: Final = HAS_GROUPS | HAS_QUEUES
# All that goes with a slot.
GIVEN: Final = HAS | UNPAID
GIVEN_BY_GROUPS: Final = HAS_GROUPS | UNPAID_GROUPS
GIVEN_BY_QUEUES: Final = HAS_QUEUES | UNPAID_QUEUES
# Of a queue's own, which no client can name.
QUEUES_OWN: Final = ""
MOST: Final = 100_000


class Limits(NamedTuple):
    """How many tasks of a queue may run at a time, and how many attempts begin in a time; None: as
    many as there are workers."""

    running: int | None = None
    running_per_group: int | None = None
    rate: Rate | None = None
    rate_per_group: Rate | None = None
    # Its groups take turns.
    fair: bool = False
    # Some of its groups have a limit of their own.
    has_overrides: bool = False

    @property
    def are_for_all(self) -> bool:
        """Whether each task needs a slot of the queue's own."""
        return self.running is not None or self.rate is not None

    @property
    def are_per_group(self) -> bool:
        """Whether a task that has a group needs its slot."""
        has_limit = self.running_per_group is not None or self.rate_per_group is not None
        return has_limit or self.has_overrides

    def needs(self, group_key: str | None) -> int:
        """The flags of a task of that group."""
        of_group = NEEDS_GROUPS if group_key is not None and self.are_per_group else 0
        of_queue = NEEDS_QUEUES if self.are_for_all else 0
        return of_group | of_queue | (BY_TURNS if self.fair else 0)


NO_LIMITS: Final = Limits()


class Group(NamedTuple):
    """Tasks of a queue that share a number of slots."""

    queue: str
    key: str

    @property
    def id(self) -> str:
        """In the database."""
        return hash_of(self.queue, self.key)

    @property
    def is_queues_own(self) -> bool:
        return self.key == QUEUES_OWN

    @property
    def queues_own(self) -> "Group":
        """That of all tasks of the queue."""
        return Group(self.queue, QUEUES_OWN)

    @property
    def slot(self) -> int:
        """The flag of a task that has a slot of this group."""
        return HAS_QUEUES if self.is_queues_own else HAS_GROUPS

    @property
    def unpaid(self) -> int:
        """The flag of one whose attempt does not count in its rate yet."""
        return UNPAID_QUEUES if self.is_queues_own else UNPAID_GROUPS


class Turn(NamedTuple):
    """When a task that waits for a slot gets it: the first of its group first."""

    claim_rank: int
    turn_at: datetime
    task_id: int


def missing_slot(flags: int) -> int:
    """The flag of the slot that a task with these flags needs next; 0: it has all that it
    needs."""
    if flags & NEEDS_GROUPS and not flags & HAS_GROUPS:
        return HAS_GROUPS
    if flags & NEEDS_QUEUES and not flags & HAS_QUEUES:
        return HAS_QUEUES
    return 0


def slots_of(needs: int) -> int:
    """The flags of the slots that a task needs."""
    of_group = HAS_GROUPS if needs & NEEDS_GROUPS else 0
    return of_group | (HAS_QUEUES if needs & NEEDS_QUEUES else 0)


class Standing(NamedTuple):
    """How a group stands, as its row says."""

    group: Group
    held: int
    waiting: int
    # Its own limit, in place of the queue's for each group.
    running: int | None
    # Tasks of lower priorities, by id, that have got a slot, the last of them last, and may not
    # be claimed yet: a task that comes before them takes theirs.
    unclaimed: tuple[int, ...]
    is_full: bool
    look_at: datetime | None
    # Tasks that have a slot, and whose attempts do not count in the rate yet; and until when those
    # that do are paid for.
    unpaid: int
    paid_until: datetime | None
    # How many turns it has for one of others', None: one; and where its next one may begin, by
    # rank.
    weight: int | None
    next_turns: tuple[datetime | None, ...]

    def rate(self, limits: Limits) -> Rate | None:
        """How many attempts begin in a time; None: any number."""
        return limits.rate if self.group.is_queues_own else limits.rate_per_group

    def limit(self, limits: Limits) -> int | None:
        """How many slots it has; None: any number."""
        return limit_of(self.group, self.running, limits)

    def next_token_at(self, limits: Limits, now: datetime) -> datetime | None:
        """When one more attempt may begin by its rate; None: now, or once one of those has begun
        that have all tokens."""
        rate = self.rate(limits)
        if rate is None or self.paid_until is None or self.unpaid >= rate.burst:
            return None
        if rate.tokens(self.paid_until, now) > self.unpaid:
            return None
        return rate.next_at(self.paid_until, self.unpaid)


def limit_of(group: Group, running: int | None, limits: Limits) -> int | None:
    """How many slots a group has by its own limit, and by those of its queue; None: any number."""
    if group.is_queues_own:
        return limits.running
    return limits.running_per_group if running is None else running


def as_count(value: object) -> int | None:
    """A limit, as settings keep it. Raises ValueError for what is none."""
    if value is not None and not (isinstance(value, int) and 0 < value <= MOST):
        raise ValueError("running is no number of tasks")
    return value


def limits_of(found: dict[str, Any]) -> Limits:
    """Those that settings have. Raises ValueError for what none has written."""
    return Limits(
        as_count(found.get("running")),
        as_count(found.get("running_per_group")),
        rate_of(found.get("rate")),
        rate_of(found.get("rate_per_group")),
        found.get("fair") is True,
        found.get("has_overrides") is True,
    )
