"""`scheduler.py` as a process of its own: the sweeps happen without anybody's doing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.settings import Settings
from tests.calls import claim_one, submit
from tests.elapse import mysql_now
from tests.factories import TaskFactory


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
