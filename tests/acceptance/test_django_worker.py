"""The worker of Django's tasks: signals, connections, titles, options, the command."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from rowlock import AsyncClient
from rowlock.django import RowlockBackend
from rowlock.django.contract import (
    AnyResult,
    TaskResultStatus,
    task_enqueued,
    task_finished,
    task_started,
)
from tests.acceptance import django_jobs as jobs
from tests.acceptance.django_project import KINDS, enqueued, refreshed, work

pytest_plugins = ["tests.acceptance.django_fixtures"]
pytestmark = pytest.mark.usefixtures("django_project")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_async_task", [False, True], ids=KINDS)
async def test_signals(kind: str, is_async_task: bool) -> None:
    told: list[tuple[str, Any, str, str, int]] = []
    signals = {"enqueued": task_enqueued, "started": task_started, "finished": task_finished}

    def listener(name: str) -> Any:
        def listen(sender: Any, task_result: AnyResult, **_kwargs: Any) -> None:
            told.append(
                (name, sender, task_result.id, str(task_result.status), task_result.attempts)
            )
            raise RuntimeError("a receiver's own")

        return listen

    listeners = {name: listener(name) for name in signals}
    for name, signal in signals.items():
        signal.connect(listeners[name])
    try:
        good = await enqueued(kind, jobs.add_async if is_async_task else jobs.add, 1)
        await work()
        bad = await enqueued(kind, jobs.pay_async if is_async_task else jobs.pay, 1)
        await work()
    finally:
        for name, signal in signals.items():
            signal.disconnect(listeners[name])
    assert {sender for _, sender, *_ in told} == {RowlockBackend}
    assert [(name, *rest) for name, _, *rest in told] == [
        ("enqueued", good.id, "READY", 0),
        ("started", good.id, "RUNNING", 1),
        ("finished", good.id, "SUCCESSFUL", 1),
        ("enqueued", bad.id, "READY", 0),
        ("started", bad.id, "RUNNING", 1),
        ("started", bad.id, "RUNNING", 2),
        ("finished", bad.id, "FAILED", 2),
    ]
    assert (await refreshed(kind, good)).status == TaskResultStatus.SUCCESSFUL


@pytest.mark.parametrize("task", [jobs.connect, jobs.connect_async], ids=KINDS)
async def test_connections_are_closed_after_an_attempt(
    task: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # One in memory is never closed.
    monkeypatch.setitem(connections.databases["default"], "NAME", str(tmp_path / "database"))
    result = task.enqueue()
    await work()
    result.refresh()
    assert result.errors == []
    (wrapper,) = jobs.seen
    assert wrapper.connection is None


async def test_what_is_no_task_of_the_project_is_released(url: str) -> None:
    async with AsyncClient(url) as client:
        for title in ("resize", "os.getcwd", "no_such_module.task", "..", "tests.acceptance.gone"):
            await client.submit(title, retry_limit=0)
        await work()
        tasks = [task async for task in client.list()]
        assert {(task.status, task.current_retry_count) for task in tasks} == {("to_do", 0)}
        assert all("no handler" in (task.error or "") for task in tasks)


async def test_a_module_that_cannot_be_imported_is_told(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "broken_jobs.py").write_text("import absent_dependency\n")
    monkeypatch.syspath_prepend(tmp_path)
    payload = {"args": [], "kwargs": {}, "backend": "default"}
    async with AsyncClient(url) as client:
        task = await client.submit("broken_jobs.run", payload=payload, retry_limit=0)
        await work()
        task = await client.get(task.id)
    assert task.status == "failed"
    assert (task.error or "").endswith("No module named 'absent_dependency'")


async def test_a_backend_of_its_own_options() -> None:
    result = jobs.pay.using(backend="other").enqueue(1)
    await work()
    result.refresh()
    assert (result.status, result.attempts) == (TaskResultStatus.FAILED, 1)


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    result = jobs.add.using(queue_name="mail").enqueue(1)
    other = jobs.add.using(queue_name="slow").enqueue(1)
    call_command("rowlock_worker", "--queue", "mail", "--concurrency", "2", "--once")
    result.refresh()
    other.refresh()
    assert (result.status, other.status) == (TaskResultStatus.SUCCESSFUL, TaskResultStatus.READY)
    for arguments, said in (
        (["--queue", "strange"], "has no queue 'strange'"),
        (["--backend", "nobody"], "nobody"),
        (["--concurrency", "0"], "concurrency"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command("rowlock_worker", "--once", *arguments)
