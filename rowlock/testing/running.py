"""Handlers that run in a test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any, Literal, Unpack

from pydantic_core import from_json

from rowlock.client.pages import Page
from rowlock.http.call import Call
from rowlock.models import Lease, Parent, Task
from rowlock.testing.lease import Made, a_lease, parents
from rowlock.testing.outcome import Outcome
from rowlock.worker.attempt import RELEASED, RunningAttempt
from rowlock.worker.execution import Execution, Work
from rowlock.worker.finishes import FinishItem
from rowlock.worker.lifespans import opened
from rowlock.worker.task_handler import TaskHandler
from rowlock.worker.threads import Threads
from rowlock.worker.worker import Worker


class RunningHandler:
    """A handler that runs. `attempt` is what it was given."""

    def __init__(self, lease: Lease, work: Work, found: list[Parent]) -> None:
        self._loop = asyncio.get_running_loop()
        self._progress: list[Any] = []
        self._news = asyncio.Event()
        self._seen = 0
        self._exception: BaseException | None = None
        self._ended: asyncio.Future[FinishItem | None] = self._loop.create_future()
        self._work = work
        self._found = found
        self._execution = Execution(
            lease,
            self._noting,
            ended=self._end,
            progressed=lambda _: self._news.set(),
            ask=self._parents,
        )
        self.attempt = self._execution.attempt

    @property
    def outcome(self) -> Outcome:
        """How the attempt ended. Raises `RuntimeError` while it runs."""
        if not self._ended.done():
            raise RuntimeError("the handler still runs; its outcome is there after the block")
        finish = self._ended.result()
        said = {} if finish is None else from_json(finish.item)
        if self.attempt.lost is not None and said.get("outcome") != "complete":
            outcome = self.attempt.lost
        else:
            outcome = {"complete": "done", "fail": "failed"}.get(said["outcome"], RELEASED)
        return Outcome(
            outcome=outcome,
            status=self._status_after(outcome, is_retryable=said.get("retryable", True)),
            result=said.get("result"),
            error=said.get("error"),
            exception=self._exception,
            retry_after_seconds=said.get("retry_after_seconds"),
            progress=list(self._progress),
            then=said.get("submit", []),
        )

    async def progressed(self) -> Any:
        """The next progress that the handler reports, or has reported already. Raises
        `RuntimeError` if it ends without any."""
        while self._seen == len(self._progress):
            if self._ended.done():
                raise RuntimeError("the handler has ended, and reported no more progress")
            self._news.clear()
            await self._news.wait()
        self._seen += 1
        return self._progress[self._seen - 1]

    def cut(
        self, why: Literal["cancelled", "deleted", "lost", "released", "timed_out"] = "cancelled"
    ) -> None:
        """Take the attempt away, as the worker does: when somebody has cancelled or deleted the
        task, when its lease was lost, when the worker stops, or at the deadline."""
        self._execution.cut(why)

    async def end(self) -> None:
        """Return when it has ended, or was left to itself 10 s after it was cut."""
        await asyncio.wait([self._ended])

    async def _parents(self, _call: Call[Page[Parent]]) -> Page[Parent]:
        return Page(self._found, None)

    async def _noting(self, task: Task, attempt: RunningAttempt) -> bytes:
        tell = attempt._tell

        def note() -> None:
            self._progress.append(from_json(attempt.progress_json))
            tell()

        attempt._tell = note
        try:
            return await self._work(task, attempt)
        except BaseException as error:
            self._exception = error
            raise

    def _end(self, _execution: Execution, finish: FinishItem | None) -> None:
        self._ended.set_result(finish)
        self._news.set()

    def _status_after(self, outcome: str, *, is_retryable: bool) -> str | None:
        if outcome in ("failed", "timed_out", "lost"):
            task = self.attempt.task
            has_retries = task.current_retry_count < task.retry_limit
            return "retrying" if is_retryable and has_retries else "failed"
        return {"done": "done", "cancelled": "cancelled", RELEASED: "to_do"}.get(outcome)


@asynccontextmanager
async def start(
    handler: TaskHandler[..., Any, Any] | Worker, payload: Any = None, **made: Unpack[Made]
) -> AsyncIterator[RunningHandler]:
    """Start a handler; at the end of the block wait until it has ended.

        async with testing.start(resize, {"path": "a.png"}) as running:
            assert await running.progressed() == {"percent": 40}
            running.cut("cancelled")
        assert running.outcome.status == "cancelled"

    It runs as in a worker: with what is around it, with the lifespans, a plain function in a
    thread. Of a `Worker` the handler for `title` is run.

    Raises `TypeError` for what is no field of a task, and `LifespanError`.
    """
    if isinstance(handler, Worker):
        handlers = handler._handlers
    else:
        handlers = handler.handlers
        made = {"title": handler.title, **handler.defaults, **made}
    lease = a_lease(payload, made)
    opening = nullcontext(made["resources"]) if "resources" in made else opened(handlers.lifespans)
    threads = Threads(1, lambda _: None)
    try:
        async with opening as resources:
            work = handlers.given(resources).work_for(lease.task, threads)
            running = RunningHandler(lease, work, parents(made))
            try:
                yield running
                await running.end()
            except BaseException:
                running.cut(RELEASED)
                await running.end()
                raise
    finally:
        threads.close()


async def run_async(
    handler: TaskHandler[..., Any, Any] | Worker, payload: Any = None, **made: Unpack[Made]
) -> Outcome:
    """Run a handler to its end: `start`, with nothing in between."""
    async with start(handler, payload, **made) as running:
        pass
    return running.outcome


def run(
    handler: TaskHandler[..., Any, Any] | Worker, payload: Any = None, **made: Unpack[Made]
) -> Outcome:
    """The same, where no event loop runs."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run_async(handler, payload, **made))
    raise RuntimeError("an event loop runs here: await run_async")
