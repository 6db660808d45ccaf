"""Handlers that are submitted, and the payloads they are given."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial, wraps
from typing import Any

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from rowlock import AsyncClient, Client, RunningAttempt, Task, Worker
from tests.support.sdk import URL, BlockingThrough, Through, a_worker

pytest_plugins = ["tests.support.sdk_clients"]


class Size(BaseModel, strict=True):
    width: int
    at: datetime
    file_name: str = Field(alias="fileName")


@dataclass
class Mail:
    to: str


class Point(TypedDict):
    x: int


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["blocking", "asyncio", "the worker's own"])
async def test_what_is_submitted_is_done_by_its_function(through: Through, kind: str) -> None:
    worker = a_worker(through, queues=["images"])

    @worker.handler("resize", timeout_seconds=60, retry_limit=5, priority="high", tags=["a"])
    async def resize(size: Size, attempt: RunningAttempt) -> object:
        return [type(size).__name__, size.width, size.at == NOON, size.file_name, attempt.task.id]

    size = Size(width=3, at=NOON, fileName="é")
    if kind == "blocking":
        client = Client(URL, exchange=BlockingThrough(through))
        task = await asyncio.to_thread(partial(resize.submit, size, client=client, retry_limit=0))
    elif kind == "asyncio":
        async with AsyncClient(URL, exchange=through) as awaited:
            task = await resize.submit_async(size, client=awaited, retry_limit=0)
    else:
        task = await resize.submit_async(size, retry_limit=0)
    assert (task.title, task.queue, task.timeout_seconds) == ("resize", "images", 60)
    assert (task.retry_limit, task.priority, task.tags) == (0, "高", ["a"])
    await worker.run_async(drain=True)
    async with AsyncClient(URL, exchange=through) as awaited:
        done = await awaited.get(task.id)
    assert (done.status, done.result) == ("done", ["Size", 3, True, "é", task.id])


async def test_a_payload_that_is_none_fails_its_task_at_once(
    sdk: AsyncClient, through: Through
) -> None:
    worker = a_worker(through)
    called: list[Any] = []

    @worker.handler("coroutine")
    async def coroutine(mail: Mail) -> None:
        called.append(mail)

    @worker.handler("plain")
    def plain(point: Point, attempt: RunningAttempt) -> None:
        called.append(point)

    one = await sdk.submit("coroutine", payload={"too": "x"}, retry_limit=9)
    other = await sdk.submit("plain", payload={"x": "left"}, retry_limit=9)
    await worker.run_async(drain=True)
    for task, field in ((one, "payload.to: Field required"), (other, "payload.x: Input should")):
        failed = await sdk.get(task.id)
        assert (failed.status, failed.current_retry_count) == ("failed", 0)
        assert f"This is not a payload of '{task.title}': {field}" in (failed.error or "")
    assert called == []


@pytest.mark.parametrize("kind", ["coroutine", "plain"])
async def test_what_a_handler_submits_wrongly_is_its_own_error(
    sdk: AsyncClient, through: Through, kind: str
) -> None:
    worker = a_worker(through)

    @worker.handler("mail")
    def mail(mail: Mail) -> None: ...

    @worker.handler("plain")
    def plain(task: Task, attempt: RunningAttempt) -> None:
        mail.submit({})  # type: ignore[arg-type]

    @worker.handler("coroutine")
    async def coroutine(task: Task, attempt: RunningAttempt) -> None:
        await mail.submit_async({})  # type: ignore[arg-type]

    task = await sdk.submit(kind, retry_delay_seconds=3600)
    await worker.run_async(drain=True)
    failed = await sdk.get(task.id)
    assert failed.status == "retrying"
    assert "payload.to: Field required" in (failed.error or "")
    assert f"in {kind}" in (failed.error or "")


async def test_whatever_the_form_of_a_handler_it_gets_what_it_says(
    sdk: AsyncClient, through: Through
) -> None:
    worker = a_worker(through)

    def by_position(*given: Any) -> object:
        return [type(each).__name__ for each in given]

    def by_name(task: Task, *, attempt: RunningAttempt) -> object:
        return by_position(task, attempt)

    def with_default(task, attempt, more=3):  # type: ignore[no-untyped-def]
        return [*by_position(task, attempt), more]  # type: ignore[misc]

    def after_default(mail: Mail, more: int = 3, *, attempt: RunningAttempt) -> object:
        return [*by_position(mail, attempt), more]  # type: ignore[misc]

    def quoted(mail: "Mail", attempt: "RunningAttempt") -> object:
        return by_position(mail, attempt)

    def known_to_a_checker(mail: dict[str, str], attempt: Any) -> object:
        return by_position(mail, attempt)

    known_to_a_checker.__annotations__["attempt"] = "RunningAttempt"

    async def coroutine(mail: Mail) -> object:
        return by_position(mail)

    @wraps(coroutine)
    def decorated(*args: Any, **kwargs: Any) -> object:
        return coroutine(*args, **kwargs)

    class Object:
        def __call__(self, mail: Mail, attempt: RunningAttempt) -> object:
            return by_position(mail, attempt)

    def partly(factor: int, mail: Mail, attempt: RunningAttempt) -> object:
        return [*by_position(mail, attempt), factor]  # type: ignore[misc]

    task_and_attempt, mail_and_attempt = ["Task", "RunningAttempt"], ["Mail", "RunningAttempt"]
    forms: dict[str, tuple[Any, object]] = {
        "by position": (by_position, task_and_attempt),
        "by name": (by_name, task_and_attempt),
        "with a default": (with_default, [*task_and_attempt, 3]),
        "after a default": (after_default, [*mail_and_attempt, 3]),
        "quoted": (quoted, mail_and_attempt),
        "known to a checker": (known_to_a_checker, ["dict", "RunningAttempt"]),
        "decorated": (decorated, ["Mail"]),
        "object": (Object(), mail_and_attempt),
        "method": (Object().__call__, mail_and_attempt),
        "partial": (partial(partly, 7), [*mail_and_attempt, 7]),
        "lambda": (
            lambda task, attempt: [type(task).__name__, type(attempt).__name__],
            task_and_attempt,
        ),
    }
    tasks = {}
    for title, (form, _) in forms.items():
        handler = worker.handler(title)(form)
        # As a handler for others too.
        worker.handler(f"{title} again")(handler)
        for each in (title, f"{title} again"):
            tasks[each] = await sdk.submit(each, payload={"to": "x"}, retry_limit=0)
    await worker.run_async(drain=True)
    for title, (_, given) in forms.items():
        for each in (title, f"{title} again"):
            done = await sdk.get(tasks[each].id)
            assert (done.status, done.result, done.error) == ("done", given, None), each


async def test_a_handler_submits_to_the_server_of_the_copy_that_runs(
    sdk: AsyncClient, through: Through
) -> None:
    nowhere = Worker(url="http://127.0.0.1:1", timeout_seconds=0.1)

    @nowhere.handler("first")
    async def first(task: Task, attempt: RunningAttempt) -> int:
        return (await second.submit_async({"to": "x"})).id

    @nowhere.handler("second")
    def second(task: Task, attempt: RunningAttempt) -> object:
        return task.payload

    task = await sdk.submit("first", retry_limit=0)
    await nowhere.with_options(url=URL, exchange=through).run_async(drain=True)
    done = await sdk.get(task.id)
    assert done.error is None
    assert (await sdk.get(done.result)).result == {"to": "x"}


async def test_submits_of_a_handler_share_a_unique_key(through: Through) -> None:
    worker = a_worker(through)

    @worker.handler("sync")
    async def sync(task: Task, attempt: RunningAttempt) -> object:
        return task.payload

    both = await asyncio.gather(
        *(sync.submit_async(n, unique={"key": "k", "conflict": "replace"}) for n in range(9))
    )
    assert len({task.id for task in both}) == 1
    await worker.run_async(drain=True)
    async with AsyncClient(URL, exchange=through) as client:
        (task,) = [task async for task in client.list()]
    assert (task.status, task.result) == ("done", 8)
