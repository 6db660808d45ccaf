"""Occurrences that were left out since nobody was there in time: many have one run together. Pure.

Such a run stands for so many occurrences that come one after another, its own the last of them.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from app.domain.occurrences import HORIZON
from app.domain.recurrence import Recurrence
from app.domain.schedule import MICROSECOND, Run


def left_out(
    recurrence: Recurrence, after: datetime, until: datetime, decided: Collection[datetime]
) -> list[tuple[datetime, int]]:
    """All after the one and up to the other but those that are decided: the last of each row of
    them, and how many it has. What was decided besides, a run at any time, parts nothing."""
    found: list[tuple[datetime, int]] = []
    own = [at for at in sorted(decided) if recurrence.count(at - MICROSECOND, at)]
    for border in [*own, until + MICROSECOND]:
        last = border - MICROSECOND
        if count := recurrence.count(after, last):
            newest = recurrence.newest(after, last)
            assert newest is not None
            found.append((newest, count))
        after = border
    return found


def without(
    runs: Sequence[Run], recurrence: Recurrence, begin: datetime, end: datetime
) -> list[Run]:
    """What stays of such runs when each occurrence from `begin` on and before `end` gets a task.
    One of another rhythm, which the schedule had before, stays as it is."""
    found: list[Run] = []
    for run in runs:
        at = run.occurrence_at
        if recurrence.count(at - MICROSECOND, at) == 0:
            found.append(run)
            continue
        behind = recurrence.count(end - MICROSECOND, at)
        if behind:
            found.append(run._replace(skipped=min(behind, run.skipped)))
        before = run.skipped - recurrence.count(begin - MICROSECOND, at)
        last = recurrence.newest(begin - HORIZON, begin - MICROSECOND) if before > 0 else None
        if last is not None:
            found.append(run._replace(occurrence_at=last, skipped=before))
    return found
