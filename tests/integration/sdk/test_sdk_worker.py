"""A worker's handlers: which is called, what it is given, and what comes of how it ends."""

import asyncio
import functools
import logging
import math
import threading
from typing import Any

import pytest
from sqlalchemy import Engine

from app.service.resources import Resources
from app.service.sweeping import promote
from rowlock import AsyncClient, Permanent, Retry, RunningAttempt, Task
from tests.support.elapse import elapse
from tests.support.sdk import FINISH, HEARTBEAT, Through, a_worker, refused, working

pytest_plugins = ["tests.support.sdk_clients"]


async def test_ten_lines_are_a_worker(sdk: AsyncClient, through: Through) -> None:
    worker = a_worker(through, queues=["images"], concurrency=8)

    @worker.handler("resize")
    async def resize(task: Task, attempt: RunningAttempt) -> object:
        await attempt.progress({"percent": 40})
        return {"bytes": 1234}

    task = await sdk.submit("resize", queue="images")
    async with working(worker):
        done = await sdk.wait(task.id, 20)
    assert (done.status, done.result, done.worker) == ("done", {"bytes": 1234}, worker.name)


async def test_a_title_finds_its_handler_and_any_other_the_one_for_all(
    sdk: AsyncClient, through: Through
) -> None:
    worker = a_worker(through, concurrency=4)
    main = threading.current_thread()

    @worker.handler("coroutine")
    async def coroutine(task: Task, attempt: RunningAttempt) -> object:
        return ["coroutine", threading.current_thread() is main]

    @worker.handler("plain")
    def plain(task: Task, attempt: RunningAttempt) -> object:
        return ["plain", threading.current_thread() is main]

    class Anything:
        async def __call__(self, task: Task, attempt: RunningAttempt) -> object:
            return [task.title, attempt.number, attempt.deadline > task.created_at]

    worker.handler()(Anything())
    tasks = [await sdk.submit(title) for title in ("coroutine", "plain", "anything")]
    async with working(worker):
        results = [(await sdk.wait(task.id, 20)).result for task in tasks]
    assert results == [["coroutine", True], ["plain", False], ["anything", 1, True]]


async def test_a_task_that_nobody_handles_is_left_to_others_for_longer_each_time(
    sdk: AsyncClient,
    through: Through,
    resources: Resources,
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "rowlock.worker")
    worker = a_worker(through)
    worker.handler("known")(lambda task, attempt: None)
    task = await sdk.submit("unknown", retry_limit=0)
    waits = []
    for _ in range(4):
        await worker.run_async(drain=True)
        left = await sdk.get(task.id)
        assert (left.status, left.current_retry_count) == ("to_do", 0)
        assert left.error == "This worker has no handler for 'unknown'."
        assert left.available_at is not None
        waits.append(round((left.available_at - left.updated_at).total_seconds()))
        elapse(engine, waits[-1])
        await promote(resources)
    assert waits == [1, 2, 4, 8]
    assert {(a.outcome, a.error) for a in await sdk.attempts(task.id)} == {
        ("released", "This worker has no handler for 'unknown'.")
    }
    (line,) = [r.getMessage() for r in caplog.records if "'unknown'" in r.getMessage()]
    assert line.startswith("there is no handler for tasks titled 'unknown'")

    newer = a_worker(through)
    newer.handler("unknown")(lambda task, attempt: "known by now")
    await newer.run_async(drain=True)
    done = await sdk.get(task.id)
    assert (done.status, done.result, done.error) == ("done", "known by now", None)


