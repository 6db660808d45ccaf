"""A worker: claims tasks, calls a function for each, and reports the result."""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar, Unpack, overload

from rowlock.client.fields import TaskDefaults
from rowlock.client.schedule_fields import ScheduleOptions
from rowlock.http.asynchronous import AsyncExchange
from rowlock.http.target import target
from rowlock.worker import runner, supervised
from rowlock.worker.clients import Clients
from rowlock.worker.handler_schedules import HandlerSchedules, timing_of
from rowlock.worker.handlers import Handler, Handlers
from rowlock.worker.leases import ClaimRequest
from rowlock.worker.lifespans import AroundFunction, LifespanFunction, opened
from rowlock.worker.log import log
from rowlock.worker.log_lines import log_start
from rowlock.worker.registration import Registration, registration
from rowlock.worker.schedule_puts import put_schedules
from rowlock.worker.supervisor import Supervisor
from rowlock.worker.worker_run import WorkerOptions, WorkerRun

H = TypeVar("H", bound=Handler)
L = TypeVar("L", bound=LifespanFunction)
A = TypeVar("A", bound=AroundFunction)


class Worker:
    """Runs up to `concurrency` tasks of `queues` at a time.

        worker = Worker(queues=["images"], concurrency=8)

        @worker.handler("resize")
        async def resize(task, attempt):
            await attempt.progress({"percent": 40})
            return {"bytes": 1234}

        if __name__ == "__main__":
            worker.run()

    If a handler returns, its value is the result and the task is done. If it raises, the
    exception is the error and the task is retried; `Permanent` fails it at once, `Retry` sets
    the delay. Coroutine functions must not block; plain functions run in threads, and may.
    `resize.submit({"width": 640})`, in any process, stores a task for it.

    The worker sends heartbeats within `lease_seconds`; if it dies, its tasks are retried soon
    after that. If a task is cancelled, deleted, or at its deadline, the coroutine is cancelled.
    A thread cannot be: it runs on, its result is ignored, and its slot is used for the next
    task.

    With `processes`, `run` starts so many processes, for work that keeps a processor busy; each
    runs up to `concurrency` tasks. After `max_tasks_per_process` tasks a process is replaced.
    """

    def __init__(
        self,
        queues: str | Sequence[str] = ("default",),
        concurrency: int = 1,
        *,
        name: str | None = None,
        url: str | None = None,
        token: str | None = None,
        lease_seconds: int = 30,
        grace_seconds: float = 30.0,
        poll_seconds: float = 30.0,
        timeout_seconds: float = 10.0,
        processes: int = 1,
        max_tasks_per_process: int | None = None,
        exchange: AsyncExchange | None = None,
    ) -> None:
        if concurrency < 1:
            raise ValueError("concurrency must be 1 or more")
        if not queues:
            raise ValueError("queues must be one or more")
        if processes < 1 or (max_tasks_per_process is not None and max_tasks_per_process < 1):
            raise ValueError("processes and max_tasks_per_process must be 1 or more")
        self._processes = processes
        self._max_tasks = max_tasks_per_process
        self._name = name
        self._options = WorkerOptions(
            target(url, token),
            ClaimRequest(
                self.name, (queues,) if isinstance(queues, str) else tuple(queues), lease_seconds
            ),
            concurrency,
            grace_seconds,
            poll_seconds,
            timeout_seconds,
            exchange,
            max_tasks_per_process,
        )
        self._given: dict[str, Any] = {
            "queues": queues,
            "concurrency": concurrency,
            "name": name,
            "url": url,
            "token": token,
            "lease_seconds": lease_seconds,
            "grace_seconds": grace_seconds,
            "poll_seconds": poll_seconds,
            "timeout_seconds": timeout_seconds,
            "processes": processes,
            "max_tasks_per_process": max_tasks_per_process,
            "exchange": exchange,
        }
        self._handlers = Handlers()
        self._schedules = HandlerSchedules(self._handlers)
        self._clients = Clients(url, token, timeout_seconds=timeout_seconds, exchange=exchange)
        self._worker_run: WorkerRun | None = None
        self._running: asyncio.Task[Any] | None = None
        self._is_opening = False
        self._stops = 0
        self._is_broken_off = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def with_options(self, **changes: Any) -> "Worker":
        """A copy of this worker with the same handlers and with these options changed."""
        other = Worker(**{**self._given, **changes})
        other._handlers, other._schedules = self._handlers, self._schedules
        other._clients.stand_in_for(self._clients)
        return other

    @property
    def name(self) -> str:
        """The name shown in its tasks as `worker`; by default the host and the process id. A
        given name is followed by the process id where `processes` share it."""
        if self._name and not self.is_supervisor:
            return self._name
        return f"{self._name or socket.gethostname()}-{os.getpid()}"

    @property
    def is_supervisor(self) -> bool:
        """Whether `run` starts processes that do the work, for `processes` or
        `max_tasks_per_process`."""
        return self._processes > 1 or self._max_tasks is not None

    @property
    def has_handler(self) -> bool:
        """Whether any handler is registered."""
        return bool(self._handlers)

    @overload
    def handler(self, title: H) -> H: ...

    @overload
    def handler(self, title: None = None) -> Callable[[H], H]: ...

    @overload
    def handler(self, title: str, **defaults: Unpack[TaskDefaults]) -> Registration: ...

    def handler(self, title: Handler | str | None = None, **defaults: Unpack[TaskDefaults]) -> Any:
        """Register a function for tasks with this title; without a title, for all others.

        Its first parameter is the task or, annotated with another type than `Task`, the task's
        payload, made into that by pydantic: a model, a dataclass, a `TypedDict`. A payload that
        cannot be made into it fails the task without a retry. The attempt is the second one
        without an annotation, or the one that is annotated `RunningAttempt`.

        With a title the function becomes a `TaskHandler`, which submits tasks too; `defaults`
        are theirs. Their queue is the first of this worker's, unless it is given.

        Raises `ValueError` for a function that cannot be called like this.
        """
        if callable(title):
            return self.handler()(title)
        if title is None and defaults:
            raise TypeError("only tasks with a title have defaults")
        fields: TaskDefaults = {"queue": self._options.request.queues[0], **defaults}
        return registration(self._handlers, self._schedules, self._clients, title, fields)

    def schedule(
        self,
        cron: str | None = None,
        *,
        every_seconds: int | None = None,
        name: str | None = None,
        payload: Any = None,
        **options: Unpack[ScheduleOptions],
    ) -> Callable[[H], H]:
        """Have a task of this handler submitted at each occurrence of a cron expression, or every
        so many seconds; the decorator stands above or below `@worker.handler("title")`.

            @worker.schedule("30 2 * * *", timezone="Europe/Berlin")
            @worker.handler("nightly report", queue="reports", timeout_seconds=1800)
            def report(task, attempt): ...

        The schedule is put on the server when the worker starts, before its first claim; its `name`
        is the title unless it is given. The task has the handler's defaults and this `payload`;
        `options` are those of `client.schedules.put`. Raises `ValueError` for a payload that the
        handler does not take, and for two schedules of one name.
        """
        timing = timing_of(cron, every_seconds, options)

        def declare(function: H) -> H:
            self._schedules.declare(function, name=name, timing=timing, payload=payload)
            return function

        return declare

    def lifespan(self, function: L) -> L:
        """Register what is open while the worker runs: an async context manager, or an
        `async def` that yields once, without a parameter.

            @worker.lifespan
            async def pool() -> AsyncIterator[Pool]:
                async with create_pool() as pool:
                    yield pool

        A handler that is registered after it gets what it yields by a parameter that is
        annotated with that type. Several are opened in order and closed in reverse. One that
        fails ends the worker with a `LifespanError`. Raises `ValueError` for what is none.
        """
        self._handlers.add_lifespan(function)
        return function

    def around(self, function: A) -> A:
        """Register what is around every attempt: an async context manager, or an `async def`
        that yields once, called with the task and the attempt.

            @worker.around
            async def measured(task: Task, attempt: RunningAttempt) -> AsyncIterator[None]:
                with histogram.labels(task.title).time():
                    yield

        What the handler raises, it sees; what it raises itself, is told as if the handler had.
        Several are entered in order and left in reverse. Raises `ValueError` for what cannot be
        one.
        """
        self._handlers.add_around(function)
        return function

    def run(self, *, drain: bool = False) -> None:
        """Run until SIGTERM, SIGINT or SIGHUP; with `drain`, until there is no task to claim.

        After the first signal no more tasks are claimed, and running ones have `grace_seconds` to
        end; the rest are released, which does not count as a retry. A second signal releases
        them at once.

        Raises `StuckHandlersError` when `concurrency` + 8 threads are held by handlers that have
        not ended although their attempts are over; running tasks may end first. Raises
        `UnexpectedAnswerError` where no Rowlock server answers, `ScheduleError` for a schedule
        that the server refuses, and with `drain` another `RowlockError` when the server was away
        for 15 s. In a running event loop use `run_async`.

        With `processes` or `max_tasks_per_process` this process starts others, and passes the
        signals on. Each of them runs this program anew up to this call; one that dies is
        replaced. Raises `WorkerProcessError` where they cannot start.
        """
        if self.is_supervisor and not supervised.is_supervised():
            runner.refuse_in_import()
            runner.refuse_in_loop()
            Supervisor(self._processes, drain=drain).run()
            return
        supervised.run(self.run_async(drain=drain), self.stop)

    async def run_async(self, *, drain: bool = False) -> None:
        """Run in the current event loop, until `stop`. If cancelled, it releases its tasks.

        Raises `LifespanError` if a lifespan failed, `ScheduleError` for a schedule that cannot be
        put, and `RuntimeError` where `processes` or
        `max_tasks_per_process` are for `run` to see to.
        """
        runner.refuse_in_import()
        if self.is_supervisor and not supervised.is_supervised():
            raise RuntimeError("a worker with processes is run by `worker.run()`")
        if not self._handlers:
            raise RuntimeError("this worker has no handler; decorate one with @worker.handler()")
        if self._running is not None:
            raise RuntimeError("this worker is already running")
        schedules = self._schedules.encoded()
        self._loop = asyncio.get_running_loop()
        self._running = running = asyncio.current_task()
        self._is_opening, self._stops, self._is_broken_off = True, 0, False
        try:
            async with opened(self._handlers.lifespans) as resources:
                self._is_opening = False
                await self._work(self._handlers.given(resources), schedules, drain=drain)
        except asyncio.CancelledError:
            if not self._is_broken_off or running is None:
                raise
            running.uncancel()
            log.error("the lifespans were broken off")
        finally:
            self._running = None

    async def _work(
        self, handlers: Handlers, schedules: Mapping[str, bytes], *, drain: bool
    ) -> None:
        # The process may have been forked since this worker was made.
        request = self._options.request._replace(worker=self.name)
        options = self._options._replace(request=request)
        log_start(
            self.name,
            server=str(options.target.url),
            queues=request.queues,
            titles=handlers.titles,
            slots=options.concurrency,
        )
        begin = partial(put_schedules, schedules, self._clients.target, options, drain=drain)
        self._worker_run = worker_run = WorkerRun(options, handlers, drain=drain, begin=begin)
        with self._clients.running():
            working = asyncio.create_task(worker_run.run())
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError:
            worker_run.stop()
            worker_run.stop()
            await working
            raise
        finally:
            self._worker_run = None

    def stop(self) -> None:
        """Stop like the first signal, from any thread; nothing if it is not running."""
        if self._loop is not None and self._running is not None:
            self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        self._stops += 1
        if self._worker_run is not None:
            self._worker_run.stop()
        elif self._running is not None and (self._is_opening or self._stops > 1):
            # What a lifespan waits for may never come.
            self._is_broken_off = True
            self._running.cancel()
