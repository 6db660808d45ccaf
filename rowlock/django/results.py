"""Django's view of a task of the server."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from rowlock.django.call import Call
from rowlock.django.contract import AnyResult, TaskResult, TaskResultStatus
from rowlock.django.errors import errors_of
from rowlock.django.times import to_django
from rowlock.models import Attempt
from rowlock.models import Task as StoredTask

_STATUSES: Final = {
    "in_progress": TaskResultStatus.RUNNING,
    "done": TaskResultStatus.SUCCESSFUL,
    "failed": TaskResultStatus.FAILED,
    "cancelled": TaskResultStatus.FAILED,
}


def has_history(stored: StoredTask) -> bool:
    """Whether its attempts have to be asked for: the task does not say all of them."""
    return stored.attempt > 1 or (
        stored.attempt == 1 and stored.status not in ("in_progress", "done")
    )


def result_of(
    stored: StoredTask, call: Call, alias: str, attempts: Sequence[Attempt] = ()
) -> AnyResult:
    """The task as it is, with its attempts that have ended."""
    # Asked for later than the task, they may know more; and the one under way is the task's own.
    before = [one for one in attempts if one.attempt <= stored.attempt and one.outcome]
    workers = {one.attempt: one.worker for one in before}
    begins = {one.attempt: one.started_at for one in before}
    if stored.attempt and stored.started_at is not None:
        workers.setdefault(stored.attempt, stored.worker)
        begins.setdefault(stored.attempt, stored.started_at)
    result: AnyResult = TaskResult(
        task=call.task,
        id=str(stored.id),
        status=_STATUSES.get(stored.status, TaskResultStatus.READY),
        enqueued_at=to_django(stored.created_at),
        started_at=_moment(begins[min(begins)] if begins else None),
        finished_at=_moment(_finished_at(stored, before)),
        last_attempted_at=_moment(begins[max(begins)] if begins else None),
        args=call.args,
        kwargs=call.kwargs,
        backend=alias,
        errors=errors_of(stored, before),
        # Of an attempt that is not known it still counts that there was one.
        worker_ids=[workers.get(number) or "" for number in range(1, stored.attempt + 1)],
    )
    if stored.status == "done":
        become(result, _return_value=stored.result)
    return result


def become(result: AnyResult, **fields: Any) -> None:
    """Change a result, which is frozen for everybody else."""
    for name, value in fields.items():
        object.__setattr__(result, name, value)


def _finished_at(stored: StoredTask, attempts: Sequence[Attempt]) -> datetime | None:
    if stored.status == "failed" and attempts:
        return attempts[-1].finished_at
    return stored.completed_at or (stored.updated_at if stored.has_ended else None)


def _moment(moment: datetime | None) -> datetime | None:
    return None if moment is None else to_django(moment)
