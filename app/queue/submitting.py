"""Submit: tasks of many calls in one transaction, each keyed call once only."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress

from app.domain.errors import KeyReusedError, RowlockError
from app.mysql.connection import Connection
from app.queue import statements
from app.queue.lists.reading import first_by_key, used_keys_ahead
from app.queue.requests import Submission, Submitted
from app.queue.tags import TagIds


class KeyUsedError(Exception):
    """A key that was expected to be new was used before: nothing is to be stored."""


async def submit(
    connection: Connection,
    *,
    submissions: Sequence[Submission],
    tag_ids: TagIds,
    expects_new_keys: bool = False,
) -> list[Submitted | RowlockError]:
    """Store the tasks of the calls. A key used before names the first of the tasks it made then,
    or, with another body, is a `KeyReusedError` for that call alone.

    The tags exist already (`tags.ensure`): they are made in transactions of their own.
    Raises `TagMissingError`, and an IntegrityError when another transaction commits one of the
    keys, or deletes one of the tags, just now. With `expects_new_keys` a key that was used before
    is a `KeyUsedError`, and the round trip of the look-up is saved.
    """
    keys = {s.key for s in submissions if s.key is not None}
    known, used = {}, []
    if expects_new_keys:
        used = await used_keys_ahead(connection, keys)
    else:
        known = await first_by_key(connection, keys)
    are_fresh = _are_fresh(submissions, known)
    fresh = list(compress(submissions, are_fresh))
    stored = iter(
        await statements.insert_tasks(
            connection,
            [task for submission in fresh for task in submission.tasks],
            now=await connection.now(),
        )
    )
    if used:
        raise KeyUsedError
    made = [[next(stored) for _ in submission.tasks] for submission in fresh]
    await statements.insert_task_tags(
        connection,
        [
            (task.id, name, task.created_at)
            for submission, tasks in zip(fresh, made, strict=True)
            for task, new in zip(tasks, submission.tasks, strict=True)
            for name in new.tag_names
        ],
        tag_ids,
    )
    keyed = [(s.key, s.body_hash, t) for s, t in zip(fresh, made, strict=True) if s.key is not None]
    await statements.insert_idempotency_keys(
        connection,
        [(key, item, h, task.id) for key, h, tasks in keyed for item, task in enumerate(tasks)],
    )
    known.update((key, (body_hash, tasks[0].id)) for key, body_hash, tasks in keyed)
    answers = iter(Submitted(tasks, tasks[0].id) for tasks in made)
    return [
        next(answers) if is_fresh else _again(submission, known)
        for submission, is_fresh in zip(submissions, are_fresh, strict=True)
    ]


def _are_fresh(submissions: Sequence[Submission], known: Iterable[str]) -> list[bool]:
    """Which of the calls have tasks to store: those without a key, and the first of each key that
    is not known."""
    seen = set(known)
    found = []
    for submission in submissions:
        found.append(submission.key is None or submission.key not in seen)
        if submission.key is not None:
            seen.add(submission.key)
    return found


def _again(
    submission: Submission, known: Mapping[str, tuple[str, int]]
) -> Submitted | RowlockError:
    """The answer to a call whose key has been used."""
    assert submission.key is not None
    body_hash, first_id = known[submission.key]
    return Submitted([], first_id) if body_hash == submission.body_hash else KeyReusedError()
