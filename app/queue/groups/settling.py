"""What follows for the slots of groups, written before the commit: who gives one back hands it to
the next that waits, and who comes first takes it from one that was not claimed yet.

The tasks of a group that have a slot are at most as many as it has, at every commit, but where it
had more when they got theirs. A task that is next is given the slot if nobody else holds its row,
and left to the sweep otherwise.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from app.domain import admissions
from app.domain.errors import GuardFailedError
from app.domain.slots import GIVEN, NEEDS_QUEUES, Group, Standing, Turn
from app.domain.states import RANK, WAITING, Priority
from app.domain.task import Task
from app.mysql.connection import Connection, placeholders
from app.queue import queue_settings, statements
from app.queue.groups import rows
from app.queue.groups.turns import next_turns, take
from app.queue.requests import Move
from app.queue.slot_changes import Changes, turn_of

# Of one group, in one transaction; the rest is the sweep's.
AT_ONCE: Final = 200
# A group that nobody needs is forgotten after that.
FORGOTTEN_AFTER: Final = timedelta(hours=1)
_WAITING: Final = (
    "SELECT id, priority FROM tasks FORCE INDEX (PRIMARY) "
    "WHERE id IN ({}) AND status IN ('to_do', 'retrying')"
)
_THERE: Final = "SELECT id FROM tasks FORCE INDEX (PRIMARY) WHERE id IN ({})"


async def settle(connection: Connection, changes: Changes) -> None:
    """Write what follows. The tasks that get a slot, or lose it, are among
    `Connection.also_moved` then."""
    await lock(connection, changes, changes.groups)
    now = await connection.now()
    await _take_turns(connection, changes, now)
    for is_queues_own in (False, True):
        groups = [group for group in changes.locked if group.is_queues_own is is_queues_own]
        await _turn_back(connection, changes, groups, now)
        await _hand_out(connection, changes, groups, now)
    if changed := changes.groups - changes.locked.keys():
        # A bug: what its row says of slots and lines would differ from the tasks from now on.
        raise GuardFailedError(statement="groups", expected=0, matched=len(changed))
    await rows.leave(connection, (turn for turns in changes.left.values() for turn in turns))
    joined = [(group, turn) for group, turns in changes.joined.items() for turn in turns]
    await rows.join_last(connection, joined)
    standings = [_standing(changes, group, now) for group in changes.locked]
    await rows.set_last(connection, [s for s in standings if s != changes.locked[s.group]])


async def lock(connection: Connection, changes: Changes, groups: Collection[Group]) -> None:
    """Lock those that are not locked yet, all together, and with them the queues' own: who gets a
    group's slot may need that one, too."""
    known = await queue_settings.current(connection)
    # Not those of groups that are locked, though a limit was set meanwhile: out of their order.
    new = {*groups} - changes.locked.keys()
    wanted = {*new}
    for group in new:
        has_limit = group.queue in known and known[group.queue].limits.are_for_all
        if has_limit or group in changes.looks:
            wanted.add(group.queues_own)
    if wanted := wanted - changes.locked.keys():
        locked, limits = await rows.lock(connection, wanted)
        changes.locked.update(locked)
        changes.limits.update(limits)


async def _take_turns(connection: Connection, changes: Changes, now: datetime) -> None:
    """Give tasks their places that come into the claim's order, or would, only now."""
    if not changes.turnless:
        return
    tasks = sorted(changes.turnless.values(), key=_as_turn)
    places = await take(connection, changes, tasks, now)
    moves = [
        (task, admissions.given_turn(task, at, now=now))
        for task, at in zip(tasks, places, strict=True)
    ]
    await statements.move(connection, moves)
    connection.also_moved += moves


async def _turn_back(
    connection: Connection, changes: Changes, groups: Sequence[Group], now: datetime
) -> None:
    """Where there are not enough free slots, those of lower priorities that are not claimed yet
    give theirs to those that come before them: else who waits behind others' tasks would keep
    those out."""
    unclaimed = {
        group: _unclaimed(changes, group)
        for group in groups
        if (room := changes.room(group, now)) is not None and changes.waiting(group) > room
    }
    unclaimed = {group: ids for group, ids in unclaimed.items() if ids}
    rooms = {group: changes.room(group, now) or 0 for group in unclaimed}
    most = {group: rooms[group] + len(ids) for group, ids in unclaimed.items()}
    # But for those for whom there is room.
    found = await _first(connection, changes, most)
    first = {group: turns[rooms[group] :] for group, turns in found.items()}
    wanted = {group: ids for group, ids in unclaimed.items() if _are_before(first[group])}
    # Most have been claimed, or come before those that wait: nothing of these is locked.
    seen = await _ranks(connection, {i for of_group in wanted.values() for i in of_group})
    for group, of_group in wanted.items():
        changes.let_out[group] |= {*of_group} - seen.keys()
        wanted[group] = [i for i in of_group if seen.get(i, 0) > first[group][0].claim_rank]
    ids = {task_id for of_group in wanted.values() for task_id in of_group}
    held = await statements.lock_tasks(connection, ids, whole=False, skip_locked=True)
    moves: list[Move] = []
    for group, of_group in wanted.items():
        tasks = [held[i] for i in of_group if i in held]
        if len(tasks) < len(of_group):
            changes.again.add(group)
        theirs = [t for t in tasks if t.status in WAITING and t.flags & group.slot]
        # The others have been claimed.
        changes.let_out[group].update({task.id for task in tasks} - {t.id for t in theirs})
        able = [task for task in theirs if not _needs_other(task, group, changes)]
        if len(able) < len(theirs):
            changes.again.add(group)
        for turn, task in zip(first[group], sorted(able, key=_as_turn, reverse=True), strict=False):
            if turn.claim_rank >= RANK[task.priority]:
                break
            # Who waits for its group's slot has none of its queue's.
            flags = GIVEN if not group.is_queues_own else group.slot | group.unpaid
            moves.append((task, admissions.without_slot(task, flags, now=now)))
    await statements.move(connection, moves)
    connection.also_moved += moves


