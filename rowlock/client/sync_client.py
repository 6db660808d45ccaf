"""The blocking client; `async_client` has the same for asyncio."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Literal, Self, TypeVar, Unpack

from rowlock.client import calls, schedule_calls, trace, waiting
from rowlock.client.admin import Admin
from rowlock.client.fields import (
    OF_OTHERS,
    Changes,
    Direction,
    Filters,
    NewTask,
    OrderBy,
    TaskFields,
    View,
    encode_fields,
)
from rowlock.client.flow import Flow
from rowlock.client.pages import walk
from rowlock.client.schedules import Occurrences, Schedules
from rowlock.client.submits import Submits
from rowlock.client.upload import Upload
from rowlock.http import flows
from rowlock.http.blocking import Exchange, Transport
from rowlock.http.call import Call
from rowlock.http.retry import RetryBudget
from rowlock.http.target import target
from rowlock.models import Attempt, Cost, Count, Dependencies, History, Me, Stats, Tag, Task, Why

T = TypeVar("T")

# `list` is a method below; inside the class that name means it.
Tasks = list[Task]
Ids = list[int]
Attempts = list[Attempt]
Tags = list[Tag]


class Client:
    """Submits tasks and follows them; threads may share one. `admin` has the admin calls,
    `schedules` those about recurring schedules.

    `url` defaults to `ROWLOCK_URL`. `token` is for the client door, and for the admin door where
    there is no `admin_token`; they default to `ROWLOCK_CLIENT_TOKEN` and `ROWLOCK_ADMIN_TOKEN`, and
    these to `ROWLOCK_TOKEN`, or where a call only reads first to `ROWLOCK_VIEWER_TOKEN`. A call
    that the server does not answer within `timeout_seconds`, or answers with 503 or 429, is sent
    again, unless it could then happen twice. A call ends within `retry_seconds`, or after its first
    try if `timeout_seconds` is longer; a batch, or a bulk action, may take its time on top of that.
    Every call may raise `RowlockError`.

    A forked process opens its own connections. Loopback addresses are always reached directly;
    for others, `HTTP_PROXY` and the like apply. Certificates are those that Python trusts;
    `SSL_CERT_FILE` names others. `exchange` sends the requests instead, in tests say.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        admin_token: str | None = None,
        timeout_seconds: float = 10.0,
        retry_seconds: float = 15.0,
        exchange: Exchange | None = None,
    ) -> None:
        self._budget = RetryBudget(retry_seconds, timeout_seconds)
        self._transport = Transport(target(url, token, admin_token), exchange)
        self._submits = Submits(self._ask_until, self._budget.seconds)
        self.admin = Admin(self.ask)
        self.schedules = Schedules(self.ask)

    def submit(
        self, title: str, *, idempotency_key: str | None = None, **fields: Unpack[TaskFields]
    ) -> Task:
        """Store a task. Repeating a call with the same key stores nothing new.

        Submits at the same time that name no key and no other tasks may share one call.
        """
        body = encode_fields({"title": title, **fields})
        with trace.submitting(fields.get("queue", "default")) as span:
            is_shared = idempotency_key is None and not OF_OTHERS & fields.keys()
            if is_shared and span.traceparent is None:
                task = self._submits.submit(body)
            else:
                task = self.ask(calls.submit(body, idempotency_key))
            span.stored([task.id])
        return task

    def submit_batch(
        self, tasks: Sequence[NewTask], *, idempotency_key: str | None = None
    ) -> Tasks:
        """Store up to 1,000 tasks in one call; either all are stored or none."""
        with trace.submitting(None) as span:
            call = calls.submit_batch(map(encode_fields, tasks), idempotency_key)
            stored = self.ask(call)
            span.stored([task.id for task in stored])
        return stored

    def submit_many(
        self,
        tasks: Iterable[NewTask],
        *,
        batch_size: int = 500,
        idempotency_key: str | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> Ids:
        """Store any number of tasks, batch by batch. Returns their ids, in order.

        `progress` is called after each batch with the number stored so far. With your own
        `idempotency_key`, an interrupted run can be repeated: nothing is stored twice.
        """
        upload = Upload(batch_size, idempotency_key, progress, self._budget)
        with trace.submitting(None) as span:
            for task in tasks:
                if batch := upload.add(task):
                    self._transport.run(upload.store(batch))
            if batch := upload.rest():
                self._transport.run(upload.store(batch))
            span.stored(upload.ids)
        return upload.ids

    def flow(self, *, idempotency_key: str | None = None) -> Flow:
        """Tasks that depend on each other, stored together at the end of the `with` block.
        With your own `idempotency_key`, storing the same flow again stores nothing new."""
        return Flow(self._transport.run, self._budget, idempotency_key)

    def get(self, task_id: int) -> Task:
        """Get a task."""
        return self.ask(calls.get(task_id))

    def wait(self, task_id: int, timeout_seconds: float | None = None) -> Task:
        """Wait until the task has ended, and return it. Raises `WaitTimeoutError` after
        `timeout_seconds`."""
        return self._transport.run(waiting.wait(task_id, timeout_seconds, self._budget))

    def list(
        self,
        *,
        order: Literal["asc", "desc"] = "desc",
        order_by: OrderBy = "created_at",
        view: View = "full",
        page_size: int = 200,
        **filters: Unpack[Filters],
    ) -> Iterator[Task]:
        """All tasks that match, newest first by default, fetched page by page as needed.

        `order_by="available_at"`: those that wait for their time, by that. `view="summary"`:
        without their long fields, which may be large.
        """
        call = calls.list_tasks(filters, order, page_size, order_by=order_by, view=view)
        yield from walk(self.ask, call)

    def count(self, *, limit: int = 100_000, **filters: Unpack[Filters]) -> Count:
        """How many tasks match. What the server does not know is counted up to `limit`."""
        return self.ask(calls.count(filters, limit))

    def cost(
        self,
        *,
        order: Literal["asc", "desc"] = "desc",
        order_by: OrderBy = "created_at",
        page_size: int = 200,
        **filters: Unpack[Filters],
    ) -> Cost:
        """What a page of that list would have MySQL read; nothing is read for it."""
        return self.ask(calls.cost(filters, order, order_by, page_size))

    def patch(self, task_id: int, **changes: Unpack[Changes]) -> Task:
        """Change a task; fields that are not named stay."""
        return self.ask(calls.patch(task_id, changes))

    def delete(self, task_id: int) -> None:
        """Delete a task in any state."""
        return self.ask(calls.delete(task_id))

    def attempts(self, task_id: int) -> Attempts:
        """All attempts of a task."""
        return [*walk(self.ask, calls.attempts(task_id))]

    def why(self, task_id: int) -> Why:
        """Explain what a task waits for."""
        return self.ask(calls.why(task_id))

    def dependencies(self, task_id: int, *, direction: Direction = "parents") -> Dependencies:
        """What a task depends on, or with `direction` `children` what depends on it."""
        pages = [*walk(self.ask, calls.dependencies(task_id, direction))]
        return calls.as_one(pages)

    def tags(self) -> Tags:
        """All tags in use, with their number of tasks."""
        return [*walk(self.ask, calls.tags())]

    def stats(self, *queues: str) -> Stats:
        """The state and recent throughput of each queue, or of those named."""
        return Stats(queues=[*walk(self.ask, calls.stats(queues))])

    def me(self) -> Me:
        """What the token opens, and the server's version, time and state."""
        return self.ask(calls.me())

    def history(self, queue: str | None = None, *, minutes: int = 60) -> History:
        """How the last `minutes` went in a queue, or in all together: minute by minute up to an
        hour, hour by hour up to 14 days (20,160)."""
        return self.ask(calls.history(queue, minutes))

    def cron(self, expression: str, timezone: str = "UTC", count: int = 10) -> Occurrences:
        """Try a cron expression: its next occurrences, at most `count` (1 to 100)."""
        return self.ask(schedule_calls.preview(expression, timezone, count))

    def ask(self, call: Call[T]) -> T:
        """Send any call and return its answer."""
        return self._transport.run(flows.ask(call, self._budget))

    def _ask_until(self, call: Call[T], until: float) -> T:
        return self._transport.run(flows.ask(call, self._budget, until=until))

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
