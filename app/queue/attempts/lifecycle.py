"""An attempt: claim, complete, fail, release, for many workers in one transaction.

Each step locks what it needs, decides purely (`app.domain.transitions`) and writes once.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import compress
from typing import Final

from app.domain import transitions
from app.domain.errors import RowlockError, TaskNotFoundError
from app.domain.states import OUTCOMES, Event, Outcome, Status
from app.domain.task import EndedAttempt, Lease, Task
from app.mysql.connection import Connection
from app.queue import statements
from app.queue.attempts import claiming
from app.queue.attempts.claim_memory import ClaimMemory
from app.queue.attempts.leased_tasks import LeasedTasks
from app.queue.lists.reading import get_tasks, outcomes_by_lease, stale
from app.queue.requests import Finish, FinishAction, LeaseAnswer, LeaseBatch, LeaseCall, Move
from app.queue.settlement import settle_waits

# What the tasks that a batch ends may come to together: beyond it their long texts are not read.
FINISH_BYTES: Final = 8 * 1024 * 1024


async def finish_and_claim(
    connection: Connection,
    *,
    calls: Sequence[LeaseCall],
    memory: ClaimMemory,
    given_out: list[Lease],
) -> LeaseBatch:
    """End attempts and hand out work.

    A lease that no longer holds its task gets a `StaleLeaseError` with the task's present
    status, a deleted task a `TaskNotFoundError`, the same finish again the same answer.
    `given_out` has the new leases, from before they are committed. Raises `GuardFailedError`
    where a task is not as remembered.
    """
    now = await connection.now()
    finishes = [finish for call in calls for finish in call.finishes]
    finished, cut, finish_moves = await finish(connection, finishes, now, memory.leased)
    claims = [call.claim for call in calls if call.claim is not None]
    if claims:
        # Who is next may be claimed at once. And a claim keeps the places in its index of those
        # that it steps over: whoever has a group locked may wait for these, so that it must not
        # wait for a group.
        await settle_waits(connection)
    claimed, claim_moves = await claiming.claim(connection, claims, now, memory)
    given_out[:] = [Lease(new.id, new.lease_token) for _, new in claim_moves if new.lease_token]
    answers, handed = iter(finished), iter(claimed)
    done: list[LeaseAnswer] = []
    for call in calls:
        hand = [] if call.claim is None else next(handed)
        ended = [next(answers) for _ in call.finishes]
        done.append(LeaseAnswer(ended, hand or [], is_served=hand is not None, cut=cut))
    return LeaseBatch(done, finish_moves + claim_moves)


async def finish_and_claim_free(
    connection: Connection,
    *,
    calls: Sequence[LeaseCall],
    memory: ClaimMemory,
    given_out: list[Lease],
) -> tuple[list[bool], LeaseBatch]:
    """The same, without waiting for anybody: which of the calls need no row that somebody else
    holds, and those, taken."""
    needed = {finish.lease.task_id for call in calls for finish in call.finishes}
    locked = await statements.lock_tasks(connection, needed, whole=False, skip_locked=True)
    busy = await get_tasks(connection, needed - locked.keys(), whole=False)
    are_free = [
        busy.keys().isdisjoint(finish.lease.task_id for finish in call.finishes) for call in calls
    ]
    free = list(compress(calls, are_free))
    taken = await finish_and_claim(connection, calls=free, memory=memory, given_out=given_out)
    return are_free, taken


async def finish(
    connection: Connection, finishes: Sequence[Finish], now: datetime, leased: LeasedTasks
) -> tuple[list[Task | RowlockError], frozenset[int], list[Move]]:
    """End attempts: an answer for each, in order; those tasks whose long texts were left out; and
    those that were moved. Raises `GuardFailedError`, as above."""
    before, cut = leased.all_of(finishes), frozenset[int]()
    if before is None:
        ids = [finish.lease.task_id for finish in finishes]
        before, cut = await statements.lock_within(connection, ids, limit_bytes=FINISH_BYTES)
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
            outcome = OUTCOMES[Event(finish.action)]
            attempts.append(ended_attempt(task, now=now, outcome=outcome, error=finish.error))
    moves = [(old, present[i]) for i, old in before.items() if present[i] is not old]
    await statements.move(connection, moves)
    await statements.insert_attempts(connection, attempts)
    outcomes = await outcomes_by_lease(connection, late, present)

    def answer(finish: Finish) -> Task | RowlockError:
        task = present.get(finish.lease.task_id)
        if task is None:
            return TaskNotFoundError(task_id=finish.lease.task_id)
        if finish.lease not in late or outcomes.get(finish.lease) == OUTCOMES[Event(finish.action)]:
            return task
        return stale(task, outcomes.get(finish.lease))

    return [answer(finish) for finish in finishes], cut, moves


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


def _ended(task: Task, finish: Finish, now: datetime) -> Task:
    if finish.action is FinishAction.COMPLETE:
        return transitions.completed(task, now=now, result=finish.result)
    if finish.action is FinishAction.RELEASE:
        return transitions.released(
            task, now=now, delay_seconds=finish.delay_seconds, reason=finish.error
        )
    return transitions.failed(
        task,
        now=now,
        event=Event.FAIL if finish.retryable else Event.FAIL_FOR_GOOD,
        error=finish.error,
        retry_after_seconds=finish.retry_after_seconds,
    )
