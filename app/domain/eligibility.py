"""Whether a task may be claimed, in which rank, and if not yet, when to look at it again. Pure.

`claim_rank` and `sweep_at` of what nobody holds are decided here and nowhere else. Those of a
running attempt are its lease's, which `transitions.claimed` and `extended` know.
"""

from datetime import datetime
from typing import Final, Literal, NamedTuple

from app.domain.states import RANK, WAITING, Priority, Status


class Eligibility(NamedTuple):
    """The rank it may be claimed in, or the time at which the sweep looks at it; or neither."""

    claim_rank: int | None
    sweep_at: datetime | None


NOT_ELIGIBLE: Final = Eligibility(None, None)


def eligibility(
    *, status: Status, priority: Priority, available_at: datetime | None, now: datetime
) -> Eligibility:
    """Of a task that nobody holds."""
    if status not in WAITING:
        return NOT_ELIGIBLE
    if available_at is None or available_at <= now:
        return Eligibility(RANK[priority], None)
    return Eligibility(None, available_at)


def waiting_on(status: Status, claim_rank: int | None) -> Literal["time"] | None:
    """What keeps a task that waits from being claimed; None where nothing does, or where it does
    not wait."""
    return "time" if claim_rank is None and status in WAITING else None
