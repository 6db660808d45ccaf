"""Which task each submitted one is: a new one, or the one that holds its unique key; and on which
it depends.

Keys and who holds them are found by plain reads. Where each is held, and no task that holds one is
to be changed, nothing is locked: claims would step over a task because many ask for it. Keys are
locked where one is free, and then those tasks that are to be changed, or that an idempotency key
will refer to, together with those that others are to depend on.
"""

from collections import ChainMap
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count, islice
from typing import Final, NamedTuple

from app.domain.dependency import HAS_DEPENDENTS
from app.domain.errors import RowlockError
from app.domain.states import ENDED
from app.domain.task import NewTask, Task, held_key
from app.domain.transitions import replaced
from app.domain.unique import Conflict, hash_of
from app.mysql.connection import Connection
from app.queue import statements, unique_keys
from app.queue.dependencies import linking
from app.queue.dependencies.linking import Links
from app.queue.dependencies.rows import told_bit_by_bit
from app.queue.requests import Move, Place, Submission

# What the holders may come to together: beyond it their long texts are not read.
HOLDERS_BYTES: Final = 8 * 1024 * 1024
# No text is that.
_NOT_READ: Final = "\0"


class KeyReleasedError(Exception):
    """A key was held a moment ago: the calls are to be placed anew, with their keys locked."""


class KeyHeld(NamedTuple):
    """What a call gets that did not want that: a key is held."""

    key: str
    place: Place


Placed = list[Place] | KeyHeld | RowlockError


class Places(NamedTuple):
    """What is to be written, and where the tasks of each call are then, in order."""

    now: datetime
    new: list[NewTask]
    moves: list[Move]
    # The holders, as they are then, and those of them without their long texts.
    holders: dict[int, Task]
    cut: frozenset[int]
    of_calls: list[Placed]
    # What the new ones depend on, and the tasks that are known to have dependents from now on.
    links: list[Links]
    parents: list[Move]


async def place(
    connection: Connection, submissions: Sequence[Submission], *, locks_keys: bool
) -> Places:
    """Decide for these calls, in their order; an error of one is its own. Raises
    `KeyReleasedError`, but not where it `locks_keys`."""
    if all(task.unique is None and task.depends is None for s in submissions for task in s.tasks):
        new = [task for submission in submissions for task in submission.tasks]
        places = map(Place, count())
        of_calls: list[Placed] = [[*islice(places, len(s.tasks))] for s in submissions]
        return Places(await connection.now(), new, [], {}, frozenset(), of_calls, [], [])
    named = linking.named(task for submission in submissions for task in submission.tasks)
    holders, before, cut, others = await _holders(
        connection, submissions, named, locks_keys=locks_keys
    )
    ended = [i for i, row in others.items() if row.status in ENDED and row.flags & HAS_DEPENDENTS]
    related = linking.Related(others, await told_bit_by_bit(connection, ended))
    # Only now: it may have waited for a row.
    now = await connection.now()
    plan = _Plan(holders, before, related, now)
    of_calls = [plan.place(submission.tasks) for submission in submissions]
    # Of what was not read it is not known either whether it has changed.
    moves = [
        (_unread(before[i]) if i in cut else before[i], row)
        for i, row in sorted(plan.rows.items())
        if row is not before[i]
    ]
    cut = cut.difference(row.id for _, row in moves)
    parents = linking.marked([plan.rows.get(i, others[i]) for i in plan.parents], now=now)
    flags = plan.flags
    new_tasks = [task._replace(flags=flags.get(n, 0)) for n, task in plan.new.items()]
    return Places(now, new_tasks, moves, plan.rows, cut, of_calls, plan.links, parents)


