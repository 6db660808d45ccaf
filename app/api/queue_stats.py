"""A queue's standing, for people and for Prometheus."""

from typing import Any, NamedTuple

from fastapi import Request

from app.api import schemas
from app.api.cursor import Asked, name_of, next_name_link
from app.domain.documents import dumps
from app.domain.states import WAITING, Priority, Status
from app.queue.figures.counters import RECENT_MINUTES
from app.queue.figures.stats import QueueState
from app.runtime.metrics import QueueFigure
from app.service.admin import AdminService


class QueuesAsked(NamedTuple):
    """A page of queues: of some, or of all, by name."""

    wanted: frozenset[str]
    after: str
    limit: int


class StatsPage(NamedTuple):
    """What `GET /stats` answers, and after which name there are more queues, if there are."""

    document: bytes
    last: str | None


async def stats_page(admin: AdminService, asked: QueuesAsked) -> StatsPage:
    """As things stand now."""
    found = await admin.queues(**asked._asdict())
    documents = [queue_document(state) for state in found.states]
    return StatsPage(dumps({"queues": documents}), found.last)


async def queue_documents(
    admin: AdminService, request: Request, query: schemas.QueuesQuery
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """A page of queues, and the headers that lead to the next one."""
    asked = asked_of(query)
    found = await admin.queues(
        wanted=query.queue, after=name_of(query.cursor, asked) or "", limit=query.limit
    )
    headers = {} if found.last is None else {"Link": next_name_link(request, found.last, asked)}
    return [queue_document(state) for state in found.states], headers


def asked_of(query: schemas.QueuesQuery) -> Asked:
    """What the cursors of these pages are for."""
    return {"list": "queues", **({"queue": sorted(set(query.queue))} if query.queue else {})}


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


def queue_figure(state: QueueState) -> QueueFigure:
    """What `/metrics` shows of a queue."""
    return QueueFigure(
        state.queue,
        _count(state, *WAITING),
        _count(state, Status.IN_PROGRESS),
        state.oldest_waiting_seconds or 0.0,
    )


def _count(state: QueueState, *statuses: Status) -> int:
    return sum(count for (status, _), count in state.tasks.items() if status in statuses)
