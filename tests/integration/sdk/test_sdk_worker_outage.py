"""A worker while the server is away, or while somebody else answers in its place."""

import asyncio
import logging
from http import HTTPStatus

import pytest

from rowlock import AsyncClient, UnexpectedAnswerError, UnreachableError
from rowlock.http.answer import Answer
from rowlock.worker import outage
from rowlock.worker.execution import Execution
from rowlock.worker.heartbeater import Heartbeater
from tests.support.sdk import (
    CLAIM,
    FINISH,
    HEARTBEAT,
    Answering,
    Fault,
    HeldWork,
    Through,
    a_worker,
    request_lost,
    working,
)

pytest_plugins = ["tests.support.sdk_clients"]


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "rowlock.worker")


def page(status: HTTPStatus) -> Fault:
    """Somebody else's page."""

    async def answer(_answering: Answering) -> Answer:
        return Answer(status, {}, b"<!DOCTYPE html><title>Welcome</title>")

    return answer


async def test_the_log_has_one_line_when_it_is_away_and_one_when_it_is_back(
    sdk: AsyncClient, through: Through, caplog: pytest.LogCaptureFixture
) -> None:
    worker, work = a_worker(through, concurrency=4, lease_seconds=5), HeldWork()
    worker.handler(work)
    ids = await sdk.submit_many({"title": "x"} for _ in range(3))
    async with working(worker):
        await work.have_begun(3)
        through.break_down(request_lost)
        await through.answered(HEARTBEAT, times=through.count(HEARTBEAT) + 3)
        await through.answered(CLAIM, times=through.count(CLAIM) + 1)
        through.break_down(None)
        await through.answered(HEARTBEAT, times=through.count(HEARTBEAT) + 1)
        work.let_go(3)
        for task_id in ids:
            assert (await sdk.wait(task_id, 20)).status == "done"
    for line in (
        "the server is not available, trying again: ",
        "the server is available again, after ",
        "heartbeats do not arrive, trying again: ",
        "heartbeats arrive again, after ",
    ):
        assert caplog.text.count(line) == 1, caplog.text


async def test_heartbeats_that_nobody_needs_any_more_are_no_outage(
    sdk: AsyncClient,
    through: Through,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beat, had_nobody = Heartbeater._beat, asyncio.Event()

    async def noted(heartbeater: Heartbeater, executions: list[Execution]) -> bool:
        has_arrived = await beat(heartbeater, executions)
        if not executions:
            had_nobody.set()
        return has_arrived

    monkeypatch.setattr(Heartbeater, "_beat", noted)
    worker, work = a_worker(through, lease_seconds=5), HeldWork()
    worker.handler(work)
    first = await sdk.submit("x")
    async with working(worker):
        await work.have_begun(1)
        through.spoil(HEARTBEAT, request_lost)
        await through.answered(HEARTBEAT)
        work.let_go(1)
        assert (await sdk.wait(first.id, 20)).status == "done"
        async with asyncio.timeout(20):
            await had_nobody.wait()
        second = await sdk.submit("x")
        await work.have_begun(1)
        await through.answered(HEARTBEAT, times=2)
        work.let_go(1)
        assert (await sdk.wait(second.id, 20)).status == "done"
    assert "heartbeats do not arrive" in caplog.text
    assert "heartbeats arrive again" not in caplog.text


@pytest.mark.parametrize("status", [HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY])
async def test_somebody_else_for_a_while_costs_nothing(
    sdk: AsyncClient, through: Through, status: HTTPStatus
) -> None:
    worker, work = a_worker(through, concurrency=2), HeldWork()
    worker.handler(work)
    first, second = await sdk.submit_many({"title": "x"} for _ in range(2))
    async with working(worker):
        await work.have_begun(2)
        through.break_down(page(status))
        work.let_go(1)
        await through.answered(FINISH, times=3)
        through.break_down(None)
        work.let_go(1)
        for task_id in (first, second):
            task = await sdk.wait(task_id, 20)
            assert (task.status, task.attempt) == ("done", 1)


async def test_somebody_else_for_long_ends_it(
    sdk: AsyncClient, through: Through, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "FOREIGN_SECONDS", 0.3)
    worker = a_worker(through)
    worker.handler(lambda task, attempt: None)
    running = asyncio.create_task(worker.run_async())
    await through.answered(CLAIM)
    through.break_down(page(HTTPStatus.NOT_IMPLEMENTED))
    async with asyncio.timeout(20):
        with pytest.raises(UnexpectedAnswerError, match=r"http://127.0.0.1 does not .* \(501 Not"):
            await running


@pytest.mark.parametrize("status", [HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE])
async def test_a_proxy_whose_server_starts_later_is_no_wrong_url(
    sdk: AsyncClient, through: Through, status: HTTPStatus
) -> None:
    worker = a_worker(through)
    worker.handler(lambda task, attempt: "fine")
    task = await sdk.submit("x")
    through.break_down(page(status))
    async with working(worker):
        await through.answered(CLAIM, times=2)
        through.break_down(None)
        assert (await sdk.wait(task.id, 20)).result == "fine"


async def test_draining_ends_with_an_error_where_no_server_comes_back(
    sdk: AsyncClient, through: Through, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But not before it has told of what it did."""
    monkeypatch.setattr(outage, "DRAIN_SECONDS", 0.2)
    worker, work = a_worker(through, concurrency=2), HeldWork()
    worker.handler(work)
    task = await sdk.submit("x")
    running = asyncio.create_task(worker.run_async(drain=True))
    await work.have_begun(1)
    through.break_down(request_lost)
    work.let_go(1)
    await through.answered(FINISH, times=4)
    assert not running.done()
    through.break_down(None)
    async with asyncio.timeout(20):
        await running
    assert (await sdk.get(task.id)).status == "done"

    through.break_down(request_lost)
    async with asyncio.timeout(20):
        with pytest.raises(UnreachableError):
            await worker.run_async(drain=True)


async def test_in_a_running_event_loop_the_other_way_to_run_is_named(through: Through) -> None:
    worker = a_worker(through)
    worker.handler(lambda task, attempt: None)
    with pytest.raises(RuntimeError, match=r"await worker\.run_async\(\)"):
        worker.run()
