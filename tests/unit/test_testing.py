"""`rowlock.testing`: handlers without a server."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from rowlock import LifespanError, Permanent, Retry, RunningAttempt, Task, Worker, testing

worker = Worker(queues=["images"])
told: list[str] = []


class Pool:
    name = "the real one"


@dataclass
class Size:
    width: int


@worker.lifespan
async def pool() -> AsyncIterator[Pool]:
    told.append("opens")
    yield Pool()
    told.append("closes")


@worker.around
async def around(task: Task, attempt: RunningAttempt) -> AsyncIterator[None]:
    told.append(f"before {task.title}")
    yield
    told.append(f"after {task.title}")


@worker.handler("resize", retry_limit=2, tags=["a"], priority="high")
async def resize(size: Size, attempt: RunningAttempt, pool: Pool) -> object:
    for percent in range(0, 100, 40):
        await attempt.progress({"percent": percent})
    return {"size": size, "pool": pool.name, "at": timedelta(seconds=1)}


ERRORS = {
    "permanent": Permanent("the colour"),
    "retry": Retry("the colour"),
    "later": Retry("the colour", after_seconds=30),
    "any": KeyError("the colour"),
}


@worker.handler("raise")
def raising(task: Task, attempt: RunningAttempt) -> None:
    raise ERRORS[task.payload]


@worker.handler("describe", retry_delay_seconds=7)
def describe(task: Task, attempt: RunningAttempt) -> object:
    return task


@worker.handler("wait")
async def waiting(task: Task, attempt: RunningAttempt) -> None:
    await attempt.progress("begun")
    await asyncio.Event().wait()


@worker.handler("spin")
def spinning(task: Task, attempt: RunningAttempt) -> str:
    attempt.progress("begun")
    while attempt.lost is None:
        threading.Event().wait(0.001)
    return attempt.lost


@worker.handler
def any_other(task: Task, attempt: RunningAttempt) -> str:
    return f"any other, {task.title}"


@pytest.fixture(autouse=True)
def nothing_told() -> None:
    told.clear()


def test_a_result_is_as_clients_read_it_and_all_progress_is_kept() -> None:
    outcome = testing.run(resize, Size(width=3))
    assert (outcome.outcome, outcome.status) == ("done", "done")
    assert outcome.result == {"size": {"width": 3}, "pool": "the real one", "at": "PT1S"}
    assert outcome.progress == [{"percent": 0}, {"percent": 40}, {"percent": 80}]
    assert (outcome.error, outcome.exception) == (None, None)
    assert told == ["opens", "before resize", "after resize", "closes"]


def test_resources_may_be_others_and_then_nothing_is_opened() -> None:
    class Fake:
        name = "a fake"

    outcome = testing.run(resize, {"width": 3}, resources={Pool: Fake()})
    assert outcome.result["pool"] == "a fake"
    assert told == ["before resize", "after resize"]


def test_a_task_has_the_server_s_defaults_the_handler_s_and_what_is_said() -> None:
    task = testing.run(describe, {"a": (1, 2)}, attempt=3, tags=["x"], id=42).result
    assert (task["id"], task["title"], task["tags"]) == (42, "describe", ["x"])
    assert (task["queue"], task["retry_delay_seconds"]) == ("images", 7)
    assert (task["timeout_seconds"], task["priority"]) == (300, "中")
    assert (task["payload"], task["attempt"]) == ({"a": [1, 2]}, 3)
    assert task["current_retry_count"] == 2
    assert testing.run(worker, title="something").result == "any other, something"
    with pytest.raises(TypeError, match="tasks have no field tag"):
        testing.run(describe, tag="x")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("kind", "made", "status", "retry_after_seconds", "error"),
    [
        ("permanent", {}, "failed", None, "the colour"),
        ("retry", {}, "retrying", None, "the colour"),
        ("later", {"attempt": 3}, "retrying", 30, "the colour"),
        ("any", {"attempt": 4}, "failed", None, "KeyError: 'the colour'"),
        ("any", {"attempt": 4, "retry_limit": 4}, "retrying", None, "KeyError: 'the colour'"),
    ],
)
def test_a_failure_is_told_with_what_follows(
    kind: str,
    made: testing.Made,
    status: str,
    retry_after_seconds: float | None,
    error: str,
) -> None:
    failed = testing.run(raising, kind, **made)
    assert (failed.outcome, failed.status) == ("failed", status)
    assert failed.retry_after_seconds == retry_after_seconds
    assert (failed.error or "").endswith(error)
    assert failed.exception is ERRORS[kind]


def test_a_payload_that_is_none_fails_for_good() -> None:
    failed = testing.run(resize, {"width": "wide"})
    assert failed.status == "failed"
    assert "payload.width" in (failed.error or "")
    assert isinstance(failed.exception, Permanent)


@pytest.mark.parametrize("handler", [waiting, spinning])
@pytest.mark.parametrize(("attempt", "status"), [(1, "retrying"), (4, "failed")])
def test_at_its_deadline_it_is_cut(handler: Any, attempt: int, status: str) -> None:
    outcome = testing.run(handler, timeout_seconds=0.05, attempt=attempt)
    assert (outcome.outcome, outcome.status) == ("timed_out", status)
    assert outcome.progress == ["begun"]


@pytest.mark.parametrize("handler", [waiting, spinning])
@pytest.mark.parametrize(
    ("why", "status"),
    [("cancelled", "cancelled"), ("deleted", None), ("lost", "retrying"), ("released", "to_do")],
)
async def test_an_attempt_can_be_taken_away(handler: Any, why: Any, status: str | None) -> None:
    async with testing.start(handler) as running:
        assert await running.progressed() == "begun"
        with pytest.raises(RuntimeError, match="still runs"):
            _ = running.outcome
        running.cut(why)
    assert (running.outcome.outcome, running.outcome.status) == (why, status)
    assert running.attempt.lost == why


async def test_who_waits_for_progress_in_vain_is_told() -> None:
    async with testing.start(describe) as running:
        with pytest.raises(RuntimeError, match="has ended, and reported no more progress"):
            await running.progressed()


async def test_a_test_that_fails_does_not_wait_for_the_handler() -> None:
    with pytest.raises(AssertionError, match="mine"):
        async with testing.start(waiting):
            raise AssertionError("mine")
    assert told[-1] == "closes"


async def test_in_an_event_loop_it_is_awaited() -> None:
    with pytest.raises(RuntimeError, match="await run_async"):
        testing.run(describe)
    assert (await testing.run_async(describe)).status == "done"


def test_a_lifespan_that_fails_is_the_test_s_error() -> None:
    broken = Worker()

    @broken.lifespan
    async def database() -> AsyncIterator[None]:
        raise KeyError("DATABASE_URL")
        yield

    @broken.handler("x")
    def handler(task: Task, attempt: RunningAttempt) -> None: ...

    with pytest.raises(LifespanError, match="database failed to begin"):
        testing.run(handler)
