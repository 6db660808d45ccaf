"""Submit: tasks of many calls in one transaction, each keyed call once only."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress

from app.domain.errors import KeyReusedError, RowBusyError, RowlockError, UniqueKeyHeldError
from app.domain.slots import NO_LIMITS
from app.domain.task import NewTask, Task, names_of
from app.mysql.connection import Connection
from app.queue import dependents, placing, queue_settings, statements
from app.queue.dependencies import linking
from app.queue.groups.reserving import reserve
from app.queue.lists.reading import first_by_key, used_keys_ahead
from app.queue.requests import Move, Place, Submission, Submitted
from app.queue.tags import TagIds


class KeyUsedError(Exception):
    """A key that was expected to be new was used before: nothing is to be stored."""


async def submit(
    connection: Connection,
    *,
    submissions: Sequence[Submission],
    tag_ids: TagIds,
    expects_new_keys: bool = False,
    locks_keys: bool = False,
) -> list[Submitted | RowlockError]:
    """Store the tasks of the calls. A key used before names the first of the tasks it made then,
    or, with another body, is a `KeyReusedError` for that call alone. A task whose unique key is
    held becomes the one that holds it, or is a `UniqueKeyHeldError` or a `RetryLimitTooLowError`
    for its call alone. One that cannot depend on what it names is a `NoDependencyError`,
    `DependencyFailedError`, `WaitsNoLongerError` or `RowBusyError`, likewise.

    The tags exist already (`tags.ensure`): they are made in transactions of their own.
    Raises `TagMissingError`, and an error of MySQL's when another transaction commits one of the
    keys, or deletes one of the tags, just now (`service.conflicts`). With
    `expects_new_keys` a key that was used before is a `KeyUsedError`, and the round trip of the
    look-up is saved. Raises `placing.KeyReleasedError`, but not where it `locks_keys`.
    """
    keys = {s.key for s in submissions if s.key is not None}
    known: dict[str, tuple[str, int | RowlockError]] = {}
    used: list[Sequence[str | int]] = []
    if expects_new_keys:
        used = await used_keys_ahead(connection, keys)
    else:
        known.update(await first_by_key(connection, keys))
    are_fresh = _are_fresh(submissions, known)
    fresh = list(compress(submissions, are_fresh))
    places = await placing.place(connection, fresh, locks_keys=locks_keys)
    await _replace(connection, places.moves, tag_ids)
    await statements.move(connection, places.parents)
    connection.also_moved += places.parents
    new = await _with_slots(connection, places)
    stored = await statements.insert_tasks(connection, new, now=places.now)
    if used:
        raise KeyUsedError
    if any(links.edges for links in places.links):
        linking.note(dependents.changes_of(connection.unsettled), places.links, stored)
    await statements.insert_task_tags(
        connection,
        [
            (task.id, name, task.created_at)
            for task, new in zip(stored, places.new, strict=True)
            for name in new.tag_names
        ],
        tag_ids,
    )
    found = _answers(places, stored)
    of_keys = [(s.key, s.body_hash, a) for s, a in zip(fresh, found, strict=True) if s.key]
    await statements.insert_idempotency_keys(
        connection,
        [
            (key, item, body_hash, task.id)
            for key, body_hash, answer in of_keys
            if isinstance(answer, Submitted)
            for item, task in enumerate(answer.tasks)
        ],
    )
    known.update(
        (key, (body_hash, answer.first_id if isinstance(answer, Submitted) else answer))
        for key, body_hash, answer in of_keys
    )
    answers = iter(found)
    return [
        next(answers) if is_fresh else _again(submission, known)
        for submission, is_fresh in zip(submissions, are_fresh, strict=True)
    ]


async def _with_slots(connection: Connection, places: placing.Places) -> Sequence[NewTask]:
    """The new tasks, and which slots they need, and have."""
    known = await queue_settings.current(connection)
    limits = {queue: s.limits for queue, s in known.items() if s.limits != NO_LIMITS}
    if not any(task.queue in limits for task in places.new):
        return places.new
    new = [
        task._replace(flags=task.flags | limits[task.queue].needs(task.group_key))
        if task.queue in limits
        else task
        for task in places.new
    ]
    # For whom others wait longer, those are told of it first.
    if any(links.blocked for links in places.links):
        return new
    return await reserve(connection, new, now=places.now)


async def _replace(connection: Connection, moves: Sequence[Move], tag_ids: TagIds) -> None:
    """Change tasks that hold a unique key, which are locked."""
    for old, new in moves:
        if old.tag_names != new.tag_names:
            await statements.replace_task_tags(connection, new, names_of(new), tag_ids)
    await statements.move(connection, moves)


def _answers(places: placing.Places, stored: Sequence[Task]) -> list[Submitted | RowlockError]:
    """What each call gets, in order; a task is new to the first call that it is in."""
    moves = {new.id: (old, new) for old, new in places.moves}
    seen = set(places.holders)

    def task_at(place: Place) -> Task:
        if place.number is not None:
            return stored[place.number]
        assert place.task_id is not None
        return places.holders[place.task_id]

    answers: list[Submitted | RowlockError] = []
    for of_call in places.of_calls:
        if isinstance(of_call, RowlockError):
            answers.append(of_call)
        elif isinstance(of_call, placing.KeyHeld):
            holder = task_at(of_call.place)
            answers.append(
                UniqueKeyHeldError(
                    unique_key=of_call.key, task_id=holder.id, task_status=str(holder.status)
                )
            )
        else:
            tasks = [task_at(place) for place in of_call]
            ids = {task.id for task in tasks}
            held = frozenset(ids & seen)
            seen |= ids
            changed = [moves[task_id] for task_id in sorted(ids & moves.keys())]
            answers.append(Submitted(tasks, tasks[0].id, held, places.cut & ids, changed))
    return answers


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
    submission: Submission, known: Mapping[str, tuple[str, int | RowlockError]]
) -> Submitted | RowlockError:
    """The answer to a call whose key has been used."""
    assert submission.key is not None
    body_hash, first = known[submission.key]
    is_same = body_hash == submission.body_hash
    if isinstance(first, RowlockError):
        # Of the same moment: the key has stored nothing, and is free.
        return first if is_same else RowBusyError()
    return Submitted([], first) if is_same else KeyReusedError()
