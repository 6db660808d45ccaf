"""A handler that can be submitted: still the function, typed, and strict with payloads.

The types are held by `make check`: `assert_type`, and each `type: ignore` has to be needed.
"""

import asyncio
import inspect
import sys
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import date
from typing import Any, assert_type

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from rowlock import (
    AsyncClient,
    Client,
    NotAllowedError,
    PayloadError,
    RowlockError,
    RunningAttempt,
    Task,
    TaskHandler,
    Worker,
)
from rowlock.http.answer import Answer
from rowlock.http.request import Request
from tests.support.sdk import A_TASK

worker = Worker(queues=["images", "mails"])


class Size(BaseModel):
    width: int
    height: int = 10


@dataclass
class Mail:
    to: str
    on: date


class Point(TypedDict):
    x: int


@worker.handler("resize", timeout_seconds=60, retry_limit=5, priority="high")
async def resize(size: Size, attempt: RunningAttempt) -> int:
    """Make an image smaller."""
    return size.width * size.height


@worker.handler("mail", queue="mails")
def mail(mail: Mail) -> str:
    return f"{mail.to} on {mail.on:%d.%m.}"


@worker.handler("draw")
def draw(point: Point, attempt: RunningAttempt) -> int:
    return point["x"]


@worker.handler("any")
def anything(task: Task, attempt: RunningAttempt) -> str:
    return task.title


class Submitted:
    """In a client's place; what was to be submitted."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}

    def submit(self, title: str, **fields: Any) -> Task:
        self.fields = {"title": title, **fields}
        return Task.model_validate(A_TASK)


async def test_it_is_still_the_function() -> None:
    assert await resize(Size(width=3), None) == 30  # type: ignore[arg-type]
    assert (resize.__name__, resize.__doc__) == ("resize", "Make an image smaller.")
    assert [*inspect.signature(resize).parameters] == ["size", "attempt"]
    assert mail(Mail("a", date(2026, 1, 31))) == "a on 31.01."
    if sys.version_info >= (3, 12):
        assert inspect.iscoroutinefunction(resize)
        assert not inspect.iscoroutinefunction(mail)


def test_types_are_those_of_the_function() -> None:
    def typed(attempt: RunningAttempt, task: Task, client: Client) -> None:
        _ = assert_type(resize(Size(width=1), attempt=attempt), Coroutine[Any, Any, int])
        assert_type(mail(Mail("a", date(2026, 1, 31))), str)
        assert_type(anything(task, attempt), str)
        assert_type(resize.submit(Size(width=1), client=client, queue="other"), Task)
        draw.submit({"x": 1})
        anything.submit([1, "of any type"])
        _ = resize({"width": 1}, attempt)  # type: ignore[arg-type]
        resize.submit({"width": 1})  # type: ignore[arg-type]
        draw.submit({"y": 1})  # type: ignore[typeddict-item]
        mail.submit(Size(width=1))  # type: ignore[arg-type]
        resize.submit(Size(width=1), retries=3)  # type: ignore[call-arg]
        worker.handler("x", qeue="y")  # type: ignore[call-overload]

    assert callable(typed)


def test_defaults_stand_with_the_function_and_a_call_counts_more() -> None:
    submitted: Any = Submitted()
    resize.submit(Size(width=3), client=submitted, retry_limit=0, idempotency_key="k")
    assert submitted.fields == {
        "title": "resize",
        "queue": "images",
        "timeout_seconds": 60,
        "retry_limit": 0,
        "priority": "high",
        "payload": Size(width=3),
        "idempotency_key": "k",
    }
    mail.submit(Mail("a", date(2026, 1, 31)), client=submitted)
    assert submitted.fields["queue"] == "mails"


@pytest.mark.parametrize(
    ("handler", "payload", "fields"),
    [
        (resize, {"width": "wide"}, ["payload.width"]),
        (resize, {}, ["payload.width"]),
        (resize, None, ["payload"]),
        (mail, {"to": 1}, ["payload.to", "payload.on"]),
        (draw, {"x": "left"}, ["payload.x"]),
        (draw, {"x": object()}, ["payload"]),
        (resize, Size(width=1).model_copy(update={"width": "wide"}), ["payload.width"]),
    ],
)
async def test_what_is_no_payload_is_refused_before_it_is_sent(
    handler: TaskHandler[Any, Any, Any], payload: Any, fields: list[str]
) -> None:
    client: Any = None
    with pytest.raises(PayloadError, match=f"not a payload of '{handler.title}'") as refused:
        handler.submit(payload, client=client)
    assert [error.field for error in refused.value.errors] == fields
    assert all(field in str(refused.value) for field in fields)
    assert isinstance(refused.value, RowlockError)
    assert isinstance(refused.value, ValueError)
    with pytest.raises(PayloadError):
        await handler.submit_async(payload, client=client)


def test_of_many_errors_the_first_are_told() -> None:
    @worker.handler("numbers")
    def numbers(numbers: list[int]) -> None: ...

    with pytest.raises(PayloadError) as refused:
        numbers.submit(["x"] * 1000)  # type: ignore[list-item]
    assert len(refused.value.errors) == 21
    assert "980 more errors" in str(refused.value)


def test_threads_share_one_client_and_event_loops_have_their_own() -> None:
    clients = worker._clients
    seen: list[Client] = []
    threads = [threading.Thread(target=lambda: seen.append(clients.shared())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({*map(id, seen)}) == 1

    async def own() -> list[AsyncClient]:
        return [await clients.of_this_loop(), await clients.of_this_loop()]

    one, same = asyncio.run(own())
    other, _ = asyncio.run(own())
    assert one is same
    assert one is not other
    # Closed with its event loop.
    assert clients._by_loop == {}


@pytest.mark.parametrize(("client_token", "used"), [("mine", "mine"), (None, "the worker's")])
async def test_a_client_s_token_comes_before_the_worker_s(
    monkeypatch: pytest.MonkeyPatch, client_token: str | None, used: str
) -> None:
    sent: list[Request] = []

    class Taking:
        async def send(self, request: Request, seconds: float) -> Answer:
            sent.append(request)
            return Answer(401, {}, b"{}")

        async def close(self) -> None: ...

    monkeypatch.delenv("ROWLOCK_CLIENT_TOKEN", raising=False)
    if client_token is not None:
        monkeypatch.setenv("ROWLOCK_CLIENT_TOKEN", client_token)
    worker = Worker(token="the worker's", exchange=Taking())
    handler = worker.handler("x")(anything.function)
    with pytest.raises(NotAllowedError):
        await handler.submit_async(None)
    assert sent[0].headers["Authorization"] == f"Bearer {used}"
