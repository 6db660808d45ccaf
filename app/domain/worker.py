"""Workers, as the register of them and the tasks they hold show them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

# A worker at rest polls at least every 30 s, the longest wait of a poll, and the register hears of
# it at most 40 s later (`app.service.workers`): so one of which it has heard nothing for longer
# than both together has missed a poll.
SILENT_SECONDS: Final = 90


class WorkerState(StrEnum):
    """What a worker is about, as far as is known."""

    RUNNING = "running"  # it holds leases
    POLLING = "polling"  # it holds none, and has asked for work lately
    SILENT = "silent"  # neither


class Registered(NamedTuple):
    """A worker's row in the register. `queues` is None where a poll named none."""

    worker: str
    queues: Sequence[str] | None
    agent: str | None
    address: str | None
    first_seen_at: datetime
    last_seen_at: datetime


class Running(NamedTuple):
    """What a worker has under way: how many tasks, of which queues, begun between when."""

    tasks: int
    queues: frozenset[str]
    oldest_started_at: datetime
    newest_started_at: datetime


class Worker(NamedTuple):
    """A worker, as it is shown."""

    worker: str
    agent: str | None
    address: str | None
    queues: Sequence[str]
    first_seen_at: datetime
    last_seen_at: datetime
    state: WorkerState
    running: int
    oldest_started_at: datetime | None


class HeldTask(NamedTuple):
    """A task that a worker has under way."""

    task_id: int
    title: str
    queue: str
    attempt: int
    started_at: datetime
    deadline: datetime


def together(a: Running, b: Running) -> Running:
    """What both have under way."""
    return Running(
        a.tasks + b.tasks,
        a.queues | b.queues,
        min(a.oldest_started_at, b.oldest_started_at),
        max(a.newest_started_at, b.newest_started_at),
    )


def shown(name: str, known: Registered | None, running: Running | None, now: datetime) -> Worker:
    """A worker of which one of both is known. A claim was a poll too: who holds tasks was there
    when the newest of them began, whether the register has heard of it or not."""
    assert known is not None or running is not None, name
    seen = [known.first_seen_at, known.last_seen_at] if known is not None else []
    queues = known.queues if known is not None else None
    if running is not None:
        seen += [running.oldest_started_at, running.newest_started_at]
        queues = sorted(running.queues) if queues is None else queues
    first_seen_at = known.first_seen_at if known is not None else min(seen)
    return Worker(
        name,
        known.agent if known is not None else None,
        known.address if known is not None else None,
        queues or [],
        first_seen_at,
        max(seen),
        _state(running, max(seen), now),
        running.tasks if running is not None else 0,
        running.oldest_started_at if running is not None else None,
    )


def _state(running: Running | None, last_seen_at: datetime, now: datetime) -> WorkerState:
    if running is not None:
        return WorkerState.RUNNING
    is_silent = now - last_seen_at > timedelta(seconds=SILENT_SECONDS)
    return WorkerState.SILENT if is_silent else WorkerState.POLLING


def order(name: str) -> str:
    """Names in the order in which MySQL has them: it compares the shorter one as if spaces
    followed, and some characters lie before the space."""
    return name.ljust(255)