@pytest.mark.parametrize("kind", ["coroutine", "plain"])
async def test_an_exception_is_the_error_and_the_task_is_retried(
    sdk: AsyncClient, through: Through, kind: str
) -> None:
    worker = a_worker(through)

    def once(attempt: RunningAttempt) -> object:
        if attempt.number == 1:
            raise KeyError("colour")
        return "better"

    @worker.handler("coroutine")
    async def coroutine(task: Task, attempt: RunningAttempt) -> object:
        return once(attempt)

    worker.handler("plain")(lambda task, attempt: once(attempt))
    task = await sdk.submit(kind, retry_delay_seconds=0)
    await worker.run_async(drain=True)
    done = await sdk.get(task.id)
    assert (done.status, done.result, done.current_retry_count) == ("done", "better", 1)
    failed, _ = await sdk.attempts(task.id)
    assert failed.outcome == "failed"
    assert failed.error is not None
    assert failed.error.endswith("KeyError: 'colour'")
    assert "in once" in failed.error
    assert "rowlock/worker/execution.py" not in failed.error
    assert "rowlock/worker/threads.py" not in failed.error


async def test_what_a_plain_function_gives_to_be_awaited_is_awaited_in_the_event_loop(
    sdk: AsyncClient, through: Through
) -> None:
    """As where a decorator that is no coroutine function stands above one that is."""
    worker, main = a_worker(through, concurrency=4), threading.current_thread()

    def timed(function: Any) -> Any:
        @functools.wraps(function)
        def call(task: Task, attempt: RunningAttempt) -> Any:
            assert threading.current_thread() is not main
            return function(task, attempt)

        return call

    @worker.handler
    @timed
    async def below(task: Task, attempt: RunningAttempt) -> object:
        await asyncio.sleep(0)
        if task.title == "raises":
            raise KeyError("colour")
        if task.title == "waits":
            await asyncio.Event().wait()
        return object() if task.title == "odd" else threading.current_thread() is main

    titles = ("returns", "raises", "odd", "waits")
    ids = [(await sdk.submit(title, retry_limit=0, timeout_seconds=1)).id for title in titles]
    await worker.run_async(drain=True)
    returned, raised, odd, waited = [await sdk.get(task_id) for task_id in ids]
    assert (returned.status, returned.result) == ("done", True)
    assert (raised.error or "").endswith("KeyError: 'colour'")
    assert "The result cannot be stored" in (odd.error or "")
    assert waited.status == "in_progress", "cut at its deadline; the sweep ends it"


async def test_threads_are_used_again(sdk: AsyncClient, through: Through) -> None:
    worker = a_worker(through, concurrency=2)
    threads: set[threading.Thread] = set()
    worker.handler(lambda task, attempt: threads.add(threading.current_thread()))
    await sdk.submit_many({"title": "x"} for _ in range(50))
    await worker.run_async(drain=True)
    assert {task.status async for task in sdk.list()} == {"done"}
    assert len(threads) <= 2
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


async def test_permanent_fails_at_once_and_retry_says_when(
    sdk: AsyncClient, through: Through
) -> None:
    worker = a_worker(through, concurrency=2)

    @worker.handler
    async def raising(task: Task, attempt: RunningAttempt) -> None:
        raise Permanent("no such image") if task.title == "a" else Retry("busy", after_seconds=1800)

    a, b = await sdk.submit("a"), await sdk.submit("b")
    await worker.run_async(drain=True)
    failed, later = await sdk.get(a.id), await sdk.get(b.id)
    assert (failed.status, failed.error) == ("failed", "no such image")
    assert (later.status, later.error) == ("retrying", "busy")
    assert later.available_at is not None
    assert 1700 < (later.available_at - later.updated_at).total_seconds() <= 1800


@pytest.mark.parametrize("error", [SystemExit(3), asyncio.CancelledError(), StopIteration()])
@pytest.mark.parametrize("kind", ["coroutine", "plain"])
async def test_whatever_a_handler_raises_the_worker_goes_on(
    sdk: AsyncClient, through: Through, kind: str, error: BaseException
) -> None:
    worker = a_worker(through)

    @worker.handler("coroutine")
    async def coroutine(task: Task, attempt: RunningAttempt) -> None:
        raise error

    @worker.handler("plain")
    def plain(task: Task, attempt: RunningAttempt) -> None:
        raise error

    worker.handler("next")(lambda task, attempt: "fine")
    task, other = await sdk.submit(kind, retry_limit=0), await sdk.submit("next")
    await worker.run_async(drain=True)
    failed = await sdk.get(task.id)
    assert failed.status == "failed"
    assert type(error).__name__ in (failed.error or "")
    assert (await sdk.get(other.id)).result == "fine"


