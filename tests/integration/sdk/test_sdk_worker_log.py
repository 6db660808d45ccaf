"""What a worker's log says: a line at its start, one an attempt, and whose attempt a line is of."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from rowlock import (
    AsyncClient,
    Permanent,
    RunningAttempt,
    Task,
    Worker,
    current_attempt,
    testing,
)
from tests.support.sdk import URL, Through, a_worker

pytest_plugins = ["tests.support.sdk_clients"]

mine = logging.getLogger("mine")


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "rowlock.worker")
    caplog.set_level(logging.INFO, "mine")


def ends(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [record for record in caplog.records if hasattr(record, "outcome")]


async def test_it_says_at_its_start_what_it_works_for(
    through: Through, caplog: pytest.LogCaptureFixture
) -> None:
    worker = a_worker(through, name="host-1", queues=["images", "mails"], concurrency=8)
    worker.handler("resize")(lambda task, attempt: None)
    worker.handler(lambda task, attempt: None)
    await worker.run_async(drain=True)
    line: Any = caplog.records[0]
    assert line.getMessage() == (
        "worker host-1, for http://127.0.0.1: queues images, mails; "
        "handlers for 'resize', any other title; concurrency 8"
    )
    assert (line.worker, line.server, line.slots) == ("host-1", URL, 8)
    assert (line.queues, line.handlers) == (["images", "mails"], ["resize", None])


async def test_no_password_is_in_the_line(
    through: Through, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Worker(url="http://user:secret@127.0.0.1", token="secret", exchange=through)
    worker.handler(lambda task, attempt: None)
    await worker.run_async(drain=True)
    assert "secret" not in caplog.text
    assert "handlers for any title" in caplog.text


async def test_each_attempt_ends_with_one_line(
    sdk: AsyncClient, through: Through, caplog: pytest.LogCaptureFixture
) -> None:
    worker = a_worker(through, queues=["images"])

    @worker.handler
    async def handler(task: Task, attempt: RunningAttempt) -> object:
        if task.title == "raises" and attempt.number == 1:
            raise KeyError("colour")
        if task.title == "permanent":
            raise Permanent("no such image")
        return object() if task.title == "no JSON" else "fine"

    titles = ("fine", "raises", "permanent", "no JSON")
    ids = [(await sdk.submit(t, queue="images", retry_delay_seconds=0)).id for t in titles]
    await worker.run_async(drain=True)
    lines = ends(caplog)
    told = sorted((line.task_id, line.attempt, line.title, line.outcome) for line in lines)
    assert told == [
        (ids[0], 1, "fine", "done"),
        (ids[1], 1, "raises", "failed"),
        (ids[1], 2, "raises", "done"),
        (ids[2], 1, "permanent", "failed"),
        (ids[3], 1, "no JSON", "failed"),
    ]
    assert all(line.queue == "images" and 0 <= line.seconds < 20 for line in lines)
    text = {(line.task_id, line.attempt): line.getMessage() for line in lines}
    assert text[ids[0], 1].startswith(f"task {ids[0]} 'fine', attempt 1: done after 0.")
    assert "attempt 1: failed after" in text[ids[1], 1]
    assert text[ids[1], 1].endswith("KeyError: 'colour'")
    assert text[ids[2], 1].endswith("s: Permanent: no such image")
    assert "The result cannot be stored" in text[ids[3], 1]
    levels = {line.outcome: line.levelname for line in lines}
    assert levels == {"done": "INFO", "failed": "WARNING"}


@pytest.mark.parametrize("why", ["cancelled", "timed_out", "lost", "deleted", "released"])
@pytest.mark.parametrize("is_stubborn", [False, True])
async def test_an_attempt_that_is_taken_away_ends_with_one_line_too(
    caplog: pytest.LogCaptureFixture, why: Any, is_stubborn: bool
) -> None:
    worker = Worker()

    @worker.handler("wait")
    async def waiting(task: Task, attempt: RunningAttempt) -> None:
        await attempt.progress("begun")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if is_stubborn:
                raise KeyError("colour") from None
            raise

    async with testing.start(waiting) as running:
        await running.progressed()
        running.cut(why)
    (line,) = ends(caplog)
    assert (line.outcome, line.levelname) == (why, "INFO" if why == "released" else "WARNING")
    assert f"attempt 1: {why} after" in line.getMessage()
    assert line.getMessage().endswith("KeyError: 'colour'") == is_stubborn


async def test_whose_line_it_is_can_be_told_wherever_it_is_logged(
    sdk: AsyncClient, through: Through, caplog: pytest.LogCaptureFixture
) -> None:
    class NamesTheTask(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            attempt = current_attempt()
            record.of = None if attempt is None else f"{attempt.task.title} {attempt.number}"
            return True

    worker = a_worker(through, concurrency=2)
    caplog.handler.addFilter(naming := NamesTheTask())

    @worker.around
    async def around(task: Task, attempt: RunningAttempt) -> AsyncIterator[None]:
        mine.info("around")
        yield

    @worker.handler("coroutine")
    async def coroutine(task: Task, attempt: RunningAttempt) -> None:
        async def below() -> None:
            mine.info("in a task below")

        await asyncio.create_task(below())

    @worker.handler("plain")
    def plain(task: Task, attempt: RunningAttempt) -> None:
        mine.info("in a thread")

    for title in ("coroutine", "plain"):
        await sdk.submit(title)
    try:
        await worker.run_async(drain=True)
    finally:
        caplog.handler.removeFilter(naming)
    told = {(r.getMessage(), getattr(r, "of", None)) for r in caplog.records if r.name == "mine"}
    assert told == {
        ("around", "coroutine 1"),
        ("in a task below", "coroutine 1"),
        ("around", "plain 1"),
        ("in a thread", "plain 1"),
    }
    assert {line.of for line in ends(caplog)} == {"coroutine 1", "plain 1"}
    assert current_attempt() is None
