"""Submit: tasks of many calls in one transaction, each keyed call once only."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.errors import KeyReusedError, RowlockError
from app.queue import statements
from app.queue.calls import Submission, Submitted, TagIds
from app.queue.reading import tasks_by_key
from app.states import RANK, Status
from app.task import NewTask, Task, names_text


async def submit(
    connection: AsyncConnection, *, submissions: Sequence[Submission], tag_ids: TagIds
) -> list[Submitted | RowlockError]:
    """Store the tasks of the calls. A key used before gives the tasks it made then, or, with
    another body, `KeyReusedError` for that call alone.

    The tags exist already (`tags.ensure`): they are made in transactions of their own.
    Raises an IntegrityError when another transaction commits one of the keys just now.
    """
    now, _, id_step = await statements.read_moment(connection)
    by_key = await tasks_by_key(connection, [s.key for s in submissions if s.key is not None])
    fresh: list[Submission] = []
    for submission in submissions:
        if submission.key is None or submission.key not in by_key:
            fresh.append(submission)
            if submission.key is not None:
                by_key[submission.key] = (submission.body_hash, [])

    rows = [_first_row(task, now) for submission in fresh for task in submission.tasks]
    ids = await statements.insert_tasks(connection, rows, id_step=id_step)
    stored = iter([row._replace(id=task_id) for row, task_id in zip(rows, ids, strict=True)])
    made = {id(s): [next(stored) for _ in s.tasks] for s in fresh}
    await statements.insert_task_tags(
        connection,
        [
            (task.id, tag_ids[name])
            for submission in fresh
            for task, new in zip(made[id(submission)], submission.tasks, strict=True)
            for name in new.tag_names
        ],
    )
    keyed = [(s.key, s.body_hash, made[id(s)]) for s in fresh if s.key is not None]
    await statements.insert_idempotency_keys(
        connection,
        [(key, item, h, task.id) for key, h, tasks in keyed for item, task in enumerate(tasks)],
    )
    by_key.update((key, (body_hash, tasks)) for key, body_hash, tasks in keyed)

    def answer(submission: Submission) -> Submitted | RowlockError:
        if id(submission) in made:
            return Submitted(made[id(submission)], is_new=True)
        assert submission.key is not None
        body_hash, tasks = by_key[submission.key]
        if body_hash != submission.body_hash:
            return KeyReusedError()
        return Submitted(tasks, is_new=False)

    return [answer(submission) for submission in submissions]


def _first_row(new: NewTask, now: datetime) -> Task:
    is_due = new.available_at is None or new.available_at <= now
    return Task(
        id=0,
        title=new.title,
        description=new.description,
        status=Status.TO_DO,
        priority=new.priority,
        queue=new.queue,
        tag_names=names_text(new.tag_names),
        due_date=new.due_date,
        timeout_seconds=new.timeout_seconds,
        retry_limit=new.retry_limit,
        retry_delay_seconds=new.retry_delay_seconds,
        retry_backoff=new.retry_backoff,
        current_retry_count=0,
        created_at=now,
        updated_at=now,
        completed_at=None,
        available_at=new.available_at,
        started_at=None,
        payload=new.payload,
        result=None,
        error=None,
        claim_rank=RANK[new.priority] if is_due else None,
        sweep_at=None if is_due else new.available_at,
        attempt=0,
        lease_token=None,
        lease_seconds=None,
        worker=None,
        deadline_at=None,
        claimed_from=None,
        finish_token=None,
    )