async def test_a_result_that_cannot_be_kept_fails_its_task_alone_and_is_logged(
    sdk: AsyncClient, through: Through, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "rowlock.worker")
    worker = a_worker(through, concurrency=4)
    results = {"object": object(), "large": "x" * 300_000, "nan": [math.nan], "good": {"n": 2**70}}

    @worker.handler
    async def give(task: Task, attempt: RunningAttempt) -> object:
        return results[task.title]

    ids = [(await sdk.submit(title)).id for title in results]
    await worker.run_async(drain=True)
    *bad, good = [await sdk.get(task_id) for task_id in ids]
    for task in bad:
        assert task.status == "failed"
        assert task.error is not None
        assert "The result cannot be stored" in task.error
        assert len([r for r in caplog.records if task.error in r.getMessage()]) == 1
    assert "256 KiB" in (bad[1].error or "")
    assert (good.status, good.result) == ("done", {"n": 2**70})


async def test_what_the_server_does_not_take_holds_up_nobody(
    sdk: AsyncClient, through: Through
) -> None:
    worker = a_worker(through, concurrency=3)

    @worker.handler
    async def give(task: Task, attempt: RunningAttempt) -> object:
        return task.title

    ids = [(await sdk.submit(title)).id for title in ("one", "two", "three")]
    # All together, and then the first of them alone.
    through.spoil(FINISH, refused(422), refused(422))
    await worker.run_async(drain=True)
    one, two, three = [await sdk.get(task_id) for task_id in ids]
    assert (one.status, two.status, three.status) == ("failed", "done", "done")
    assert "said the proxy" in (one.error or "")


@pytest.mark.parametrize("kind", ["coroutine", "plain"])
async def test_progress_shows_while_the_attempt_runs(
    sdk: AsyncClient, through: Through, kind: str
) -> None:
    worker = a_worker(through)
    went_on, threads_went_on = asyncio.Event(), threading.Event()

    @worker.handler("coroutine")
    async def coroutine(task: Task, attempt: RunningAttempt) -> None:
        await attempt.progress({"percent": 40})
        await went_on.wait()

    @worker.handler("plain")
    def plain(task: Task, attempt: RunningAttempt) -> None:
        attempt.progress({"percent": 40})
        threads_went_on.wait(20)

    task = await sdk.submit(kind)
    async with working(worker):
        await through.answered(HEARTBEAT)
        assert (await sdk.get(task.id)).progress == {"percent": 40}
        went_on.set()
        threads_went_on.set()
        done = await sdk.wait(task.id)
    assert (done.status, done.progress) == ("done", None)


async def test_progress_that_is_said_very_often_is_sent_now_and_then(
    sdk: AsyncClient, through: Through
) -> None:
    worker = a_worker(through)

    @worker.handler
    async def chatty(task: Task, attempt: RunningAttempt) -> None:
        for percent in range(1000):
            await attempt.progress(percent)
        await through.answered(HEARTBEAT, times=2)

    task = await sdk.submit("a task")
    async with working(worker):
        await sdk.wait(task.id, 20)
    beats = [body for body in through.bodies if b'"progress":' in body]
    assert len(beats) == 2
    assert b'"progress":999}' in beats[-1]


async def test_progress_that_is_no_json_is_the_handlers_own_error(
    sdk: AsyncClient, through: Through
) -> None:
    worker = a_worker(through)

    @worker.handler
    async def odd(task: Task, attempt: RunningAttempt) -> None:
        await attempt.progress(object())

    task = await sdk.submit("a task", retry_limit=0)
    await worker.run_async(drain=True)
    assert "Error" in ((await sdk.get(task.id)).error or "")
