"""What time does to schedules: their occurrences are decided. One batch a call.

Any number of schedulers may run this at once: each takes schedules that no other holds. A task, the
run that says so and the schedule's row are one transaction, so that each occurrence has one task,
or none, whatever is killed at whatever moment.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple, cast

import structlog

from app.domain.dependency import WAITS_FOR_TASKS
from app.domain.errors import (
    InvalidRecurrenceError,
    NoDependencyError,
    RowBusyError,
    RowlockError,
)
from app.domain.left_out import left_out
from app.domain.schedule import (
    DECIDED_LIMIT,
    Due,
    Kind,
    Outcome,
    Overlap,
    Run,
    Schedule,
    due,
    outcomes,
    task_for,
    text_of,
)
from app.domain.states import ENDED
from app.mysql.connection import Connection, placeholders
from app.queue.requests import Submitted
from app.queue.schedules import rows, runs
from app.queue.tags import TagIds

SCHEDULES: Final = 100
# Of all that one transaction submits: one that is not over in time would be tried for ever.
TASKS: Final = 1000
TASKS_BYTES: Final = 4 * 1024 * 1024
# A schedule that is not understood (any more) is looked at again after this.
UNKNOWN_FOR: Final = timedelta(minutes=1)

DUE: Final = (
    "SELECT 1 FROM schedules FORCE INDEX (ix_schedules_next) "
    "WHERE next_at <= UTC_TIMESTAMP(6) LIMIT 1"
)

log = structlog.get_logger(__name__)


class Fired(NamedTuple):
    """What was submitted, and whether there may be more to decide."""

    answers: list[Submitted]
    is_full: bool

    @property
    def made(self) -> int:
        """How many tasks were made."""
        return sum(len(answer.made) for answer in self.answers)


class _Decision(NamedTuple):
    schedule: Schedule
    occurrence: datetime
    outcome: Outcome
    task_id: int | None = None


async def is_any_due(connection: Connection) -> bool:
    """Whether an occurrence is to be decided. A plain read."""
    return bool(await connection.fetch(DUE))


async def fire_once(connection: Connection, *, tag_ids: TagIds) -> Fired:
    """Decide the occurrences that are due. Raises as `submitting.submit` does."""
    now = await connection.now()
    locked, unreadable = await rows.lock_due(connection, now=now, limit=SCHEDULES)
    await rows.put_off(connection, unreadable, until=now + UNKNOWN_FOR)
    decided, answers = await decide(connection, locked, now=now, tag_ids=tag_ids)
    is_part = any(each.next_at is not None and each.next_at <= now for each in decided)
    is_full = len(locked) + len(unreadable) == SCHEDULES
    return Fired(answers, is_part or is_full or len(decided) < len(locked))


async def decide(
    connection: Connection, locked: Sequence[Schedule], *, now: datetime, tag_ids: TagIds
) -> tuple[list[Schedule], list[Submitted]]:
    """Decide what is due of schedules, whose rows are locked: as they stand then, and what was
    submitted. Of much a part, and not of all. Raises as `submitting.submit` does."""
    looked = _look(locked, now)
    decided = await runs.decided(
        connection,
        [schedule.name for schedule, _ in looked],
        sorted({at for _, found in looked for at in found.occurrences}),
    )
    still_open = await _open(connection, [s.last_task_id for s, _ in looked])
    decisions = [
        _Decision(schedule, occurrence, outcome)
        for schedule, found in looked
        for occurrence, outcome in outcomes(
            schedule,
            found.occurrences,
            decided={at for name, at in decided if name == schedule.name},
            is_open=schedule.last_task_id in still_open,
            is_queued=bool(still_open.get(schedule.last_task_id, 0) & WAITS_FOR_TASKS),
        )
    ]
    submitted = [d for d in decisions if d.outcome is Outcome.SUBMITTED]
    tasks = [
        task_for(d.schedule, d.occurrence, behind=_behind(d.schedule, still_open), now=now)
        for d in submitted
    ]
    answers = await runs.submit(connection, tasks, tag_ids)
    decisions = _with_tasks(decisions, answers)
    await runs.insert(
        connection,
        [
            *await _skipped(connection, looked, now),
            *[
                (d.schedule.name, Run(d.occurrence, Kind.DUE, d.outcome, 0, d.task_id, now))
                for d in decisions
            ],
        ],
    )
    last_ids = {d.schedule.name: d.task_id for d in decisions if d.outcome is Outcome.SUBMITTED}
    stand = [
        schedule._replace(
            considered_at=found.considered_at,
            next_at=found.next_at,
            last_task_id=last_ids.get(schedule.name, schedule.last_task_id),
        )
        for schedule, found in looked
    ]
    await rows.write_considered(connection, stand)
    return stand, [answer for answer in answers if isinstance(answer, Submitted)]


async def renew(connection: Connection, *, after: str, limit: int) -> str | None:
    """Compute anew when schedules occur next: the time zones' rules may be others than those they
    were computed with. The name of the last one looked at; None: that was the end.

    What somebody else has written meanwhile stays.
    """
    found = await rows.page(connection, after=after, limit=limit)
    for schedule in found.schedules:
        try:
            next_at = schedule.recurrence.next_after(schedule.considered_at)
        except InvalidRecurrenceError:
            continue
        if schedule.next_at is not None and next_at != schedule.next_at:
            await connection.execute(
                "UPDATE schedules SET next_at = %s WHERE name = %s "
                "AND revision = %s AND considered_at = %s AND next_at = %s",
                (
                    *(next_at, schedule.name),
                    *(schedule.revision, schedule.considered_at, schedule.next_at),
                ),
            )
    return found.last


def _look(locked: Sequence[Schedule], now: datetime) -> list[tuple[Schedule, Due]]:
    """What is to be decided of each; not of all, where it is too much for one transaction."""
    looked: list[tuple[Schedule, Due]] = []
    count = size = 0
    for schedule in locked:
        weight = len(text_of(schedule.definition.task).encode())
        limit = max(min(TASKS_BYTES // weight, DECIDED_LIMIT), 1)
        if schedule.definition.overlap is Overlap.QUEUE_ONE:
            limit = 1  # the next one may wait for this one's task
        try:
            found = due(schedule, now=now, limit=limit)
        except InvalidRecurrenceError as error:
            log.warning("schedule_not_known", schedule=schedule.name, reason=str(error))
            found = Due([], 0, None, schedule.considered_at, now + UNKNOWN_FOR)
        count += len(found.occurrences)
        size += len(found.occurrences) * weight
        if looked and (count > TASKS or size > TASKS_BYTES):
            break
        looked.append((schedule, found))
    return looked


def _behind(schedule: Schedule, still_open: Mapping[int | None, int]) -> int | None:
    """The task that the next one of the schedule waits for."""
    is_queue = schedule.definition.overlap is Overlap.QUEUE_ONE
    return schedule.last_task_id if is_queue and schedule.last_task_id in still_open else None


async def _open(connection: Connection, ids: Collection[int | None]) -> dict[int | None, int]:
    """Those of the tasks that have not ended, and their flags."""
    wanted = sorted({task_id for task_id in ids if task_id is not None})
    if not wanted:
        return {}
    found = await connection.fetch(
        "SELECT id, flags FROM tasks FORCE INDEX (PRIMARY) "
        f"WHERE id IN ({placeholders(wanted)}) AND status NOT IN ({placeholders(ENDED)})",
        (*wanted, *ENDED),
    )
    return dict(found)  # type: ignore[arg-type]


async def _skipped(
    connection: Connection, looked: Sequence[tuple[Schedule, Due]], now: datetime
) -> list[tuple[str, Run]]:
    """The runs that stand for what was left out since nobody was there in time. What was brought
    about by hand meanwhile is none of it."""
    spans = [
        (schedule, schedule.considered_at, found.last_skipped)
        for schedule, found in looked
        if found.last_skipped is not None
    ]
    decided = await runs.decided_within(
        connection, [(schedule.name, after, until) for schedule, after, until in spans]
    )
    return [
        (schedule.name, Run(at, Kind.DUE, Outcome.SKIPPED_LATE, skipped, None, now))
        for schedule, after, until in spans
        for at, skipped in left_out(
            schedule.recurrence,
            after,
            until,
            [at for name, at in decided if name == schedule.name],
        )
    ]


def _with_tasks(
    decisions: Sequence[_Decision], answers: Iterable[Submitted | RowlockError]
) -> list[_Decision]:
    """The same, with the tasks that stand for the occurrences; or for why there is none. What
    comes after one that was refused does not overlap with it: it would be refused likewise."""
    found: list[_Decision] = []
    rest = iter(answers)
    refused: dict[str, int] = {}
    for decision in decisions:
        name = decision.schedule.name
        if decision.outcome is Outcome.SUBMITTED:
            answer = next(rest)
            if isinstance(answer, Submitted):
                found.append(decision._replace(task_id=answer.first_id))
                continue
            if isinstance(answer, NoDependencyError):
                # The one that it was to wait for was deleted just now: all is decided anew.
                raise RowBusyError
            if isinstance(answer, RowBusyError):
                raise answer
            refused[name] = cast("int", answer.facts["task_id"])
        found.append(
            decision._replace(outcome=Outcome.SKIPPED_UNIQUE, task_id=refused[name])
            if name in refused
            else decision
        )
    return found
