"""The SDK against the API of a test: through a transport that counts calls and can spoil them."""

import asyncio
import inspect
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from rowlock import AsyncClient, Client, Lease, Parent, RunningAttempt, Task, Worker
from rowlock.client.pages import Page
from rowlock.http.answer import Answer, NotAnsweredError
from rowlock.http.request import Request

Answering = Callable[[], Awaitable[Answer]]
Fault = Callable[[Answering], Awaitable[Answer]]

URL = "http://127.0.0.1"
HEARTBEAT = "POST /leases/heartbeat"
FINISH = "POST /leases/finish"
CLAIM = "POST /leases"

A_TASK: dict[str, Any] = {
    "id": 7,
    "title": "a task",
    "description": None,
    "status": "to_do",
    "priority": "高",
    "tags": ["核心业务"],
    "due_date": None,
    "timeout_seconds": 300,
    "retry_limit": 3,
    "current_retry_count": 0,
    "created_at": "2026-01-31T08:00:00.123456Z",
    "updated_at": "2026-01-31T08:00:00Z",
    "completed_at": None,
    "queue": "default",
    "payload": {"path": "/x"},
    "result": None,
    "error": None,
    "attempt": 0,
    "worker": None,
    "available_at": None,
    "started_at": None,
    "retry_delay_seconds": 5,
    "retry_backoff": "exponential",
    "progress": None,
}
A_LEASE = {
    "lease_id": f"7.{'0' * 32}",
    "attempt": 1,
    "deadline": "2026-01-31T08:05:00Z",
    "expires_at": "2026-01-31T08:00:30Z",
    "task": A_TASK | {"status": "in_progress", "started_at": "2026-01-31T08:00:00Z"},
}

_LEASE_ID = re.compile(r"(?<=/leases)/[0-9]+\.[0-9a-f]{32}")


class Through:
    """Takes the SDK's calls to `api`, and notes each as its method and path; a heartbeat or a
    finish without the lease."""

    def __init__(self, api: httpx.AsyncClient) -> None:
        self.calls: list[str] = []
        self.bodies: list[bytes] = []
        self._answered: list[str] = []
        self._news = asyncio.Condition()
        self._api = api
        self._faults: list[tuple[str, Fault]] = []
        self._outage: Fault | None = None

    def spoil(self, call: str, *faults: Fault) -> None:
        """Have the next calls of this method and path go wrong, one by one."""
        self._faults += [(call, fault) for fault in faults]

    def break_down(self, fault: Fault | None) -> None:
        """Have every call go wrong, until told None."""
        self._outage = fault

    def count(self, call: str) -> int:
        return self.calls.count(call)

    async def answered(self, call: str, times: int = 1) -> None:
        """Return when so many calls of this kind are over, well or not."""
        async with self._news, asyncio.timeout(20):
            await self._news.wait_for(lambda: self._answered.count(call) >= times)

    async def send(self, request: Request, seconds: float) -> Answer:
        path = _LEASE_ID.sub("", request.target.partition("?")[0])
        call = f"{request.method} {path}"
        self.calls.append(call)
        self.bodies.append(request.body or b"")
        try:
            async with asyncio.timeout(seconds):
                return await self._answer(call, request)
        except TimeoutError as error:
            raise NotAnsweredError("no answer in time", may_have_arrived=True) from error
        finally:
            self._answered.append(call)
            async with self._news:
                self._news.notify_all()

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _answer(self, call: str, request: Request) -> Answer:
        async def answer() -> Answer:
            found = await self._api.request(
                request.method, request.target, content=request.body, headers=request.headers
            )
            return as_answer(found)

        if self._outage is not None:
            return await self._outage(answer)
        for position, (spoilt, fault) in enumerate(self._faults):
            if spoilt == call:
                del self._faults[position]
                return await fault(answer)
        return await answer()


class BlockingThrough:
    """The same for the blocking client, which another thread than the API's calls."""

    def __init__(self, through: Through) -> None:
        self._through = through
        self._loop = asyncio.get_running_loop()

    def send(self, request: Request, seconds: float) -> Answer:
        sending = self._through.send(request, seconds)
        return asyncio.run_coroutine_threadsafe(sending, self._loop).result()

    def close(self) -> None:
        """Nothing is kept open."""


