"""What follows for those that depend on tasks, written before the commit: who waited for what has
ended is free.

At every commit `unmet` is the number of those that a task depends on and that have not ended, but
for those whose end is told bit by bit. Waits are locked in one statement, in ascending order,
after all tasks; a task that is freed is then taken if nobody else holds its row, and left to the
sweep otherwise.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping

from app.domain import transitions
from app.domain.dependency import WAITS_FOR_TASKS, Crossing, Wait, moved_on
from app.mysql.connection import Connection
from app.queue import statements
from app.queue.dependencies import rows
from app.queue.dependencies.rows import EDGES, Edge
from app.queue.dependents import Changes


async def settle(connection: Connection, changes: Changes) -> None:
    """Write what follows. The tasks that are freed are among `Connection.also_moved` then."""
    told = defaultdict(list, {child: [*known] for child, known in changes.told.items()})
    gone: set[Edge] = set()
    late = await _tell_of_ends(connection, changes, told, gone)
    await _tell_of_retries(connection, changes, told)
    gone.update(await rows.parents(connection, changes.gone_children))
    ids = told.keys() | changes.looks | changes.causes.keys() | changes.left
    waits = await rows.lock_waits(connection, ids)
    now = await connection.now()
    stay = {w.task_id: _moved_on(w, told, changes) for w in waits if w.task_id not in changes.left}
    met = [wait.task_id for wait in stay.values() if wait.is_met]
    free = await statements.lock_tasks(connection, met, whole=False, skip_locked=True)
    moves = [
        (task, transitions.freed(task, now=now))
        for task in free.values()
        if task.flags & WAITS_FOR_TASKS
    ]
    await statements.move(connection, moves)
    connection.also_moved += moves
    over = free.keys() | {wait.task_id for wait in waits if wait.task_id in changes.left}
    await rows.delete_waits(connection, over)
    await rows.delete_edges(connection, gone)
    known = {wait.task_id: wait for wait in waits}
    # Those that somebody holds go to the end of what the sweep looks at.
    changed = [w for i, w in stay.items() if i not in over and (w != known[i] or w.is_met)]
    await rows.set_waits_last(connection, changed, now)
    await rows.insert_waits_last(connection, _begun(changes, late))
    await rows.insert_edges_last(connection, changes.edges)


def _moved_on(wait: Wait, told: Mapping[int, list[Crossing]], changes: Changes) -> Wait:
    was, cause = changes.causes.get(wait.task_id, (None, None))
    if was is not None and wait.cause == was:
        wait = wait._replace(cause=cause)
    return moved_on(wait, told.get(wait.task_id, []))


def _begun(changes: Changes, late: Collection[int]) -> list[Wait]:
    """Those that wait from now on. They will be told of these ends too, and count them till then:
    whoever ends a task may store others that depend on it."""
    told_later = Counter(child for parent, child, _ in changes.edges if parent in late)
    return [wait._replace(unmet=wait.unmet + told_later[wait.task_id]) for wait in changes.begun]


async def _tell_of_ends(
    connection: Connection,
    changes: Changes,
    told: dict[int, list[Crossing]],
    gone: set[Edge],
) -> Collection[int]:
    """Of ends and deletions: those of which there is not too much to tell; and the rest, which is
    told bit by bit."""
    ends = {i: crossing for i, crossing in changes.crossed.items() if crossing.delta <= 0}
    edges = await rows.children(connection, ends.keys() | changes.gone_parents, limit=EDGES + 1)
    # Of the one at which it stops not all were read, and none of those after it.
    rest = edges[EDGES].parent_id if len(edges) > EDGES else None
    under_way = await rows.told_bit_by_bit(connection, changes.gone_parents)
    for edge in edges:
        if rest is not None and edge.parent_id >= rest:
            break
        if edge.parent_id in ends:
            told[edge.child_id].append(ends[edge.parent_id])
        if edge.parent_id in changes.gone_parents - under_way:
            gone.add(edge)
    if rest is None:
        return ()
    late = [i for i in ends.keys() | changes.gone_parents if i >= rest and i not in under_way]
    await rows.insert_fanouts_last(
        connection,
        [(i, ends[i].has_failed if i in ends and ends[i].delta else None) for i in late],
    )
    return late


async def _tell_of_retries(
    connection: Connection, changes: Changes, told: dict[int, list[Crossing]]
) -> None:
    """Nobody must begin too early: whoever waits knows at once."""
    again = {i: crossing for i, crossing in changes.crossed.items() if crossing.delta > 0}
    for edge in await rows.waiting_children(connection, again):
        told[edge.child_id].append(again[edge.parent_id])
