"""The lines of the log that a worker begins and each attempt ends with: text for people, and
the same as fields of the record for programs."""

import logging
from collections.abc import Sequence
from typing import Final

from rowlock.models import Task
from rowlock.worker.attempt import CURRENT, RELEASED, RunningAttempt
from rowlock.worker.log import log

DONE: Final = "done"
FAILED: Final = "failed"


def log_start(
    worker: str,
    *,
    server: str,
    queues: Sequence[str],
    titles: Sequence[str | None],
    slots: int,
) -> None:
    """`titles` are those that have a handler; None: any other."""
    handlers = ["any other title" if title is None else repr(title) for title in titles]
    log.info(
        "worker %s, for %s: queues %s; handlers for %s; concurrency %d",
        worker,
        server,
        ", ".join(queues),
        "any title" if titles == [None] else ", ".join(handlers),
        slots,
        extra={
            "worker": worker,
            "server": server,
            "queues": [*queues],
            "handlers": [*titles],
            "slots": slots,
        },
    )


def log_end(
    attempt: RunningAttempt, *, outcome: str, seconds: float, story: str | None = None
) -> None:
    """`story` is what is known of a failure."""
    level = logging.INFO if outcome in (DONE, RELEASED) else logging.WARNING
    if not log.isEnabledFor(level):
        return
    task: Task = attempt.task
    token = CURRENT.set(attempt)
    try:
        log.log(
            level,
            "task %d %r, attempt %d: %s after %.2f s%s",
            task.id,
            task.title,
            attempt.number,
            outcome,
            seconds,
            "" if story is None else f": {story}",
            extra={
                "task_id": task.id,
                "title": task.title,
                "queue": task.queue,
                "attempt": attempt.number,
                "seconds": round(seconds, 3),
                "outcome": outcome,
            },
        )
    finally:
        CURRENT.reset(token)
