"""Django's contract for a backend of its tasks, each method and field, on a real server."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.utils import timezone

from rowlock import AsyncClient, NotAllowedError
from rowlock.django import RowlockBackend
from rowlock.django.contract import (
    AnyResult,
    InvalidTask,
    TaskResultDoesNotExist,
    TaskResultStatus,
    task_backends,
    task_finished,
)
from rowlock.django.management.commands.rowlock_worker import worker_of
from rowlock.worker.leases import ClaimRequest, claim
from tests.acceptance import django_jobs as jobs
from tests.acceptance.django_project import KINDS, enqueued, refreshed, result_of, work

pytest_plugins = ["tests.acceptance.django_fixtures"]
pytestmark = pytest.mark.usefixtures("django_project")


def test_what_it_supports() -> None:
    backend = task_backends["default"]
    assert isinstance(backend, RowlockBackend)
    assert backend.supports_defer
    assert backend.supports_async_task
    assert backend.supports_get_result
    assert backend.supports_priority
    assert backend.check() == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_result_of_what_was_enqueued(kind: str, url: str) -> None:
    before = timezone.now() - timedelta(seconds=5)
    result = await enqueued(kind, jobs.add.using(queue_name="mail"), 1, right=2)
    for one in (result, await result_of(kind, task_backends["default"], result.id)):
        assert isinstance(one.id, str)
        assert one.status == TaskResultStatus.READY
        assert (one.args, one.kwargs) == ([1], {"right": 2})
        assert one.enqueued_at is not None
        assert before < one.enqueued_at < timezone.now() + timedelta(seconds=5)
        assert (one.started_at, one.finished_at, one.last_attempted_at) == (None, None, None)
        assert (one.errors, one.worker_ids, one.attempts) == ([], [], 0)
        assert (one.backend, one.is_finished) == ("default", False)
        assert one.task == jobs.add.using(queue_name="mail")
        with pytest.raises(ValueError, match="not finished"):
            _ = one.return_value
    async with AsyncClient(url) as client:
        task = await client.get(int(result.id))
    assert (task.title, task.queue) == ("tests.acceptance.django_jobs.add", "mail")
    assert task.payload == {"args": [1], "kwargs": {"right": 2}, "backend": "default"}
    assert (task.timeout_seconds, task.retry_limit, task.retry_delay_seconds) == (77, 1, 0)
    assert task.retry_backoff == "fixed"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", [jobs.add, jobs.add_async], ids=KINDS)
async def test_a_result_of_what_was_done(kind: str, task: Any) -> None:
    result = await enqueued(kind, task, 1, right=2)
    worker = worker_of("default")
    await worker.run_async(drain=True)
    is_async = task is jobs.add_async
    assert jobs.seen == [(1, 2, is_async)]  # plain functions in threads, coroutines in the loop
    assert result.status == TaskResultStatus.READY
    for one in (await refreshed(kind, result), await result_of(kind, task, result.id)):
        assert one.status == TaskResultStatus.SUCCESSFUL
        assert one.is_finished
        assert one.return_value == {"sum": 3, "名": ["a", 1.5, None]}
        assert (one.attempts, one.worker_ids, one.errors) == (1, [worker.name], [])
        assert one.enqueued_at is not None
        assert one.started_at is not None
        assert one.finished_at is not None
        assert one.enqueued_at <= one.started_at <= one.finished_at
        assert one.last_attempted_at == one.started_at


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", [jobs.pay, jobs.pay_async], ids=KINDS)
async def test_a_result_of_what_has_failed(kind: str, task: Any) -> None:
    result = await enqueued(kind, task, 5)
    await work()
    one = await refreshed(kind, result)
    assert one.status == TaskResultStatus.FAILED
    assert (one.attempts, len(one.worker_ids)) == (2, 2)
    assert [error.exception_class for error in one.errors] == [jobs.Unpayable] * 2
    for error in one.errors:
        assert error.exception_class_path == "tests.acceptance.django_jobs.Unpayable"
        assert error.traceback.startswith("Traceback (most recent call last):\n")
        assert "raise Unpayable(" in error.traceback
        assert error.traceback.endswith("Unpayable: 5 cents\nin two lines")
        assert "rowlock/" not in error.traceback
    assert one.started_at is not None
    assert one.last_attempted_at is not None
    assert one.finished_at is not None
    assert one.started_at < one.last_attempted_at <= one.finished_at
    with pytest.raises(ValueError, match="failed"):
        _ = one.return_value


@pytest.mark.parametrize("task", [jobs.tell, jobs.tell_async], ids=KINDS)
async def test_a_task_is_told_its_attempt(task: Any) -> None:
    result = task.enqueue(1)
    worker = worker_of("default")
    await worker.run_async(drain=True)
    assert jobs.seen == [
        (1, "RUNNING", [], [worker.name]),
        (2, "RUNNING", [KeyError], [worker.name] * 2),
    ]
    result.refresh()
    assert result.return_value == 2
    assert [error.exception_class for error in result.errors] == [KeyError]


async def test_a_task_knows_its_attempt_without_those_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_backend: RowlockBackend, _task_id: int) -> NoReturn:
        raise NotAllowedError(403, "Forbidden", "for another door", {})

    monkeypatch.setattr(RowlockBackend, "attempts", refuse)
    jobs.tell.enqueue(1)
    worker = worker_of("default")
    await worker.run_async(drain=True)
    assert jobs.seen[1] == (2, "RUNNING", [], ["", worker.name])


async def test_a_worker_that_stops_gives_back_what_runs() -> None:
    finished: list[Any] = []

    def listen(task_result: AnyResult, **_kwargs: Any) -> None:
        finished.append(task_result)

    task_finished.connect(listen)
    result = jobs.hang.enqueue()
    worker = worker_of("default")
    running = asyncio.create_task(worker.run_async())
    try:
        async with asyncio.timeout(20):
            await jobs.began.wait()
            worker.stop()
            worker.stop()
            await running
    finally:
        task_finished.disconnect(listen)
    result.refresh()
    assert (result.status, result.attempts, result.errors) == (TaskResultStatus.READY, 1, [])
    assert (jobs.seen, finished) == (["began", "ended"], [])


async def test_one_that_runs(url: str) -> None:
    result = jobs.add.enqueue(1)
    claiming = ClaimRequest("somebody", ("default",), 30)
    async with AsyncClient(url) as client:
        (lease,) = await client.ask(claim(claiming, limit=1, wait_seconds=0))
    result.refresh()
    assert (result.status, result.worker_ids) == (TaskResultStatus.RUNNING, ["somebody"])
    assert result.last_attempted_at == result.started_at == lease.task.started_at
    assert result.finished_at is None


async def test_priorities(url: str) -> None:
    for priority in (-100, 0, 1, 100, -1):
        result = jobs.add.using(priority=priority).enqueue(priority)
        result.refresh()
        got = jobs.add.get_result(result.id)
        assert got.task.priority == priority
    await work()
    assert [left for left, *_ in jobs.seen] == [1, 100, 0, -100, -1]
    with pytest.raises(InvalidTask):
        jobs.add.using(priority=101)


@pytest.mark.parametrize("kind", KINDS)
async def test_run_after(kind: str) -> None:
    later = timezone.now() + timedelta(hours=1)
    early = datetime(2026, 1, 31, 12, tzinfo=UTC)
    result = await enqueued(kind, jobs.add.using(run_after=later), 1)
    past = await enqueued(kind, jobs.pay.using(run_after=early), 2)
    await work()
    assert jobs.seen == []
    assert (await refreshed(kind, result)).status == TaskResultStatus.READY
    assert (await result_of(kind, jobs.add, result.id)).task.run_after == later
    # A retry was put off; when it was meant to run is still known.
    again = await result_of(kind, jobs.pay, past.id)
    assert (again.attempts, again.task.run_after) == (2, early)


async def test_without_time_zones() -> None:
    later = datetime(2096, 7, 1, 12)  # noqa: DTZ001
    with override_settings(USE_TZ=False, TIME_ZONE="Asia/Shanghai"):
        result = jobs.add.using(run_after=later).enqueue(1)
        got = jobs.add.get_result(result.id)
        assert got.task.run_after == later
        assert got.enqueued_at is not None
        assert got.enqueued_at.tzinfo is None
        assert abs(got.enqueued_at - timezone.now()) < timedelta(minutes=1)
    aware = jobs.add.get_result(result.id).task.run_after
    assert aware == datetime(2096, 7, 1, 4, tzinfo=UTC)


def inner() -> Any:
    def local() -> None: ...

    return local


def test_tasks_that_are_not_valid() -> None:
    for refused in (
        lambda: jobs.add.using(queue_name="nobody's"),
        lambda: jobs.add.using(run_after=datetime(2026, 1, 31)),  # noqa: DTZ001
        lambda: jobs.task(inner()),
        lambda: jobs.task(takes_context=True)(jobs.pay.func),
    ):
        with pytest.raises(InvalidTask):
            refused()
    backend = {"BACKEND": "rowlock.django.RowlockBackend", "QUEUES": []}
    with override_settings(TASKS={"default": backend}):
        jobs.add.using(queue_name="any-name")
        with pytest.raises(InvalidTask, match="no name that a Rowlock server takes"):
            jobs.add.using(queue_name="Any Name")


def test_settings_that_are_not_valid() -> None:
    backend = {"BACKEND": "rowlock.django.RowlockBackend"}
    wrong = backend | {"QUEUES": ["default", "Mail"], "OPTIONS": {"url": "nowhere"}}
    with override_settings(TASKS={"default": wrong}):
        found = task_backends["default"].check()
        assert [error.id for error in found] == ["rowlock.E001", "rowlock.E002"]
        assert "'Mail'" in found[1].msg
    unknown = backend | {"OPTIONS": {"retries": 3}}
    with (
        override_settings(TASKS={"default": unknown}),
        pytest.raises(ImproperlyConfigured, match="'retries'"),
    ):
        task_backends["default"]


@pytest.mark.parametrize("kind", KINDS)
async def test_results_that_do_not_exist(kind: str, url: str) -> None:
    backend = task_backends["default"]
    async with AsyncClient(url) as client:
        foreign = await client.submit("resize", payload={"width": 1})
        posing = await client.submit("os.getcwd", payload={"args": [], "kwargs": {}})
        mine = await client.submit("tests.acceptance.django_jobs.add", payload=[1])
    others = await enqueued(kind, jobs.add.using(backend="other"), 1)
    for result_id in ("", "x", "-1", "9" * 40, "987654321", foreign.id, posing.id, mine.id):
        with pytest.raises(TaskResultDoesNotExist):
            await result_of(kind, backend, str(result_id))
    with pytest.raises(TaskResultDoesNotExist):
        await result_of(kind, backend, others.id)
    assert (await result_of(kind, task_backends["other"], others.id)).backend == "other"
    # A result of another task of the same backend.
    with pytest.raises(Exception, match="does not match"):
        await result_of(kind, jobs.pay.using(backend="other"), others.id)


@pytest.mark.parametrize("kind", KINDS)
async def test_arguments_that_json_has_not(kind: str, url: str) -> None:
    for wrong in (object(), {1, 2}, datetime.now(UTC)):
        with pytest.raises(TypeError, match="Unsupported type"):
            await enqueued(kind, jobs.add, wrong)
    with pytest.raises(ValueError, match="NaN"):
        await enqueued(kind, jobs.add, float("nan"))
    async with AsyncClient(url) as client:
        assert [task.id async for task in client.list()] == []


async def test_return_values_that_cannot_be_kept() -> None:
    for kind, error_class in (("time", TypeError), ("much", ValueError), ("nan", ValueError)):
        result = jobs.give.enqueue(kind)
        await work()
        result.refresh()
        assert (result.status, result.attempts) == (TaskResultStatus.FAILED, 1)
        assert [error.exception_class for error in result.errors] == [error_class]


async def test_verdicts() -> None:
    permanent, retry = jobs.verdict.enqueue("permanent"), jobs.verdict.enqueue("retry")
    await work()
    for result, attempts, said in ((permanent, 1, "no such customer"), (retry, 2, "busy")):
        result.refresh()
        assert (result.status, result.attempts) == (TaskResultStatus.FAILED, attempts)
        assert said in result.errors[0].traceback


async def test_cancelled_and_paused(url: str) -> None:
    cancelled, paused = jobs.add.enqueue(1), jobs.add.enqueue(2)
    async with AsyncClient(url) as client:
        await client.admin.cancel(int(cancelled.id))
        await client.admin.pause(int(paused.id))
    cancelled.refresh()
    paused.refresh()
    assert (cancelled.status, paused.status) == (TaskResultStatus.FAILED, TaskResultStatus.READY)
    assert cancelled.finished_at is not None
    assert cancelled.errors[-1].exception_class.__name__ == "CancelledError"
