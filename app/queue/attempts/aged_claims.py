"""The claim in a queue that ages, where a task may come before one of a higher rank.

One plain read of where each rank begins, and `app.domain.ageing`, say how many to take of each.
Each is then the usual claim with that as its limit, and never with an upper bound: the end of a
range may keep a lock on the row after it.
"""

from datetime import datetime

from app.domain.ageing import Ageing
from app.domain.states import RANK
from app.domain.task import Task
from app.mysql.connection import Connection
from app.queue import statements
from app.queue.attempts.claim_looks import Turns


class AgedSearch:
    """The way through one queue, by effective times. What is found is locked."""

    def __init__(
        self,
        connection: Connection,
        *,
        queue: str,
        ageing: Ageing,
        turns: Turns,
        limit_bytes: int,
    ) -> None:
        self.limit_bytes = limit_bytes
        self._connection = connection
        self._queue = queue
        self._ageing = ageing
        self._turns = turns
        self._found: dict[int, Task] = {}

    async def run(self, limit: int) -> list[Task]:
        """The next tasks, in their order. Those that others hold are skipped, and later ones taken
        in their place; they end early where they are large."""
        shares = self._ageing.shares(self._turns, limit)
        taken = [0] * len(shares)
        ranks = [rank for rank, turns in enumerate(self._turns) if turns]
        # Whose turn it is goes first: it may be large, and leave no room for others.
        for rank in sorted(ranks, key=self._head):
            taken[rank] = await self._lock(rank, shares[rank])
        for rank in ranks:
            missing = sum(shares) - len(self._found)
            if missing > 0 and taken[rank] == shares[rank] < len(self._turns[rank]):
                # What this session holds it finds again.
                await self._lock(rank, shares[rank] + missing)
        # What others let go meanwhile may have come in between, and be too much.
        tasks = sorted(self._found.values(), key=self._place)[:limit]
        if self.limit_bytes > 0:
            return tasks
        left = [
            (self._ageing.effective(rank, self._turns[rank][taken[rank]]), rank)
            for rank in ranks
            if taken[rank] < shares[rank]
        ]
        return [task for task in tasks if not left or self._place(task) < min(left)] or tasks[:1]

    async def _lock(self, rank: int, limit: int) -> int:
        if not limit or self.limit_bytes <= 0:
            return 0
        tasks, self.limit_bytes = await statements.lock_claimable(
            self._connection,
            queue=self._queue,
            rank=rank,
            begins_at=self._turns[rank][0],
            limit=limit,
            limit_bytes=self.limit_bytes,
        )
        self._found |= {task.id: task for task in tasks}
        return len(tasks)

    def _head(self, rank: int) -> tuple[datetime, int]:
        return self._ageing.effective(rank, self._turns[rank][0]), rank

    def _place(self, task: Task) -> tuple[datetime, int, datetime, int]:
        rank = RANK[task.priority]
        return self._ageing.effective(rank, task.turn_at), rank, task.turn_at, task.id
