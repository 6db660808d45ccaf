"""Programs of the examples, and what they do to tasks."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.deployment import Api, until

PYTHON = sys.executable
ROWLOCK = (PYTHON, "-m", "rowlock")
TASK_SECONDS = 60.0


class Program:
    """A running program of an example."""

    def __init__(self, folder: Path, log: Path, *command: str, **environment: str) -> None:
        self._log = log
        ours = {k: v for k, v in os.environ.items() if not k.startswith("ROWLOCK_")}
        with log.open("wb") as sink:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=ours | {"PYTHONDONTWRITEBYTECODE": "1"} | environment,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    @property
    def words(self) -> str:
        return self._log.read_text()

    def children(self) -> list[int]:
        """The processes that it has started, and that have not ended."""
        found: list[int] = []
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):  # it may have ended
                found += map(int, (thread / "children").read_text().split())
        return found

    def ends(self, seconds: float = 60.0) -> str:
        """What it has said, when it has ended well."""
        until(lambda: not self.is_running, "ended", seconds)
        assert self.process.returncode == 0, self.words
        return self.words

    def stops(self) -> str:
        """The same, told to stop."""
        self.process.send_signal(signal.SIGTERM)
        return self.ends()


Start = Callable[..., Program]


def need(*commands: str) -> None:
    for command in commands:
        if shutil.which(command) is None:
            pytest.skip(f"{command} is not installed; this example needs it")


def listens(url: str) -> bool:
    """Whether something serves HTTP there."""
    try:
        httpx.get(url)
    except httpx.TransportError:
        return False
    return True


def submit(api: Api, title: str, queue: str, payload: Any, **fields: Any) -> int:
    body = {"title": title, "queue": queue, "payload": payload, **fields}
    answer = api.http.post("/tasks", json=body).raise_for_status()
    return int(answer.json()["id"])


def get(api: Api, task_id: int) -> dict[str, Any]:
    task: dict[str, Any] = api.http.get(f"/tasks/{task_id}").raise_for_status().json()
    return task


def ended(api: Api, task_id: int) -> dict[str, Any]:
    """The task, once it has ended."""
    params = {"wait_seconds": TASK_SECONDS}
    task: dict[str, Any] = api.http.get(f"/tasks/{task_id}", params=params).json()
    assert task["status"] in ("done", "failed", "cancelled"), task
    return task


def attempts(api: Api, task_id: int) -> list[str]:
    """How the task's attempts have ended."""
    answer = api.http.get(f"/tasks/{task_id}/attempts").raise_for_status()
    return [attempt["outcome"] for attempt in answer.json()]
