"""What turns and slots make of a task that needs nothing else: a row in, the new row out. Pure."""

from datetime import datetime

from app.domain.eligibility import eligibility
from app.domain.task import Task
from app.domain.transitions import later


def given_slot(task: Task, flags: int, *, now: datetime) -> Task:
    """It has that slot, and may be claimed if that was all. The status stays."""
    return _moved(task, task.flags | flags, now)


def without_slot(task: Task, flags: int, *, now: datetime) -> Task:
    """One that was not claimed yet gives that slot back, and waits for it. The status stays."""
    return _moved(task, task.flags & ~flags, now)


def _moved(task: Task, flags: int, now: datetime) -> Task:
    stands = eligibility(
        status=task.status,
        priority=task.priority,
        available_at=None,  # which is over
        flags=flags,
        has_turn=True,
        now=now,
    )
    return task._replace(
        flags=flags,
        claim_rank=stands.claim_rank,
        sweep_at=stands.sweep_at,
        updated_at=later(task, now),
    )


def given_turn(task: Task, turn_at: datetime, *, now: datetime) -> Task:
    """Its place among those of its queue and rank. The status stays."""
    return _moved(task._replace(turn_at=turn_at), task.flags, now)
