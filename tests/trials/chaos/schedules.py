"""Schedules that occur all the time, and what has to have come of each occurrence."""

import time
from collections import Counter
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import httpx
from sqlalchemy import Connection, text

from app.domain.recurrence import Recurrence
from tests.trials.chaos.checks import Check

TASK: Final = {
    "title": "tick",
    "timeout_seconds": 5,
    "retry_delay_seconds": 1,
    "retry_backoff": "fixed",
}
# Each occurrence has a task, however late; and each has one or says that it was left out.
SCHEDULES: Final[dict[str, dict[str, Any]]] = {
    "each second": {"interval_seconds": 1, "catch_up": "all", "overlap": "allow", "task": TASK},
    "each two seconds": {"cron": "*/2 * * * * *", "catch_up": "one", "task": TASK},
}
CALL_SECONDS: Final = 15.0
PATIENCE_SECONDS: Final = 60.0

_SCHEDULES: Final = text(
    "SELECT name, cron, interval_seconds, created_at, considered_at FROM schedules"
)
_RUNS: Final = text(
    "SELECT occurrence_at, outcome, skipped, task_id FROM schedule_runs WHERE schedule = :name"
)
_TASKS: Final = text(
    "SELECT id, origin ->> '$.occurrence_at' FROM tasks WHERE origin ->> '$.schedule' = :name"
)


def begin(url: str) -> None:
    """Make the schedules, once the API is there."""
    for name, body in SCHEDULES.items():
        _call("PUT", f"{url}/schedules/{name}", body)


def end(url: str) -> None:
    """They submit nothing from now on."""
    for name in SCHEDULES:
        _call("POST", f"{url}/admin/schedules/{name}/pause")


def _call(method: str, url: str, body: Any = None) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        with suppress(httpx.TransportError):
            answer = httpx.request(method, url, json=body, timeout=CALL_SECONDS)
            if answer.is_success:
                return
        if time.monotonic() > until:
            raise TimeoutError(f"{method} {url}")
        time.sleep(0.2)


def checked(connection: Connection) -> Check:
    """Every occurrence that was decided, against the runs and the tasks there are."""
    broken: list[str] = []
    looked_at = 0
    for row in connection.execute(_SCHEDULES).all():
        recurrence = Recurrence.of(
            cron=row.cron,
            interval_seconds=row.interval_seconds,
            timezone="UTC",
            starts_at=None,
            ends_at=None,
            created_at=row.created_at.replace(microsecond=0),
        )
        looked_at += (count := recurrence.count(row.created_at, row.considered_at))
        expected = {*recurrence.between(row.created_at, row.considered_at, limit=count)}
        broken += [f"{row.name}: {what}" for what in _faults(connection, row.name, expected)]
    return Check("each occurrence of a schedule has one task, or says why not", looked_at, broken)


def _faults(connection: Connection, name: str, expected: set[datetime]) -> list[str]:
    runs = connection.execute(_RUNS, {"name": name}).all()
    tasks = {row[0]: row[1] for row in connection.execute(_TASKS, {"name": name})}
    told = {run.task_id: run.occurrence_at for run in runs if run.task_id is not None}
    decided = sum(max(1, run.skipped) for run in runs)
    faults = [f"{at} has {n} tasks" for at, n in Counter(tasks.values()).items() if n > 1]
    faults += [f"{at} is no occurrence" for at in {run.occurrence_at for run in runs} - expected]
    if decided != len(expected):
        faults.append(f"{decided} of {len(expected)} occurrences are decided")
    if {i: datetime.fromisoformat(at.rstrip("Z")) for i, at in tasks.items()} != told:
        faults.append(f"{len(tasks)} tasks, and {len(told)} runs that submitted one")
    if SCHEDULES[name]["catch_up"] == "all":
        faults += [f"{run.occurrence_at} was {run.outcome}" for run in runs if not run.task_id]
    return faults
