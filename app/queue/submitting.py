"""Submit: tasks of many calls in one transaction, each keyed call once only."""

from collections.abc import Sequence

from app.domain.errors import KeyReusedError, RowlockError
from app.mysql.connection import Connection
from app.queue import statements
from app.queue.lists.reading import first_by_key
from app.queue.requests import Submission, Submitted
from app.queue.tags import TagIds


async def submit(
    connection: Connection, *, submissions: Sequence[Submission], tag_ids: TagIds
) -> list[Submitted | RowlockError]:
    """Store the tasks of the calls. A key used before names the first of the tasks it made then,
    or, with another body, is a `KeyReusedError` for that call alone.

    The tags exist already (`tags.ensure`): they are made in transactions of their own.
    Raises `TagMissingError`, and an IntegrityError when another transaction commits one of the
    keys, or deletes one of the tags, just now.
    """
    known = await first_by_key(connection, {s.key for s in submissions if s.key is not None})
    fresh: list[Submission] = []
    seen = set(known)
    for submission in submissions:
        if submission.key is None or submission.key not in seen:
            fresh.append(submission)
            if submission.key is not None:
                seen.add(submission.key)

    stored = iter(
        await statements.insert_tasks(
            connection,
            [task for submission in fresh for task in submission.tasks],
            now=await connection.now(),
        )
    )
    made = {id(s): [next(stored) for _ in s.tasks] for s in fresh}
    await statements.insert_task_tags(
        connection,
        [
            (task.id, name, task.created_at)
            for submission in fresh
            for task, new in zip(made[id(submission)], submission.tasks, strict=True)
            for name in new.tag_names
        ],
        tag_ids,
    )
    keyed = [(s.key, s.body_hash, made[id(s)]) for s in fresh if s.key is not None]
    await statements.insert_idempotency_keys(
        connection,
        [(key, item, h, task.id) for key, h, tasks in keyed for item, task in enumerate(tasks)],
    )
    known.update((key, (body_hash, tasks[0].id)) for key, body_hash, tasks in keyed)

    def answer(submission: Submission) -> Submitted | RowlockError:
        if (tasks := made.get(id(submission))) is not None:
            return Submitted(tasks, tasks[0].id)
        assert submission.key is not None
        body_hash, first_id = known[submission.key]
        return Submitted([], first_id) if body_hash == submission.body_hash else KeyReusedError()

    return [answer(submission) for submission in submissions]