class _Plan:
    """What comes of one call after the other."""

    def __init__(
        self,
        holders: Mapping[str, Task],
        rows: Mapping[int, Task],
        related: linking.Related,
        now: datetime,
    ) -> None:
        self._now = now
        self._related = related
        self.links: list[Links] = []
        self._held = {key: Place(None, task.id) for key, task in holders.items()}
        self.rows = dict(rows)
        self.new: dict[int, NewTask] = {}

    @property
    def parents(self) -> list[int]:
        """The tasks, in order, on which others depend from now on."""
        return sorted({i for links in self.links for i in links.parents})

    @property
    def flags(self) -> dict[int, int]:
        """Of the new ones, by number."""
        return {number: flags for links in self.links for number, flags in links.flags.items()}

    def place(self, tasks: Sequence[NewTask]) -> Placed:
        """Where these are; of a call that gets an error nothing is left."""
        held, rows, new = ChainMap({}, self._held), ChainMap({}, self.rows), ChainMap({}, self.new)
        places: list[Place] = []
        number = len(self.new)
        for task in tasks:
            unique = task.unique
            key = None if unique is None else hash_of(task.queue, unique.key)
            found = None if key is None else held.get(key)
            if unique is None or key is None or found is None:
                found = Place(number)
                new[number] = task if unique is None else _first(task, self._now)
                number += 1
                if key is not None:
                    held[key] = found
            elif unique.conflict is Conflict.REJECT:
                return KeyHeld(unique.key, found)
            elif unique.replaces and found.number is not None:
                new[found.number] = _over(new[found.number], task, self._now)
            elif unique.replaces and found.task_id is not None:
                try:
                    rows[found.task_id] = replaced(rows[found.task_id], task, now=self._now)
                except RowlockError as error:
                    return error
            places.append(found)
        links = linking.link(tasks, places, self._related, first_number=len(self.new))
        if isinstance(links, RowlockError):
            return links
        self.links.append(links)
        self._held.update(held.maps[0])
        self.rows.update(rows.maps[0])
        self.new.update(new.maps[0])
        return places


async def _holders(
    connection: Connection,
    submissions: Sequence[Submission],
    named: set[int],
    *,
    locks_keys: bool,
) -> tuple[dict[str, Task], dict[int, Task], frozenset[int], dict[int, Task]]:
    """Who holds the keys of these calls, by the keys and by id; and those without long texts. And
    those that are named."""
    needs_lock: dict[str, bool] = {}
    for submission in submissions:
        for task in submission.tasks:
            if task.unique is not None:
                key = hash_of(task.queue, task.unique.key)
                needs = task.unique.replaces or submission.key is not None
                needs_lock[key] = needs_lock.get(key, False) or needs
    found = {} if locks_keys or not needs_lock else await unique_keys.find(connection, needs_lock)
    if len(found) < len(needs_lock):
        found, locks_keys = await unique_keys.lock(connection, needs_lock), True
    locked = {task_id for key, task_id in found.items() if needs_lock[key]}
    # In one statement, for its order.
    if locked:
        rows, cut = await statements.lock_within(
            connection, locked | named, limit_bytes=HOLDERS_BYTES
        )
    else:
        rows = await statements.lock_tasks(connection, named, whole=False)
        cut = frozenset()
    others_named = {i: rows[i] for i in named if i in rows}
    others = set(found.values()) - locked
    plain, plain_cut = await statements.read_within(connection, others, limit_bytes=HOLDERS_BYTES)
    rows |= plain
    holders: dict[str, Task] = {}
    for key, task_id in found.items():
        if task_id in rows and held_key(rows[task_id]) is not None:
            holders[key] = rows[task_id]
        elif not locks_keys:
            raise KeyReleasedError
        else:
            # It was released just now; or by a version that did not know of keys, or by hand.
            unique_keys.changes_of(connection.unsettled).released.add((key, task_id))
    by_id = {task.id: task for task in holders.values()}
    return holders, by_id, (cut | plain_cut) & by_id.keys(), others_named


def _first(task: NewTask, now: datetime) -> NewTask:
    assert task.unique is not None
    available_at = task.unique.put_off(task.available_at, since=now, now=now)
    return task._replace(available_at=available_at)


def _over(first: NewTask, task: NewTask, now: datetime) -> NewTask:
    """A task that replaces one of the same transaction."""
    assert task.unique is not None
    return task._replace(
        unique=first.unique,
        available_at=task.unique.put_off(first.available_at, since=now, now=now),
        traceparent=first.traceparent,
        origin=first.origin,
        depends=first.depends,
        group_key=first.group_key,
    )


def _unread(task: Task) -> Task:
    return task._replace(description=_NOT_READ, payload=_NOT_READ)
