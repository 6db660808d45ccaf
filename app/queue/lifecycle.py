"""An attempt: claim, complete, fail, release, for many workers in one transaction.

Each step locks what it needs, decides purely (`app.transitions`) and writes once.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import compress, islice

from app import transitions
from app.db import Connection
from app.errors import RowlockError, StaleLeaseError, TaskNotFoundError
from app.queue import looking, statements
from app.queue.calls import Claim, Ending, Finish, Move, Turn, Turned, Turns
from app.queue.held import Held
from app.queue.low_water import LATE_COMMITS, UNKNOWN, Head, Heads, LowWater
from app.queue.reading import get_tasks, outcomes_by_lease
from app.states import Event, Outcome, Status
from app.task import EndedAttempt, Lease, Task

TOKEN_BYTES = 16
# For all that is handed out in one transaction: four hundred tasks may be 256 KiB each.
CLAIM_BYTES = 8 * 1024 * 1024

_OUTCOMES = {
    Ending.COMPLETE: Outcome.DONE,
    Ending.FAIL: Outcome.FAILED,
    Ending.RELEASE: Outcome.RELEASED,
}


async def take_turns(
    connection: Connection, *, turns: Sequence[Turn], low_water: LowWater, held: Held
) -> Turns:
    """End attempts and hand out work.

    A lease that no longer holds its task gets a `StaleLeaseError` with the task's present
    status, a deleted task a `TaskNotFoundError`, the same finish again the same answer.
    Raises `GuardFailedError` where a task is not as `held` has it.
    """
    now = await connection.now()
    finishes = [finish for turn in turns for finish in turn.finishes]
    finished, finish_moves = await _finish(connection, finishes, now, held)
    claims = [turn.claim for turn in turns if turn.claim is not None]
    claimed, claim_moves = await _claim(connection, claims, now, low_water)
    answers, handed = iter(finished), iter(claimed)
    return Turns(
        [
            Turned(
                [next(answers) for _ in turn.finishes],
                [] if turn.claim is None else next(handed),
            )
            for turn in turns
        ],
        finish_moves + claim_moves,
    )


async def take_free_turns(
    connection: Connection, *, turns: Sequence[Turn], low_water: LowWater
) -> tuple[list[bool], Turns]:
    """The same, without waiting for anybody: which of the turns need no row that somebody else
    holds, and those, taken."""
    needed = {finish.lease.task_id for turn in turns for finish in turn.finishes}
    locked = await statements.lock_tasks(connection, needed, whole=False, skip_locked=True)
    busy = await get_tasks(connection, needed - locked.keys())
    are_free = [
        busy.keys().isdisjoint(finish.lease.task_id for finish in turn.finishes) for turn in turns
    ]
    free = list(compress(turns, are_free))
    return are_free, await take_turns(connection, turns=free, low_water=low_water, held=Held())


def ended_attempt(
    task: Task, *, now: datetime, outcome: Outcome, error: str | None
) -> EndedAttempt:
    """The history row of an attempt that `task` is in, ending now."""
    assert task.started_at is not None
    assert task.lease_token is not None
    return EndedAttempt(
        task_id=task.id,
        attempt=task.attempt,
        worker=task.worker,
        started_at=task.started_at,
        finished_at=transitions.later(task, now),
        outcome=outcome,
        error=error,
        lease_token=task.lease_token,
    )


def stale(task: Task, outcome: Outcome | None) -> StaleLeaseError:
    """Why a lease whose attempt ended in `outcome` (None: never given out) no longer counts."""
    reason = "no such lease was given out" if outcome is None else f"its attempt is {outcome}"
    return StaleLeaseError(
        task_id=task.id, task_status=str(task.status), reason=reason, outcome=outcome, task=task
    )


async def _finish(
    connection: Connection, finishes: Sequence[Finish], now: datetime, held: Held
) -> tuple[list[Task | RowlockError], list[Move]]:
    before = held.all_of(finishes)
    if before is None:
        before = await statements.lock_tasks(connection, [f.lease.task_id for f in finishes])
    present = dict(before)
    attempts: list[EndedAttempt] = []
    late: set[Lease] = set()
    for finish in finishes:
        task = present.get(finish.lease.task_id)
        if task is None:
            continue
        if task.lease_token != finish.lease.token:
            late.add(finish.lease)
            continue
        present[task.id] = ended = _ended(task, finish, now)
        if ended.status != Status.DONE:
            outcome = _OUTCOMES[finish.ending]
            attempts.append(ended_attempt(task, now=now, outcome=outcome, error=finish.error))
    moves = [(old, present[i]) for i, old in before.items() if present[i] is not old]
    await statements.move(connection, moves)
    await statements.insert_attempts(connection, attempts)
    outcomes = await outcomes_by_lease(connection, late, present)

    def answer(finish: Finish) -> Task | RowlockError:
        task = present.get(finish.lease.task_id)
        if task is None:
            return TaskNotFoundError(task_id=finish.lease.task_id)
        if finish.lease not in late or outcomes.get(finish.lease) == _OUTCOMES[finish.ending]:
            return task
        return stale(task, outcomes.get(finish.lease))

    return [answer(finish) for finish in finishes], moves


def _ended(task: Task, finish: Finish, now: datetime) -> Task:
    if finish.ending is Ending.COMPLETE:
        return transitions.completed(task, now=now, result=finish.result)
    if finish.ending is Ending.RELEASE:
        return transitions.released(task, now=now)
    return transitions.failed(
        task,
        now=now,
        event=Event.FAIL if finish.retryable else Event.FAIL_FOR_GOOD,
        error=finish.error,
        retry_after_seconds=finish.retry_after_seconds,
    )


async def _claim(
    connection: Connection,
    claims: Sequence[Claim],
    now: datetime,
    low_water: LowWater,
) -> tuple[list[list[Task]], list[Move]]:
    """Claims of the same queues share their reads; the first to ask is served first. Where tasks
    are large, the others get theirs in a later transaction."""
    handed: list[list[Task]] = [[] for _ in claims]
    moves: list[Move] = []
    left_bytes = CLAIM_BYTES
    for queues in dict.fromkeys(claim.queues for claim in claims):
        alike = [
            (claim, hand)
            for claim, hand in zip(claims, handed, strict=True)
            if claim.queues == queues
        ]
        wanted = sum(claim.limit for claim, _ in alike)
        found, left_bytes = await _next(
            connection, queues, wanted, now, low_water, limit_bytes=left_bytes
        )
        remaining = iter(found)
        group: list[Move] = []
        tokens = secrets.token_hex(TOKEN_BYTES * len(alike))
        for place, (claim, hand) in enumerate(alike):
            token = tokens[2 * TOKEN_BYTES * place :][: 2 * TOKEN_BYTES]
            for task in islice(remaining, claim.limit):
                claimed = transitions.claimed(
                    task,
                    now=now,
                    token=token,
                    worker=claim.worker,
                    lease_seconds=claim.lease_seconds,
                )
                hand.append(claimed)
                group.append((task, claimed))
        await statements.move(connection, group)
        moves += group
        if left_bytes <= 0:
            break
    return handed, moves


async def _next(
    connection: Connection,
    queues: Sequence[str],
    wanted: int,
    now: datetime,
    low_water: LowWater,
    *,
    limit_bytes: int,
) -> tuple[list[Task], int]:
    """So many tasks of the queues, in their order, each by priority and age; locked. And what is
    left of the bytes that they may be."""
    heads = {queue: low_water.of(queue) for queue in queues}
    found = await _lock(connection, heads, wanted, now, low_water, limit_bytes=limit_bytes)
    if not found[0] and any(by_rank is not UNKNOWN for by_rank in heads.values()):
        # "Nothing to do" is never said on the strength of a memory.
        heads = dict.fromkeys(queues, UNKNOWN)
        found = await _lock(connection, heads, wanted, now, low_water, limit_bytes=limit_bytes)
    return found


async def _lock(
    connection: Connection,
    heads: Mapping[str, Heads],
    wanted: int,
    now: datetime,
    low_water: LowWater,
    *,
    limit_bytes: int,
) -> tuple[list[Task], int]:
    asked_at = time.monotonic()
    fronts = await looking.fronts(connection, heads, limit=wanted)
    found: list[Task] = []
    for queue, by_rank in heads.items():
        seen: list[Head] = []
        for rank, known in enumerate(by_rank):
            head, limit = known, wanted - len(found)
            if known.may_be_dry:
                front = fronts[queue].get(rank)
                if front is None:
                    seen.append(Head(max(known.begins_at, now - LATE_COMMITS)))
                    continue
                head = Head(front.begins_at, may_be_dry=front.tasks < wanted)
                limit = min(limit, front.tasks)
            tasks: list[Task] = []
            if limit and limit_bytes > 0:
                tasks, limit_bytes = await statements.lock_claimable(
                    connection,
                    queue=queue,
                    rank=rank,
                    begins_at=head.begins_at,
                    limit=limit,
                    limit_bytes=limit_bytes,
                )
            found += tasks
            # From the first of them on: should this be rolled back, they are there again.
            begins_at = tasks[0].created_at if tasks else head.begins_at
            seen.append(Head(begins_at, may_be_dry=head.may_be_dry or len(tasks) < limit))
        low_water.saw(queue, by_rank, tuple(seen), asked_at=asked_at)
    return found, limit_bytes
