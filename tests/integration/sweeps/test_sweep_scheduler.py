"""`scheduler.py` as a process of its own: the sweeps happen without anybody's doing."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.processes.scheduler import schedule
from app.settings import Settings
from tests.support.calls import claim_one, submit
from tests.support.elapse import mysql_now
from tests.support.factories import TaskFactory


@pytest.fixture
def scheduler(
    settings: Settings, project: Path, tmp_path: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    assert settings.redis_url is not None
    environment = {
        **os.environ,
        "ROWLOCK_DATABASE_URL": settings.database_url,
        "ROWLOCK_REDIS_URL": settings.redis_url,
        "ROWLOCK_SWEEP_INTERVAL_SECONDS": "0.1",
    }
    # From a directory of its own: it finds the project wherever it is started.
    with subprocess.Popen(
        [sys.executable, project / "scheduler.py"], env=environment, cwd=tmp_path
    ) as process:
        yield process
        process.kill()


async def test_the_scheduler_sweeps_until_it_is_told_to_stop(
    scheduler: "subprocess.Popen[bytes]",
    api: httpx.AsyncClient,
    session: Session,
    engine: Engine,
) -> None:
    overdue = TaskFactory(overdue=True, retry_limit=0)
    ended = await api.get(f"/tasks/{overdue.id}?wait_seconds=30")
    assert ended.json()["status"] == "failed"

    soon = mysql_now(engine) + timedelta(seconds=0.5)
    delayed = await submit(api, available_at=f"{soon.isoformat()}Z")
    lease = await claim_one(api, wait_seconds=30)
    assert lease["task"]["id"] == delayed["id"]

    scheduler.send_signal(signal.SIGTERM)
    assert scheduler.wait(timeout=30) == 0


async def test_a_sweep_that_is_due_in_the_moment_of_the_stop_is_not_cut_off(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    interval = 0.2
    before = asyncio.all_tasks()
    stopped = asyncio.Event()
    scheduling = asyncio.create_task(
        schedule(settings.model_copy(update={"sweep_interval_seconds": interval}), stopped)
    )
    for _ in range(3):
        await asyncio.sleep(0)  # until it waits for its first sweeps
    asyncio.get_running_loop().call_later(interval + 0.01, stopped.set)
    # The machine is too busy to tell the two apart: both are seen at once, the sweeps first.
    time.sleep(interval + 0.1)  # noqa: ASYNC251
    await scheduling
    if left := asyncio.all_tasks() - before:
        await asyncio.wait(left)
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []
