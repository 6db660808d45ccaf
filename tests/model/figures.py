"""The figures of `GET /tags` and `GET /stats`, counted up."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import reduce

from app.domain.states import Event, Priority, Status
from app.queue.figures.stats import HEAD_TASKS
from tests.model.board import Board
from tests.model.moments import Between, first, has_come
from tests.model.tasks import Task
from tests.support.calls import Document

COUNTED = ("submitted", "started", "done", "failed", "retried")
EVENTS = {Event.SUBMIT: "submitted", Event.CLAIM: "started", Event.COMPLETE: "done"}
FAILURES = {Event.FAIL, Event.FAIL_FOR_GOOD, Event.TIME_OUT, Event.LOSE}


def tags(board: Board) -> list[Document]:
    """Every tag that a task has."""
    counts = Counter(name for task in board.tasks.values() for name in task.shown["tags"])
    return [{"name": name, "tasks": counts[name]} for name in sorted(counts)]


def queues(board: Board, now: Between) -> list[Document]:
    """Every queue that has tasks or is paused; but for the age of its oldest task."""
    with_tasks = {task.shown["queue"] for task in board.tasks.values()}
    return [_queue(board, queue, now) for queue in sorted(with_tasks | board.paused.keys())]


def history(board: Board) -> dict[str, int]:
    """How often each thing has happened, in all queues and at any time."""
    happened: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
    for (_, event, status), n in board.history.transitions.items():
        if event in EVENTS:
            happened[EVENTS[event]] += n
        elif event in FAILURES:
            happened["failed" if status is Status.FAILED else "retried"] += n
    return dict(happened)


def summed(document: Document) -> dict[str, int]:
    """The same as it is told, of all its buckets."""
    return {name: sum(bucket[name] for bucket in document["buckets"]) for name in COUNTED}


def oldest(tasks: Iterable[Task]) -> Between | None:
    """Since when the one of the next tasks waits that waits for longest."""
    by_rank = defaultdict(list)
    for task in sorted(tasks, key=lambda task: task.place):
        if task.is_claimable:
            by_rank[task.rank].append(task.waits_since)
    found = [since for waiting in by_rank.values() for since in waiting[:HEAD_TASKS]]
    return reduce(first, found) if found else None


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
