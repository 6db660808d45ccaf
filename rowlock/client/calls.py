"""The client's and the admin's calls: for each, what is sent and how the answer is read."""

from collections.abc import Callable, Iterable, Sequence
from http.client import CREATED
from typing import Any, Final, Generic, NamedTuple, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit
from uuid import uuid4

from pydantic import TypeAdapter

from rowlock.client import trace
from rowlock.client.fields import Changes, Filters, encode_fields, query_of
from rowlock.http.answer import Answer
from rowlock.http.call import Call, Headers, Query
from rowlock.models import Attempt, BulkResult, QueueState, QueueStats, Stats, Tag, Task, Why

T = TypeVar("T")


class Page(NamedTuple, Generic[T]):
    """Some of a list's items, and the call for the next ones."""

    items: list[T]
    next: "Call[Page[T]] | None"


BATCH_SECONDS: Final = 50.0
BULK_SECONDS: Final = 3600.0

_TASKS: Final = TypeAdapter(list[Task])
_ATTEMPTS: Final = TypeAdapter(list[Attempt])
_TAGS: Final = TypeAdapter(list[Tag])
_QUEUES: Final = TypeAdapter(list[QueueStats])


def submit(task: bytes, idempotency_key: str | None) -> Call[Task]:
    """Store a task, encoded already, once however often it is sent."""
    return Call("POST", "/tasks", _task, body=task, headers=_once(idempotency_key))


def submit_one(task: bytes) -> Call[list[Task]]:
    """The same, as a batch of one."""
    return Call("POST", "/tasks", lambda answer: [_task(answer)], body=task, headers=_once(None))


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
        return Call("GET", f"/tasks/{_part(task_id)}", _task)
    query = (("wait_seconds", f"{wait_seconds:g}"),)
    return Call("GET", f"/tasks/{_part(task_id)}", _task, query, extra_seconds=wait_seconds)


def list_tasks(filters: Filters, order: str, page_size: int) -> Call[Page[Task]]:
    """The first page."""
    query = (*query_of(filters), ("order", order), ("limit", str(page_size)))
    return _page("/tasks", _tasks, query)


def patch(task_id: int, changes: Changes) -> Call[Task]:
    """Change a task."""
    return Call("PATCH", f"/tasks/{_part(task_id)}", _task, body=encode_fields(changes))


def delete(task_id: int) -> Call[None]:
    """Delete a task. Gone is gone: a repeated call does not ask who did it."""
    return Call("DELETE", f"/tasks/{_part(task_id)}", _nothing, settled_if_repeated=404)


def attempts(task_id: int) -> Call[Page[Attempt]]:
    """The first of a task's ended attempts."""
    return _page(f"/tasks/{_part(task_id)}/attempts", _read(_ATTEMPTS))


def why(task_id: int) -> Call[Why]:
    """What a task waits for."""
    return Call(
        "GET",
        f"/tasks/{_part(task_id)}/why",
        lambda answer: Why.model_validate_json(answer.body),
    )


def tags() -> Call[Page[Tag]]:
    """The first of the tags that tasks have."""
    return _page("/tags", _read(_TAGS))


def stats(queues: Sequence[str]) -> Call[Page[QueueStats]]:
    """The standing of the first queues; of those that are named, if any are."""
    query = tuple(("queue", queue) for queue in queues)
    return _page("/stats", lambda answer: Stats.model_validate_json(answer.body).queues, query)


def intervene(action: str, task_id: int) -> Call[Task]:
    """Pause, resume, cancel or retry a task."""
    return Call("POST", f"/admin/tasks/{_part(task_id)}/{action}", _task, is_repeatable=False)


def intervene_in_all(action: str, filters: Filters, *, is_dry_run: bool) -> Call[BulkResult]:
    """The same for all that match."""
    query = query_of(filters)
    return Call(
        "POST",
        f"/admin/tasks/{action}",
        lambda answer: BulkResult.model_validate_json(answer.body),
        (*query, ("dry_run", "true")) if is_dry_run else query,
        extra_seconds=BULK_SECONDS,
        is_repeatable=is_dry_run,
    )


def queues() -> Call[Page[QueueStats]]:
    """The first queues, for management."""
    return _page("/admin/queues", _read(_QUEUES))


def set_queue(action: str, name: str) -> Call[QueueState]:
    """Pause or resume a queue."""
    return Call(
        "POST",
        f"/admin/queues/{_part(name)}/{action}",
        lambda answer: QueueState.model_validate_json(answer.body),
    )


def _part(value: object) -> str:
    """One part of a path, whatever is in it; of dots alone it would lead up."""
    return quote(str(value), safe="").replace(".", "%2E")


def _once(idempotency_key: str | None) -> Headers:
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
        headers=_once(idempotency_key),
        extra_seconds=extra_seconds,
    )


def _page(path: str, read: Callable[[Answer], list[T]], query: Query = ()) -> Call[Page[T]]:
    def read_page(answer: Answer) -> Page[T]:
        link = answer.next_page
        if link is None:
            return Page(read(answer), None)
        # Of the link only the query: a proxy may have put the server below a path of its own.
        following = tuple(parse_qsl(urlsplit(link).query, keep_blank_values=True))
        return Page(read(answer), _page(path, read, following))

    return Call("GET", path, read_page, query)


def _read(adapter: TypeAdapter[T]) -> Callable[[Answer], T]:
    return lambda answer: adapter.validate_json(answer.body)


def _task(answer: Answer) -> Task:
    return Task.model_validate_json(answer.body)


_tasks = _read(_TASKS)


def _nothing(_answer: Answer) -> Any:
    return None
