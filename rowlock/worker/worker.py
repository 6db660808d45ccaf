"""A worker: claims tasks, runs a function of yours for each, and tells how it ended."""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload

import httpx

from rowlock.http.target import target
from rowlock.worker import runner
from rowlock.worker.handlers import Handler, Handlers
from rowlock.worker.leases import ClaimRequest
from rowlock.worker.worker_run import WorkerOptions, WorkerRun

H = TypeVar("H", bound=Handler)


class Worker:
    """Runs up to `concurrency` tasks of `queues` at a time.

        worker = Worker(queues=["images"], concurrency=8)

        @worker.handler("resize")
        async def resize(task, attempt):
            await attempt.progress({"percent": 40})
            return {"bytes": 1234}

        worker.run()

    What a handler returns is the result, and the task is done. What it raises is the error,
    and the task is retried; `Permanent` fails it at once, `Retry` says after what delay.
    Coroutine functions must not block; plain functions run in threads, and may.

    The worker promises a heartbeat within every `lease_seconds`: a task is another's soon
    after a worker died. Cancelled, deleted, or at its deadline, an attempt's coroutine is
    cancelled. A thread cannot be: it runs on, nobody hears what it returns, and its slot is
    used for the next task.
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
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if concurrency < 1:
            raise ValueError("concurrency must be 1 or more")
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
            transport,
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
            "transport": transport,
        }
        self._handlers = Handlers()
        self._worker_run: WorkerRun | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def with_options(self, **changes: Any) -> "Worker":
        """A worker with the same handlers, made with these options in place of this one's."""
        other = Worker(**{**self._given, **changes})
        other._handlers = self._handlers
        return other

    @property
    def name(self) -> str:
        """What its tasks show as `worker`; unless given, this machine and this process."""
        return self._name or f"{socket.gethostname()}-{os.getpid()}"

    @property
    def has_handler(self) -> bool:
        """Whether there is anything it can do."""
        return bool(self._handlers)

    @overload
    def handler(self, title: H) -> H: ...

    @overload
    def handler(self, title: str | None = None) -> Callable[[H], H]: ...

    def handler(self, title: H | str | None = None) -> H | Callable[[H], H]:
        """Have a function called with each task of this title; without one, with any other."""
        if callable(title):
            self._handlers.add(None, title)
            return title

        def add(function: H) -> H:
            self._handlers.add(title, function)
            return function

        return add

    def run(self, *, drain: bool = False) -> None:
        """Work until SIGTERM, SIGINT or SIGHUP; with `drain`, until there is nothing to claim.

        At the first signal nothing more is claimed, and what runs has `grace_seconds` to end;
        the rest is given back, which costs no retry. At the second it is given back at once.
        """
        runner.run(self.run_async(drain=drain), self.stop)

    async def run_async(self, *, drain: bool = False) -> None:
        """The same in a running event loop, until `stop`. Cancelled, it gives back its work."""
        if not self._handlers:
            raise RuntimeError("this worker has no handler; decorate one with @worker.handler()")
        if self._worker_run is not None:
            raise RuntimeError("this worker runs already")
        self._loop = asyncio.get_running_loop()
        # The process may have been forked since this worker was made.
        request = self._options.request._replace(worker=self.name)
        options = self._options._replace(request=request)
        self._worker_run = worker_run = WorkerRun(options, self._handlers, drain=drain)
        running = asyncio.create_task(worker_run.run())
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            worker_run.stop()
            worker_run.stop()
            await running
            raise
        finally:
            self._worker_run = None

    def stop(self) -> None:
        """What a signal does, from any thread; nothing if the worker does not run."""
        if self._loop is not None and (worker_run := self._worker_run) is not None:
            self._loop.call_soon_threadsafe(worker_run.stop)
