"""Whether a task may be claimed, in which rank, and if not yet, when to look at it again. Pure.

`claim_rank` and `sweep_at` of what nobody holds are decided here and nowhere else. Those of a
running attempt are its lease's, which `transitions.claimed` and `extended` know.
"""

from datetime import datetime
from typing import Final, Literal, NamedTuple

from app.domain.dependency import WAITS_FOR_TASKS
from app.domain.slots import missing_slot
from app.domain.states import RANK, WAITING, Priority, Status


class Eligibility(NamedTuple):
    """The rank it may be claimed in, or the time at which the sweep looks at it; or neither."""

    claim_rank: int | None
    sweep_at: datetime | None


NOT_ELIGIBLE: Final = Eligibility(None, None)
# What it waits for comes to its row by itself: no sweep has to look at it.
NEVER: Final = datetime.fromisoformat("9999-12-31")


def eligibility(
    *,
    status: Status,
    priority: Priority,
    available_at: datetime | None,
    flags: int,
    has_turn: bool,
    now: datetime,
) -> Eligibility:
    """Of a task that nobody holds. One that has not had its turn takes it before the commit."""
    if status not in WAITING:
        return NOT_ELIGIBLE
    if flags & WAITS_FOR_TASKS:
        return Eligibility(None, NEVER)
    if available_at is not None and available_at > now:
        return Eligibility(None, available_at)
    if not has_turn or missing_slot(flags):
        return Eligibility(None, NEVER)
    return Eligibility(RANK[priority], None)


def waits_for_slot(
    status: Status, claim_rank: int | None, sweep_at: datetime | None, flags: int
) -> bool:
    """Whether a task needs nothing but a slot, or the turn before it."""
    is_next = status in WAITING and claim_rank is None and sweep_at == NEVER
    return is_next and not flags & WAITS_FOR_TASKS


def waiting_on(
    status: Status, claim_rank: int | None, sweep_at: datetime | None, flags: int
) -> Literal["time", "tasks", "group"] | None:
    """What keeps a task that waits from being claimed; None where nothing does, or where it does
    not wait."""
    if claim_rank is not None or status not in WAITING:
        return None
    if flags & WAITS_FOR_TASKS:
        return "tasks"
    return "group" if waits_for_slot(status, claim_rank, sweep_at, flags) else "time"
