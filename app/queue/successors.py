"""Ends of attempts that store tasks, many in one transaction: both or neither.

What the tasks name is locked before the attempts end, in the one order of all locks: unique keys,
then all tasks together. The ids of what an attempt has stored are kept under a key made of its
lease, so that whoever ends it again is told the same.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from app.domain.errors import RowlockError
from app.domain.task import Lease, Task
from app.domain.unique import hash_of
from app.mysql.connection import Connection, placeholders
from app.queue import statements, submitting, unique_keys
from app.queue.attempts import lifecycle
from app.queue.attempts.leased_tasks import LeasedTasks
from app.queue.dependencies import linking
from app.queue.requests import Finish, Move, Submission, Submitted
from app.queue.tags import TagIds

# No client's key has a space.
KEY: Final = "lease {}"
SUBMITTED: Final = (
    "SELECT idempotency_key, task_id FROM idempotency_keys FORCE INDEX (PRIMARY) "
    "WHERE idempotency_key IN ({}) ORDER BY idempotency_key, item"
)


class Ends(NamedTuple):
    """An answer for each end, in order; and what has become of the tasks."""

    answers: list[Task | RowlockError]
    # Those whose long texts were left out: they are not to be shown.
    cut: frozenset[int]
    # What the attempts have submitted, now or when they ended.
    submitted: dict[Lease, list[int]]
    moves: list[Move]
    stored: list[Submitted]


async def finish_and_submit(
    connection: Connection, *, finishes: Sequence[Finish], leased: LeasedTasks, tag_ids: TagIds
) -> Ends:
    """End attempts and store what they submit. A lease that no longer holds its task stores
    nothing, and is answered as by `lifecycle.finish`.

    Raises `GuardFailedError` where a task is not as remembered, and as `submitting.submit` does;
    and what that answers for one that cannot be stored, since its attempt must not end.
    """
    await _lock(connection, finishes)
    now = await connection.now()
    answers, cut, moves = await lifecycle.finish(connection, finishes, now, leased)
    before = {Lease(old.id, old.lease_token): old for old, _ in moves if old.lease_token}
    # The first that tells of an attempt has ended it.
    ending: dict[Lease, Finish] = {}
    for finish in finishes:
        if finish.lease in before:
            ending.setdefault(finish.lease, finish)
    stored = await submitting.submit(
        connection,
        submissions=[_submission(finish, before[lease]) for lease, finish in ending.items()],
        tag_ids=tag_ids,
        locks_keys=True,
    )
    made: dict[Lease, Submitted] = {}
    for lease, answer in zip(ending, stored, strict=True):
        if isinstance(answer, RowlockError):
            raise answer
        made[lease] = answer
    ids = {lease: [task.id for task in answer.tasks] for lease, answer in made.items()}
    await statements.insert_idempotency_keys(
        connection,
        [
            (KEY.format(lease), item, "", task_id)
            for lease, of_lease in ids.items()
            for item, task_id in enumerate(of_lease)
        ],
    )
    again = {
        finish.lease
        for finish, answer in zip(finishes, answers, strict=True)
        if isinstance(answer, Task) and finish.lease not in ids
    }
    ids |= await submitted_by(connection, again)
    # One on which its own successors depend was marked since.
    marked = {new.id: new for _, new in connection.also_moved}
    shown = [_as_marked(answer, marked) for answer in answers]
    return Ends(shown, cut, ids, moves, [*made.values()])


async def _lock(connection: Connection, finishes: Sequence[Finish]) -> None:
    tasks = [task for finish in finishes for task in finish.submit]
    named = linking.named(tasks)
    keys = {hash_of(task.queue, task.unique.key) for task in tasks if task.unique is not None}
    if not named and not keys:
        return
    holders = await unique_keys.lock(connection, keys) if keys else {}
    own = {finish.lease.task_id for finish in finishes}
    await statements.lock_tasks(connection, own | named | {*holders.values()}, whole=False)


def _submission(finish: Finish, task: Task) -> Submission:
    """What comes of a task belongs to its trace."""
    return Submission([new._replace(traceparent=task.traceparent) for new in finish.submit])


async def submitted_by(connection: Connection, leases: Collection[Lease]) -> dict[Lease, list[int]]:
    """What attempts that have ended submitted then, as far as it is still there."""
    if not leases:
        return {}
    by_key: dict[str, list[int]] = {KEY.format(lease): [] for lease in leases}
    rows = await connection.fetch(SUBMITTED.format(placeholders(by_key)), tuple(by_key))
    for key, task_id in rows:
        by_key[key].append(task_id)
    return {lease: by_key[KEY.format(lease)] for lease in leases}


def _as_marked(answer: Task | RowlockError, marked: Mapping[int, Task]) -> Task | RowlockError:
    if not isinstance(answer, Task) or answer.id not in marked:
        return answer
    row = marked[answer.id]
    return answer._replace(flags=row.flags, updated_at=row.updated_at)
