"""The figures of `GET /tags` and `GET /stats`, counted up."""

from collections.abc import Iterable
from datetime import datetime

from app.states import Priority, Status
from tests.calls import Document
from tests.model.board import Board
from tests.model.moments import Between, bounds, has_come
from tests.model.tasks import Task


def tags(board: Board) -> list[Document]:
    """Every tag that a task has had."""
    shown = [task.shown["tags"] for task in board.tasks.values()]
    return [
        {"name": name, "tasks": sum(name in tags for tags in shown)} for name in sorted(board.tags)
    ]


def queues(board: Board, now: Between) -> list[Document]:
    """Every queue that has tasks or is paused; but for the age of its oldest task."""
    with_tasks = {task.shown["queue"] for task in board.tasks.values()}
    return [_queue(board, queue, now) for queue in sorted(with_tasks | board.paused.keys())]


def oldest(tasks: Iterable[Task]) -> datetime | None:
    """When the oldest that may be claimed was created."""
    return min((bounds(t.shown["created_at"]).since for t in tasks if t.is_claimable), default=None)


def _queue(board: Board, queue: str, now: Between) -> Document:
    placed = [
        (task.status, task.shown["priority"])
        for task in board.tasks.values()
        if task.shown["queue"] == queue
    ]
    statuses = [status for status, _ in placed]
    recent = [
        one.is_done
        for one in board.history.ended
        if one.queue == queue and not has_come(one.forgotten_at, now)
    ]
    done, failed = recent.count(True), recent.count(False)
    return {
        "queue": queue,
        "paused": queue in board.paused,
        "paused_at": board.paused.get(queue),
        "tasks": {
            status: {priority: placed.count((status, priority)) for priority in Priority}
            for status in Status
        },
        "waiting": statuses.count(Status.TO_DO) + statuses.count(Status.RETRYING),
        "in_progress": statuses.count(Status.IN_PROGRESS),
        "recent_minutes": 5,
        "recent_done": done,
        "recent_failed_attempts": failed,
        "done_per_minute": done / 5,
        "failure_rate": failed / len(recent) if recent else None,
    }
