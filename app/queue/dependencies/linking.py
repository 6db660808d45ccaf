"""What submitted tasks depend on: decided for one call, from the rows that are locked. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from app.domain.dependency import (
    HAS_DEPENDENCIES,
    HAS_DEPENDENTS,
    RUNS_AFTER_FAILURE,
    WAITS_FOR_TASKS,
    Crossing,
    Depends,
    OnParentFailure,
    Wait,
)
from app.domain.errors import (
    DependencyFailedError,
    NoDependencyError,
    RowBusyError,
    RowlockError,
    WaitsNoLongerError,
)
from app.domain.states import ENDED, Status
from app.domain.task import NewTask, Task
from app.domain.transitions import later
from app.queue.dependents import Changes
from app.queue.requests import Move, Place

FATES: Final = {Status.FAILED: "has failed", Status.CANCELLED: "is cancelled"}


class Links(NamedTuple):
    """Of one call. New tasks are numbers, others are ids."""

    flags: dict[int, int]
    # (parent, child, the parent's name)
    edges: list[tuple[Place, Place, str | None]]
    # (who waits, for how many, what if one fails)
    waits: list[tuple[int, int, OnParentFailure]]
    # (who waits already, and from now on for which new one too)
    blocked: list[tuple[int, int]]
    parents: set[int]


def named(tasks: Iterable[NewTask]) -> set[int]:
    """The ids that tasks name."""
    depends = [task.depends for task in tasks if task.depends is not None]
    return {task_id for d in depends for task_id in (*d.ids, *d.blocks)}


class Related(NamedTuple):
    """The tasks that are named, locked; and those of them whose end not all know yet."""

    rows: Mapping[int, Task]
    busy: set[int]


def link(
    tasks: Sequence[NewTask], places: Sequence[Place], others: Related, *, first_number: int
) -> Links | RowlockError:
    """The links of a call whose new tasks have numbers from the first one on. A task for which
    another one stands depends on nothing."""
    links = Links({}, [], [], [], set())
    linked: set[int] = set()
    for task, place in zip(tasks, places, strict=True):
        if task.depends is None or place.number is None or place.number < first_number:
            continue
        if place.number in linked:
            continue
        linked.add(place.number)
        try:
            _link(links, task.depends, place.number, places, others)
        except RowlockError as error:
            return error
    return links


def _link(
    links: Links, depends: Depends, number: int, places: Sequence[Place], others: Related
) -> None:
    own, unmet = Place(number), 0
    for place, task_id in zip(depends.places, depends.ids, strict=True):
        field = f"{depends.prefix}depends_on.{place}"
        row = _row(others.rows, task_id, field)
        if task_id in others.busy:
            raise RowBusyError
        fate = FATES.get(row.status)
        if fate is not None and depends.on_failure is OnParentFailure.CANCEL:
            raise DependencyFailedError(field=field, dependency=task_id, fate=fate)
        unmet += row.status not in ENDED
        links.parents.add(task_id)
        links.edges.append((Place(None, task_id), own, None))
    for item, name in depends.refs:
        parent = places[item]
        assert parent.number is not None  # what others refer to has no unique key
        unmet += 1
        _mark(links, parent.number, HAS_DEPENDENTS)
        links.edges.append((parent, own, name))
    for place, task_id in enumerate(depends.blocks):
        row = _row(others.rows, task_id, f"{depends.prefix}blocks.{place}")
        if not row.flags & WAITS_FOR_TASKS:
            raise WaitsNoLongerError(task_id=task_id)
        _mark(links, number, HAS_DEPENDENTS)
        links.edges.append((own, Place(None, task_id), depends.ref))
        links.blocked.append((task_id, number))
    if depends.ids or depends.refs:
        is_run = depends.on_failure is OnParentFailure.RUN
        _mark(links, number, HAS_DEPENDENCIES | (RUNS_AFTER_FAILURE if is_run else 0))
    if unmet:
        _mark(links, number, WAITS_FOR_TASKS)
        links.waits.append((number, unmet, depends.on_failure))


def _row(rows: Mapping[int, Task], task_id: int, field: str) -> Task:
    if task_id not in rows:
        raise NoDependencyError(field=field, dependency=task_id)
    return rows[task_id]


def _mark(links: Links, number: int, flags: int) -> None:
    links.flags[number] = links.flags.get(number, 0) | flags


def marked(tasks: Iterable[Task], *, now: datetime) -> list[Move]:
    """Those of the tasks on which none has depended so far, as they are from now on. That changes
    when those were changed last that have not ended: who ends one from memory must not miss it."""
    return [
        (
            task,
            task._replace(
                flags=task.flags | HAS_DEPENDENTS,
                updated_at=task.updated_at if task.status in ENDED else later(task, now),
            ),
        )
        for task in tasks
        if not task.flags & HAS_DEPENDENTS
    ]


def note(changes: Changes, links: Iterable[Links], stored: Sequence[Task]) -> None:
    """The new tasks have ids by now."""

    def id_of(place: Place) -> int:
        if place.number is not None:
            return stored[place.number].id
        assert place.task_id is not None
        return place.task_id

    for of_call in links:
        changes.edges.extend((id_of(p), id_of(c), name) for p, c, name in of_call.edges)
        changes.begun.extend(
            Wait(stored[number].id, unmet, how) for number, unmet, how in of_call.waits
        )
        for child_id, number in of_call.blocked:
            parent_id = stored[number].id
            changes.told[child_id].append(Crossing(parent_id, 1, has_failed=False))
