"""What a claim looks at before it locks anything: plain reads of the claim's index."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import compress
from typing import Final, NamedTuple

from app.domain.states import RANK
from app.mysql.connection import Connection, placeholders
from app.queue.attempts.claim_marks import Look

# To ask how many tasks there are, of each rank, takes much longer than whether there is any.
FEW_QUEUES: Final = 4
PRESENT_AT_ONCE: Final = 100

# Of a queue from where each of its ranks begins on: to be given its name and `Look.begin`.
FROM_BEGIN: Final = "queue = %s AND ({})".format(
    " OR ".join(f"claim_rank = {rank} AND turn_at >= %s" for rank in RANK.values())
)
# Not one walk for all: by its statistics MySQL may read each of their tasks for it.
_IS_PRESENT: Final = f"EXISTS (SELECT 1 FROM tasks FORCE INDEX (ix_tasks_claim) WHERE {FROM_BEGIN})"
_FRONT: Final = (
    "SELECT %s, %s, COUNT(*), MIN(turn_at) FROM ("
    "SELECT turn_at FROM tasks FORCE INDEX (ix_tasks_claim) "
    "WHERE queue = %s AND claim_rank = %s AND turn_at >= %s "
    "ORDER BY turn_at LIMIT %s) AS front"
)
_TURNS: Final = (
    "(SELECT claim_rank, turn_at FROM tasks FORCE INDEX (ix_tasks_claim) "
    "WHERE queue = %s AND claim_rank = %s AND turn_at >= %s ORDER BY turn_at LIMIT %s)"
)

Place = tuple[str, int]
"""A queue and a rank."""

Turns = list[list[datetime]]
"""The first turns of each rank, in their order."""


class Front(NamedTuple):
    """A rank's first claimable task, and how many there are, counted no further than wanted."""

    begins_at: datetime
    tasks: int


async def present(connection: Connection, looks: Mapping[str, Look]) -> list[str]:
    """Those of the queues that have a task, in their order. No locks."""
    found: list[str] = []
    queues = list(looks)
    for begin in range(0, len(queues), PRESENT_AT_ONCE):
        some = queues[begin : begin + PRESENT_AT_ONCE]
        values = [value for queue in some for value in (queue, *looks[queue].begin)]
        (row,) = await connection.fetch(f"SELECT {placeholders(some, _IS_PRESENT)}", values)
        found += compress(some, row)
    return found


async def fronts(
    connection: Connection, looks: Mapping[str, Look], places: Sequence[Place], *, limit: int
) -> dict[Place, Front]:
    """Those of the places at which there is a task. No locks."""
    values: list[object] = []
    for queue, rank in places:
        values += (queue, rank, queue, rank, looks[queue].marks[rank].begins_at, limit)
    if not values:
        return {}
    rows = await connection.fetch(" UNION ALL ".join([_FRONT] * len(places)), values)
    return {
        (queue, rank): Front(begins_at, count) for queue, rank, count, begins_at in rows if count
    }


async def first_turns(
    connection: Connection, *, queue: str, begins: Sequence[datetime | None], limit: int
) -> Turns:
    """The first turns of each rank, from where it begins (None: it has no task). No locks."""
    turns: Turns = [[] for _ in begins]
    asked = [(queue, rank, begin, limit) for rank, begin in enumerate(begins) if begin is not None]
    statement = " UNION ALL ".join([_TURNS] * len(asked))
    values = [value for each in asked for value in each]
    for rank, turn_at in await connection.fetch(statement, values):
        turns[rank].append(turn_at)
    for of_rank in turns:
        of_rank.sort()
    return turns
