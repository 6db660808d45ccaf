"""The client's and the admin's calls: for each, what is sent and how the answer is read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from http.client import CREATED
from typing import Any, Final, TypeVar
from urllib.parse import quote
from uuid import uuid4

from pydantic import TypeAdapter

from rowlock.client import trace
from rowlock.client.fields import (
    Changes,
    Direction,
    Filters,
    OrderBy,
    View,
    encode_fields,
    query_of,
)
from rowlock.client.pages import Page, page, read_by
from rowlock.encoding import encode
from rowlock.http.answer import Answer
from rowlock.http.call import Call, Headers
from rowlock.models import (
    Attempt,
    Cost,
    Count,
    Dependencies,
    Examination,
    History,
    Me,
    Processes,
    QueueGroup,
    QueueSettings,
    QueueState,
    QueueStats,
    RegisteredWorker,
    Stats,
    Tag,
    Task,
    Why,
    WorkerDetails,
)

T = TypeVar("T")


BATCH_SECONDS: Final = 50.0
ALL_SECONDS: Final = 3600.0
DOCTOR_SECONDS: Final = 30.0

_TASKS: Final = TypeAdapter(list[Task])
_ATTEMPTS: Final = TypeAdapter(list[Attempt])
_TAGS: Final = TypeAdapter(list[Tag])
_QUEUES: Final = TypeAdapter(list[QueueStats])
_GROUPS: Final = TypeAdapter(list[QueueGroup])
_WORKERS: Final = TypeAdapter(list[RegisteredWorker])


def submit(task: bytes, idempotency_key: str | None) -> Call[Task]:
    """Store a task, encoded already, once however often it is sent."""
    return Call("POST", "/tasks", task_of, body=task, headers=once(idempotency_key))


def submit_one(task: bytes) -> Call[list[Task]]:
    """The same, as a batch of one."""
    return Call("POST", "/tasks", lambda answer: [task_of(answer)], body=task, headers=once(None))


def submit_batch(
    tasks: Iterable[bytes], idempotency_key: str | None, *, extra_seconds: float = BATCH_SECONDS
) -> Call[list[Task]]:
    """Store tasks, each encoded already, all or none."""
    return _batch(tasks, idempotency_key, _tasks, extra_seconds)


def store_batch(tasks: Iterable[bytes], idempotency_key: str) -> Call[bool]:
    """The same; whether they were not there before."""
    return _batch(tasks, idempotency_key, lambda answer: answer.status == CREATED, BATCH_SECONDS)


def get(task_id: int, wait_seconds: float | None = None) -> Call[Task]:
    """A task as it is, or as soon as it has ended, or after the wait."""
    if wait_seconds is None:
        return Call("GET", f"/tasks/{part(task_id)}", task_of)
    query = (("wait_seconds", f"{wait_seconds:g}"),)
    return Call("GET", f"/tasks/{part(task_id)}", task_of, query, extra_seconds=wait_seconds)


def list_tasks(
    filters: Filters,
    order: str,
    page_size: int,
    *,
    order_by: OrderBy = "created_at",
    view: View = "full",
) -> Call[Page[Task]]:
    """The first page."""
    query = (*query_of(filters), ("order", order), ("limit", str(page_size)))
    if order_by != "created_at":
        query += (("order_by", order_by),)
    if view != "full":
        query += (("view", view),)
    return page("/tasks", _tasks, query)


def cost(filters: Filters, order: str, order_by: str, page_size: int) -> Call[Cost]:
    """What that page would have MySQL read."""
    asked = (("order", order), ("order_by", order_by), ("limit", str(page_size)))
    query = (*query_of(filters), *asked)
    return Call("GET", "/tasks/cost", lambda answer: Cost.model_validate_json(answer.body), query)


def count(filters: Filters, limit: int) -> Call[Count]:
    """How many tasks match."""
    query = (*query_of(filters), ("limit", str(limit)))
    return Call("GET", "/tasks/count", lambda answer: Count.model_validate_json(answer.body), query)


def patch(task_id: int, changes: Changes) -> Call[Task]:
    """Change a task."""
    return Call("PATCH", f"/tasks/{part(task_id)}", task_of, body=encode_fields(changes))


def delete(task_id: int) -> Call[None]:
    """Delete a task. Gone is gone: a repeated call does not ask who did it."""
    return Call("DELETE", f"/tasks/{part(task_id)}", nothing, settled_if_repeated=404)


def attempts(task_id: int) -> Call[Page[Attempt]]:
    """The first of a task's attempts."""
    return page(f"/tasks/{part(task_id)}/attempts", read_by(_ATTEMPTS))


def why(task_id: int) -> Call[Why]:
    """What a task waits for."""
    return Call(
        "GET",
        f"/tasks/{part(task_id)}/why",
        lambda answer: Why.model_validate_json(answer.body),
    )


def dependencies(task_id: int, direction: Direction) -> Call[Page[Dependencies]]:
    """What a task depends on, or what depends on it; each page has the numbers of all."""
    path, query = f"/tasks/{part(task_id)}/dependencies", (("direction", direction),)
    return page(path, lambda answer: [Dependencies.model_validate_json(answer.body)], query)


def as_one(pages: Sequence[Dependencies]) -> Dependencies:
    """The pages' tasks together, with the numbers of the last."""
    tasks = [task for each in pages for task in each.tasks]
    return pages[-1].model_copy(update={"tasks": tasks})