def _are_before(turns: Sequence[Turn]) -> bool:
    """Whether there is one that somebody of a lower priority may have to give way to."""
    return bool(turns) and turns[0].claim_rank < max(RANK.values())


def _as_turn(task: Task) -> Turn:
    return Turn(RANK[task.priority], task.turn_at, task.id)


async def _hand_out(
    connection: Connection, changes: Changes, groups: Sequence[Group], now: datetime
) -> None:
    """Give free slots to the tasks that are next."""
    wanted: dict[Group, int] = {}
    for group in groups:
        room = changes.room(group, now)
        if room != 0 and changes.waiting(group):
            wanted[group] = AT_ONCE if room is None else min(room, AT_ONCE)
    if not wanted:
        return
    first = await _first(connection, changes, wanted)
    others = {t.task_id for g, turns in first.items() for t in turns if t not in changes.joined[g]}
    locked = await statements.lock_tasks(connection, others, whole=False, skip_locked=True)
    gone = await _gone(connection, others - locked.keys())
    moves: list[Move] = []
    for group, turns in first.items():
        for turn in turns:
            task = changes.joined[group].get(turn) or locked.get(turn.task_id)
            if task is None:
                if turn.task_id in gone:
                    changes.left[group].add(turn)
            elif turn_of(task) != (group, turn):
                # It was changed by SQL, or by a version that knows nothing of groups.
                changes.left[group].add(turn)
            elif not _needs_other(task, group, changes):
                moves.append((task, admissions.given_slot(task, changes.given(group), now=now)))
    await statements.move(connection, moves)
    connection.also_moved += moves


def _needs_other(task: Task, group: Group, changes: Changes) -> bool:
    """Whether it needs a slot of its queue's, whose row is not locked."""
    is_next = not group.is_queues_own and task.flags & NEEDS_QUEUES
    return bool(is_next) and group.queues_own not in changes.locked


async def _first(
    connection: Connection, changes: Changes, wanted: dict[Group, int]
) -> dict[Group, list[Turn]]:
    """The first so many that wait by now."""
    stored = {
        group: number + len(changes.left[group])
        for group, number in wanted.items()
        if changes.locked[group].waiting
    }
    found = await rows.first_turns(connection, stored) if stored else {}
    return {
        group: sorted({*found.get(group, ()), *changes.joined[group]} - changes.left[group])[
            :number
        ]
        for group, number in wanted.items()
    }


async def _ranks(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    """Those of them that have not been claimed, by their priorities. Plain."""
    if not ids:
        return {}
    rows = await connection.fetch(_WAITING.format(placeholders(ids)), sorted(ids))
    return {task_id: RANK[Priority(priority)] for task_id, priority in rows}


async def _gone(connection: Connection, ids: Collection[int]) -> set[int]:
    """Those of them that are not there. Plain."""
    if not ids:
        return set()
    there = await connection.fetch(_THERE.format(placeholders(ids)), sorted(ids))
    return {*ids} - {task_id for (task_id,) in there}


def _unclaimed(changes: Changes, group: Group) -> list[int]:
    """Tasks of lower priorities that have got a slot, the last ones, as far as is known."""
    known = dict.fromkeys(changes.locked[group].unclaimed)
    known.update(dict.fromkeys(sorted(changes.let_in[group])))
    return [i for i in known if i not in changes.let_out[group]][-rows.UNCLAIMED :]


def _standing(changes: Changes, group: Group, now: datetime) -> Standing:
    """How it stands after all that."""
    before, room = changes.locked[group], changes.room(group, now)
    after = before._replace(
        held=before.held + changes.held[group],
        waiting=changes.waiting(group),
        unclaimed=tuple(_unclaimed(changes, group)),
        unpaid=before.unpaid + changes.unpaid[group],
        paid_until=changes.paid_until(group, now),
        next_turns=next_turns(changes, group),
    )
    is_full = changes.is_full(group)
    look_at = None
    if after.waiting and not is_full:
        # Once there is a token; or at once: who is next is held by somebody, or there were many.
        look_at = now if room != 0 else changes.next_at(after)
    elif after.waiting and group in changes.again:
        look_at = now
    elif not after.waiting and not after.held and before.running is None and before.weight is None:
        look_at = max(now, after.paid_until or now) + FORGOTTEN_AFTER
    return after._replace(is_full=is_full, look_at=look_at)