def as_answer(response: httpx.Response) -> Answer:
    """What another HTTP library was answered."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, response.content)


class Face:
    """Either client (or its `admin`, its `schedules`), every verb awaited; lists are read to their
    end."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, verb: str) -> Any:
        found = getattr(self._client, verb)
        if not callable(found):
            return Face(found)

        async def call(*arguments: Any, **options: Any) -> Any:
            if asyncio.iscoroutinefunction(found):
                return await found(*arguments, **options)
            if inspect.isasyncgenfunction(found):
                return [each async for each in found(*arguments, **options)]

            def blocking() -> Any:
                answer = found(*arguments, **options)
                return list(answer) if isinstance(answer, Iterator) else answer

            return await asyncio.to_thread(blocking)

        return call


def face_of(kind: str, through: Through, **options: Any) -> Face:
    """The `blocking` or the `asyncio` client."""
    if kind == "asyncio":
        return Face(AsyncClient(URL, exchange=through, **options))
    return Face(Client(URL, exchange=BlockingThrough(through), **options))


async def request_lost(_answer: Answering) -> Answer:
    """The call does not arrive."""
    raise NotAnsweredError("no route to host", may_have_arrived=False)


async def answer_lost(answer: Answering) -> Answer:
    """The call is carried out, and the caller does not hear of it."""
    await answer()
    raise NotAnsweredError("connection reset by peer", may_have_arrived=True)


def refused(status: int, **headers: str) -> Fault:
    """The call does not arrive where it should; somebody else answers."""

    async def refuse(_answer: Answering) -> Answer:
        document = {"title": "Not now", "detail": "said the proxy", "status": status}
        named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        return Answer(status, named, json.dumps(document).encode())

    return refuse


class Held:
    """The answer is there, and waits to be let go."""

    def __init__(self) -> None:
        self.is_there = asyncio.Event()
        self.let_go = asyncio.Event()

    async def __call__(self, answer: Answering) -> Answer:
        found = await answer()
        self.is_there.set()
        await self.let_go.wait()
        return found


class HeldWork:
    """A handler whose every call waits to be let go; it counts how many run at once."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.began: asyncio.Queue[int] = asyncio.Queue()
        self._let_go: asyncio.Queue[None] = asyncio.Queue()
        self.lost: list[str | None] = []

    async def __call__(self, task: Task, attempt: RunningAttempt) -> str:
        self.running += 1
        self.most = max(self.most, self.running)
        self.began.put_nowait(task.id)
        try:
            await self._let_go.get()
        finally:
            self.running -= 1
            self.lost.append(attempt.lost)
        return "done"

    def let_go(self, count: int) -> None:
        for _ in range(count):
            self._let_go.put_nowait(None)

    async def have_begun(self, count: int) -> list[int]:
        async with asyncio.timeout(20):
            return [await self.began.get() for _ in range(count)]


def a_worker(through: Through, **options: Any) -> Worker:
    """A worker over this transport, which asks often: it cannot hang up on a poll."""
    options.setdefault("poll_seconds", 0.2)
    return Worker(url=URL, exchange=through, **options)


@asynccontextmanager
async def working(worker: Worker) -> AsyncIterator[asyncio.Task[None]]:
    """The worker at work; stopped at the end, in order and in time."""
    running = asyncio.create_task(worker.run_async())
    try:
        yield running
    finally:
        worker.stop()
        async with asyncio.timeout(20):
            await running


def an_attempt(
    tell: Callable[[], object] = lambda: None, lease: Lease | None = None
) -> RunningAttempt:
    """One of no worker; its task depends on nothing."""

    async def nothing(_call: object) -> Page[Parent]:
        return Page([], None)

    loop = asyncio.get_running_loop()
    return RunningAttempt(lease or Lease.model_validate(A_LEASE), tell, loop=loop, ask=nothing)
