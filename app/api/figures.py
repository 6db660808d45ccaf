"""A queue's standing, for people and for Prometheus."""

from typing import Any

from app import metrics
from app.queue.statistics import RECENT_MINUTES, QueueState
from app.states import WAITING, Priority, Status


def queue_document(state: QueueState) -> dict[str, Any]:
    """What `GET /stats` says of a queue."""
    attempts = state.recent_done + state.recent_failed_attempts
    return {
        "queue": state.queue,
        "paused": state.paused_at is not None,
        "paused_at": state.paused_at,
        "tasks": {
            # By value: orjson takes no subclass of str as a key.
            status.value: {p.value: state.tasks.get((status, p), 0) for p in Priority}
            for status in Status
        },
        "waiting": _count(state, *WAITING),
        "in_progress": _count(state, Status.IN_PROGRESS),
        "oldest_waiting_seconds": state.oldest_waiting_seconds,
        "recent_minutes": RECENT_MINUTES,
        "recent_done": state.recent_done,
        "recent_failed_attempts": state.recent_failed_attempts,
        "done_per_minute": state.recent_done / RECENT_MINUTES,
        "failure_rate": state.recent_failed_attempts / attempts if attempts else None,
    }


def show_queues(states: list[QueueState]) -> None:
    """Set the gauges that `/metrics` shows of queues."""
    for gauge in (metrics.WAITING, metrics.RUNNING, metrics.OLDEST_WAITING_SECONDS):
        gauge.clear()
    for state in states:
        metrics.WAITING.labels(state.queue).set(_count(state, *WAITING))
        metrics.RUNNING.labels(state.queue).set(_count(state, Status.IN_PROGRESS))
        metrics.OLDEST_WAITING_SECONDS.labels(state.queue).set(state.oldest_waiting_seconds or 0)


def _count(state: QueueState, *statuses: Status) -> int:
    return sum(count for (status, _), count in state.tasks.items() if status in statuses)
