"""A worker puts its handlers' schedules before its first claim."""

import asyncio
import logging

import pytest

from app.settings import Settings
from rowlock import AsyncClient, RowlockError, ScheduleError, Task, UnexpectedAnswerError, Worker
from rowlock.http.answer import Answer
from rowlock.worker import outage
from tests.conftest import serving
from tests.support.sdk import (
    CLAIM,
    Answering,
    Held,
    Through,
    a_worker,
    answer_lost,
    refused,
    request_lost,
    working,
)

pytest_plugins = ["tests.support.sdk_clients"]

PUT = "PUT /schedules/sync"
GET = "GET /schedules/sync"


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "rowlock.worker")


def with_schedule(worker: Worker, cron: str = "0 3 * * *", name: str | None = None) -> Worker:
    @worker.schedule(cron, timezone="Asia/Shanghai", name=name)
    @worker.handler("sync", retry_limit=1, priority="high")
    def sync(task: Task) -> object:
        return task.payload

    return worker


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.getMessage().startswith("schedule ")]


async def test_it_is_made_changed_and_left_alone(
    sdk: AsyncClient, through: Through, caplog: pytest.LogCaptureFixture
) -> None:
    await with_schedule(a_worker(through, queues=["jobs"])).run_async(drain=True)
    made = await sdk.schedules.get("sync")
    assert (made.cron, made.timezone, made.revision) == ("0 3 * * *", "Asia/Shanghai", 1)
    assert made.task["title"] == "sync"
    assert (made.task["queue"], made.task["retry_limit"], made.task["priority"]) == (
        "jobs",
        1,
        "高",
    )
    assert through.calls.index(PUT) < through.calls.index(CLAIM)
    await with_schedule(a_worker(through, queues=["jobs"])).run_async(drain=True)
    assert (await sdk.schedules.get("sync")).revision == 1
    await with_schedule(a_worker(through, queues=["jobs"]), "0 4 * * *").run_async(drain=True)
    changed = await sdk.schedules.get("sync")
    assert lines(caplog) == [
        f"schedule 'sync' made: next at {made.next_at}",
        f"schedule 'sync' changed: next at {changed.next_at}",
    ]


async def test_one_that_is_paused_stays_so(
    sdk: AsyncClient, through: Through, caplog: pytest.LogCaptureFixture
) -> None:
    await sdk.schedules.put("sync", interval_seconds=60)
    await sdk.admin.pause_schedule("sync")
    await with_schedule(a_worker(through)).run_async(drain=True)
    assert (await sdk.schedules.get("sync")).paused_at is not None
    assert lines(caplog) == ["schedule 'sync' changed: paused"]


async def test_what_it_submits_is_what_its_handler_does(sdk: AsyncClient, through: Through) -> None:
    worker = a_worker(through)

    @worker.schedule(every_seconds=3600, payload={"n": 1})
    @worker.handler("sync")
    def sync(task: Task) -> object:
        assert task.origin is not None
        return [task.payload, task.origin.schedule]

    await worker.run_async(drain=True)
    task = await sdk.schedules.run("sync")
    await worker.run_async(drain=True)
    assert (await sdk.get(task.id)).result == [{"n": 1}, "sync"]


async def test_one_that_the_server_refuses_ends_the_worker_before_it_claims(
    through: Through,
) -> None:
    with pytest.raises(ScheduleError) as error:
        await with_schedule(a_worker(through), "0 3 30 2 *").run_async()
    assert str(error.value) == (
        "the schedule 'sync' was refused: cron: 0 3 30 2 * never comes within 10 years"
    )
    assert through.count(CLAIM) == 0


async def test_a_server_that_is_away_is_waited_for(
    sdk: AsyncClient, through: Through, caplog: pytest.LogCaptureFixture
) -> None:
    through.spoil(GET, request_lost, refused(502), refused(429), refused(503, retry_after="0"))
    through.spoil(PUT, answer_lost, refused(500))
    async with working(with_schedule(a_worker(through))):
        await through.answered(CLAIM)
    assert (await sdk.schedules.get("sync")).revision == 1
    assert caplog.text.count("the server is not available, trying again: ") == 1
    assert caplog.text.count("the server is available again, after ") == 1


@pytest.mark.parametrize("is_drained", [True, False], ids=["drained", "working"])
async def test_it_can_be_stopped_while_the_server_is_away(
    through: Through, monkeypatch: pytest.MonkeyPatch, is_drained: bool
) -> None:
    monkeypatch.setattr(outage, "DRAIN_SECONDS", 0.5)
    through.break_down(request_lost)
    worker = with_schedule(a_worker(through))
    if is_drained:
        with pytest.raises(RowlockError, match="no route to host"):
            await worker.run_async(drain=True)
    else:
        async with working(worker):
            await through.answered(GET, times=2)
    assert through.count(CLAIM) == 0


async def test_it_can_be_stopped_in_the_midst_of_a_call(through: Through) -> None:
    held = Held()
    through.spoil(PUT, held)
    async with working(with_schedule(a_worker(through))):
        async with asyncio.timeout(20):
            await held.is_there.wait()
    assert through.count(CLAIM) == 0


async def test_somebody_else_in_the_place_of_the_server_ends_it(through: Through) -> None:
    async def page(_answer: Answering) -> Answer:
        return Answer(404, {}, b"<!DOCTYPE html><title>Welcome</title>")

    through.spoil(GET, page)
    with pytest.raises(UnexpectedAnswerError, match="check the URL"):
        await with_schedule(a_worker(through)).run_async()


async def test_schedules_are_put_by_a_clients_token(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = {"client_tokens": ("c",), "worker_tokens": ("w",), "admin_tokens": ("a",)}
    async with serving(settings.model_copy(update=tokens)) as api:
        through = Through(api)
        with pytest.raises(ScheduleError, match="set ROWLOCK_CLIENT_TOKEN"):
            await with_schedule(a_worker(through, token="w")).run_async()
        monkeypatch.setenv("ROWLOCK_CLIENT_TOKEN", "c")
        await with_schedule(a_worker(through, token="w")).run_async(drain=True)
        async with AsyncClient("http://127.0.0.1", "c", exchange=through) as client:
            assert (await client.schedules.get("sync")).revision == 1