def tags() -> Call[Page[Tag]]:
    """The first of the tags that tasks have."""
    return page("/tags", read_by(_TAGS))


def stats(queues: Sequence[str]) -> Call[Page[QueueStats]]:
    """The standing of the first queues; of those that are named, if any are."""
    query = tuple(("queue", queue) for queue in queues)
    return page("/stats", lambda answer: Stats.model_validate_json(answer.body).queues, query)


def me() -> Call[Me]:
    """What the token opens, and the server's state."""
    return Call("GET", "/me", lambda answer: Me.model_validate_json(answer.body))


def doctor() -> Call[Examination]:
    """What the server finds of its MySQL and its Redis."""
    return Call(
        "GET",
        "/admin/doctor",
        lambda answer: Examination.model_validate_json(answer.body),
        # It is asked of servers that may not answer.
        extra_seconds=DOCTOR_SECONDS,
    )


def processes() -> Call[Processes]:
    """The server's processes, and their sweeps."""
    return Call(
        "GET", "/admin/processes", lambda answer: Processes.model_validate_json(answer.body)
    )


def history(queue: str | None, minutes: int) -> Call[History]:
    """How the last minutes went."""
    query = [("minutes", str(minutes))]
    if queue is not None:
        query.append(("queue", queue))
    return Call(
        "GET",
        "/stats/history",
        lambda answer: History.model_validate_json(answer.body),
        tuple(query),
    )


def intervene(action: str, task_id: int, *, along: str | None = None) -> Call[Task]:
    """Pause, resume, cancel or retry a task; `along` its `descendants` or `ancestors` too."""
    return Call(
        "POST",
        f"/admin/tasks/{part(task_id)}/{action}",
        task_of,
        () if along is None else ((along, "true"),),
        extra_seconds=0.0 if along is None else ALL_SECONDS,
        is_repeatable=False,
    )


def queues() -> Call[Page[QueueStats]]:
    """The first queues, for management."""
    return page("/admin/queues", read_by(_QUEUES))


def workers(queues: Sequence[str], seen_within_seconds: int | None) -> Call[Page[RegisteredWorker]]:
    """The first workers; of these queues, and seen lately, where that is asked for."""
    query = tuple(("queue", queue) for queue in queues)
    if seen_within_seconds is not None:
        query += (("seen_within_seconds", str(seen_within_seconds)),)
    return page("/admin/workers", read_by(_WORKERS), query)


def worker(name: str) -> Call[WorkerDetails]:
    """A worker, and what it holds."""
    return Call(
        "GET",
        f"/admin/workers/{part(name)}",
        lambda answer: WorkerDetails.model_validate_json(answer.body),
    )


def set_queue(action: str, name: str) -> Call[QueueState]:
    """Pause or resume a queue."""
    return Call(
        "POST",
        f"/admin/queues/{part(name)}/{action}",
        lambda answer: QueueState.model_validate_json(answer.body),
    )


def queue_settings(name: str) -> Call[QueueSettings]:
    """What is set for a queue."""
    return Call("GET", f"/admin/queues/{part(name)}/settings", _settings)


def set_queue_settings(name: str, settings: Mapping[str, Any]) -> Call[QueueSettings]:
    """Replace what is set for a queue."""
    return Call("PUT", f"/admin/queues/{part(name)}/settings", _settings, body=encode(settings))


def queue_groups(name: str, *, waiting: bool) -> Call[Page[QueueGroup]]:
    """The first page."""
    query = (("waiting", "true"),) if waiting else ()
    return page(f"/admin/queues/{part(name)}/groups", read_by(_GROUPS), query)


def set_queue_group(name: str, group: str, limits: Mapping[str, Any]) -> Call[QueueGroup]:
    """Give a group limits of its own."""
    return Call(
        "PUT",
        _group(name, group),
        lambda answer: QueueGroup.model_validate_json(answer.body),
        body=encode({name: limit for name, limit in limits.items() if limit is not None}),
    )


def unset_queue_group(name: str, group: str) -> Call[None]:
    """Take it away."""
    return Call("DELETE", _group(name, group), nothing)


def _group(name: str, group: str) -> str:
    return f"/admin/queues/{part(name)}/groups/{part(group)}"


def part(value: object) -> str:
    """One part of a path, whatever is in it; of dots alone it would lead up."""
    return quote(str(value), safe="").replace(".", "%2E")


def once(idempotency_key: str | None) -> Headers:
    """Of a call that stores something: once, however often it is sent."""
    return {"Idempotency-Key": idempotency_key or uuid4().hex, **trace.headers()}


def _batch(
    tasks: Iterable[bytes],
    idempotency_key: str | None,
    read: Callable[[Answer], T],
    extra_seconds: float,
) -> Call[T]:
    return Call(
        "POST",
        "/tasks/batch",
        read,
        body=b'{"tasks":[' + b",".join(tasks) + b"]}",
        headers=once(idempotency_key),
        extra_seconds=extra_seconds,
    )


def task_of(answer: Answer) -> Task:
    """The task that an answer is."""
    return Task.model_validate_json(answer.body)


def _settings(answer: Answer) -> QueueSettings:
    return QueueSettings.model_validate_json(answer.body)


_tasks = read_by(_TASKS)


def nothing(_answer: Answer) -> Any:
    """Of an answer without a body."""
    return None
