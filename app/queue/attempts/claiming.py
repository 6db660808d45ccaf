"""The claim: the next tasks of queues, for many workers in one transaction.

What may be there is found by plain reads, and only that is locked. A batch ends early where the
tasks are large, or many queues take their time: the claims that it has not come to are told so,
and run again.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from app.domain import transitions
from app.domain.ageing import Ageing
from app.domain.queue_settings import DEFAULTS, QueueSettings
from app.domain.states import RANK
from app.domain.task import Task
from app.mysql.connection import Connection
from app.queue import queue_settings, statements
from app.queue.attempts.aged_claims import AgedSearch
from app.queue.attempts.claim_looks import FEW_QUEUES, Front, first_turns, fronts, present
from app.queue.attempts.claim_marks import LATE_COMMITS, ClaimMarks, Look, Mark, RankMarks
from app.queue.attempts.claim_memory import ClaimMemory
from app.queue.requests import Claim, Move

TOKEN_BYTES: Final = 16
# For all that is handed out in one transaction: four hundred tasks may be 256 KiB each.
CLAIM_BYTES: Final = 8 * 1024 * 1024
# After so long a batch hands out what it has; others wait for their turn.
CLAIM_SECONDS: Final = 0.1


class Budget:
    """What is left to one batch."""

    def __init__(self) -> None:
        self.bytes = CLAIM_BYTES
        self._ends_at = time.monotonic() + CLAIM_SECONDS

    @property
    def is_spent(self) -> bool:
        return self.bytes <= 0 or time.monotonic() > self._ends_at


async def claim(
    connection: Connection, claims: Sequence[Claim], now: datetime, memory: ClaimMemory
) -> tuple[list[list[Task] | None], list[Move]]:
    """The tasks of each claim, the first to ask served first; None for a claim that is not
    served. Claims of the same queues share their reads."""
    handed: list[list[Task] | None] = [None] * len(claims)
    moves: list[Move] = []
    budget = Budget()
    settings = await queue_settings.current(connection)
    for queues in dict.fromkeys(claim.queues for claim in claims):
        alike = [place for place, claim in enumerate(claims) if claim.queues == queues]
        wanted = sum(claims[place].limit for place in alike)
        search = Search(
            connection,
            wanted=wanted,
            now=now,
            memory=memory.marks,
            settings=settings,
            budget=budget,
        )
        found = iter(await search.run(queues))
        is_whole = budget.bytes > 0
        group: list[Move] = []
        tokens = secrets.token_hex(TOKEN_BYTES * len(alike))
        for number, place in enumerate(alike):
            token = tokens[2 * TOKEN_BYTES * number :][: 2 * TOKEN_BYTES]
            tasks = list(islice(found, claims[place].limit))
            claimed = [_claimed(task, claims[place], now, token) for task in tasks]
            # Of those that share what was found, some may have got nothing for others' size.
            handed[place] = claimed if claimed or is_whole else None
            group += zip(tasks, claimed, strict=True)
        await statements.move(connection, group)
        moves += group
        # Only now: each batch serves somebody.
        if budget.is_spent:
            break
    return handed, moves


def _claimed(task: Task, claim: Claim, now: datetime, token: str) -> Task:
    return transitions.claimed(
        task, now=now, token=token, worker=claim.worker, lease_seconds=claim.lease_seconds
    )


class Search:
    """The way of some claims through the queues that they name, in their order, each by priority
    and turn, or where it ages by effective time. What is found is locked."""

    def __init__(
        self,
        connection: Connection,
        *,
        wanted: int,
        now: datetime,
        memory: ClaimMarks,
        settings: Mapping[str, QueueSettings],
        budget: Budget,
    ) -> None:
        self._connection = connection
        self._wanted = wanted
        self._now = now
        self._memory = memory
        self._settings = settings
        self._budget = budget
        self._found: list[Task] = []

    async def run(self, queues: Sequence[str]) -> list[Task]:
        """As many tasks as are wanted, or there are."""
        looks = {queue: self._memory.look(queue) for queue in queues}
        await self._go_through(looks)
        if not self._found and not all(look.is_from_the_beginning for look in looks.values()):
            # "Nothing to do" is never said on the strength of a memory.
            await self._go_through({queue: Look.from_the_beginning() for queue in queues})
        return self._found

    async def _go_through(self, looks: Mapping[str, Look]) -> None:
        queues = list(looks)
        if len(looks) > FEW_QUEUES:
            queues = await present(self._connection, looks)
            for queue in looks.keys() - set(queues):
                self._memory.saw(queue, looks[queue], tuple(map(self._dry, looks[queue].marks)))
        for begin in range(0, len(queues), FEW_QUEUES):
            few = queues[begin : begin + FEW_QUEUES]
            asked = [
                (queue, rank)
                for queue in few
                for rank, mark in enumerate(looks[queue].marks)
                if mark.may_be_dry
            ]
            seen = await fronts(self._connection, looks, asked, limit=self._missing)
            for queue in few:
                found = [seen.get((queue, rank)) for rank in RANK.values()]
                marks = await self._take_from(queue, looks[queue].marks, found)
                self._memory.saw(queue, looks[queue], marks)
            if not self._missing or self._budget.bytes <= 0:
                return

    async def _take_from(
        self, queue: str, known: RankMarks, found: Sequence[Front | None]
    ) -> RankMarks:
        """Lock what is still wanted of a queue; where its ranks begin now."""
        ageing = self._settings.get(queue, DEFAULTS).ageing
        if ageing is not None and self._missing and self._budget.bytes > 0:
            begins = [_begin(*of_rank) for of_rank in zip(known, found, strict=True)]
            if ageing.is_overdue(begins, self._now):
                return await self._take_aged(queue, known, begins, ageing)
        of_ranks = enumerate(zip(known, found, strict=True))
        return tuple([await self._take(queue, rank, *of_rank) for rank, of_rank in of_ranks])

    async def _take_aged(
        self,
        queue: str,
        known: RankMarks,
        begins: Sequence[datetime | None],
        ageing: Ageing,
    ) -> RankMarks:
        turns = await first_turns(self._connection, queue=queue, begins=begins, limit=self._missing)
        search = AgedSearch(
            self._connection,
            queue=queue,
            ageing=ageing,
            turns=turns,
            limit_bytes=self._budget.bytes,
        )
        self._found += await search.run(self._missing)
        self._budget.bytes = search.limit_bytes
        return tuple(
            Mark(of_rank[0], may_be_dry=len(of_rank) < self._wanted) if of_rank else self._dry(mark)
            for mark, of_rank in zip(known, turns, strict=True)
        )

    async def _take(self, queue: str, rank: int, known: Mark, front: Front | None) -> Mark:
        """Lock what is still wanted of a rank; where it begins now."""
        begins_at, may_be_dry, limit = known.begins_at, known.may_be_dry, self._missing
        if known.may_be_dry:
            if front is None:
                return self._dry(known)
            begins_at, may_be_dry = front.begins_at, front.tasks < self._wanted
            limit = min(limit, front.tasks)
        if not limit or self._budget.bytes <= 0:
            return Mark(begins_at, may_be_dry)
        tasks, self._budget.bytes = await statements.lock_claimable(
            self._connection,
            queue=queue,
            rank=rank,
            begins_at=begins_at,
            limit=limit,
            limit_bytes=self._budget.bytes,
        )
        self._found += tasks
        # From the first of them on: should this be rolled back, they are there again.
        return Mark(
            tasks[0].turn_at if tasks else begins_at,
            may_be_dry=may_be_dry or len(tasks) < limit,
        )

    def _dry(self, known: Mark) -> Mark:
        return Mark(max(known.begins_at, self._now - LATE_COMMITS))

    @property
    def _missing(self) -> int:
        return self._wanted - len(self._found)


def _begin(known: Mark, front: Front | None) -> datetime | None:
    """Where a rank begins; None: it has no task."""
    if front is not None:
        return front.begins_at
    return None if known.may_be_dry else known.begins_at
