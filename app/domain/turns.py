"""Fair turns between the groups of a queue. Pure.

Start-time fair queueing (Goyal, Vin, Cheng: "Start-time Fair Queueing", SIGCOMM 1996): of each
priority a group's tasks follow each other in virtual time, the closer the more weight the group
has, and a group that has none waiting begins where the queue stands. So all take turns, however
many tasks each of them has, and nothing of it is decided when tasks are claimed.

A round is so short that virtual time falls behind the clock at any pace that MySQL can keep: a
queue that is empty begins anew at now.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

MOST_WEIGHT: Final = 100
USUAL_WEIGHT: Final = 1
# In so many microseconds of virtual time a group has as many turns as it has weight.
_ROUND: Final = 100
_MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  (naive UTC, as MySQL gives it)

# A bit of `tasks.flags`: its queue goes by turns. Until it has had its turn, `turn_at` is when it
# was created.
BY_TURNS: Final = 16384


class Taken(NamedTuple):
    """A turn, and where its group's next one may begin."""

    turn_at: datetime
    ends_at: datetime


def turn(
    *, begins_at: datetime, after: datetime | None, weight: int, created_at: datetime
) -> Taken:
    """The next turn of a group whose last one ended at `after`, in a queue that stands at
    `begins_at`."""
    turn_at = begins_at if after is None else max(begins_at, after)
    if turn_at == created_at:  # which would say that it had none
        turn_at += _MICROSECOND
    rounds, since = divmod((turn_at - _EPOCH) // _MICROSECOND, _ROUND)
    # Of this round, rounded up: over many rounds nothing is lost or won.
    following = since * weight // _ROUND + 1
    ends = rounds * _ROUND - (-following * _ROUND // weight)
    return Taken(turn_at, _EPOCH + ends * _MICROSECOND)


def had_turn(flags: int, turn_at: datetime, created_at: datetime) -> bool:
    """Whether a task has its place in the claim's order for good."""
    return not flags & BY_TURNS or turn_at != created_at
