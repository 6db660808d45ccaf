"""The example in docs/, on real input: every file of the standard library, and a worker killed."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.deployment import Api, Deployment, until

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(project: Path) -> Iterator[Start]:
    """Start one of the example's programs."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: str) -> "subprocess.Popen[str]":
        path = project / "docs/examples/standard-library" / program
        started.append(
            subprocess.Popen(
                [sys.executable, str(path), *arguments],
                env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def end(process: "subprocess.Popen[str]") -> str:
    """What it has said, when it has ended well."""
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    return said


def in_hand(api: Api, worker: str) -> list[dict[str, Any]]:
    running = api.http.get("/tasks", params={"status": "in_progress", "limit": 1000})
    return [task for task in running.json() if task["worker"] == worker]


def done(api: Api) -> int:
    count: int = api.http.get("/tasks/count", params={"status": "done"}).json()["count"]
    return count


def test_every_file_is_digested_once_though_a_worker_is_killed(
    deployment: Deployment, api: Api, start: Start
) -> None:
    deployment.schedule()
    workers = {name: start("worker.py", name, api.url) for name in ("one", "two", "three", "four")}
    submitted = re.match(r"(\d+) tasks submitted", end(start("submit.py", api.url)))
    assert submitted
    total = int(submitted[1])
    assert total > 500, "a real standard library: Debian's own has 723 files, others thousands"

    until(lambda: done(api) > total / 2, "half-way")
    victim = workers.pop("one")

    def is_stopped_with_work_in_hand() -> bool:
        victim.send_signal(signal.SIGSTOP)
        if in_hand(api, "one"):
            return True
        victim.send_signal(signal.SIGCONT)
        return False

    until(is_stopped_with_work_in_hand, "caught with work in hand")
    victim.kill()
    assert total - done(api) > 100, "killed too late to prove anything"

    said = end(start("verify.py", api.url))
    assert f"{total} files, each done once, every digest right" in said

    tasks: list[dict[str, Any]] = []
    answer = api.http.get("/tasks", params={"limit": 1000})
    while answer.links.get("next"):
        tasks += answer.json()
        answer = api.http.get(answer.links["next"]["url"])
    tasks += answer.json()
    assert len(tasks) == total
    came_back = [task for task in tasks if task["attempt"] > 1]
    assert came_back
    for task in came_back:
        attempts = api.http.get(f"/tasks/{task['id']}/attempts").json()
        # What was on its way to the worker when it died, the API takes back itself.
        assert attempts[0]["outcome"] in ("lost", "released")
        assert attempts[1]["outcome"] == "done"
        assert attempts[0]["worker"] == "one"
        assert attempts[1]["worker"] in workers

    accepted = 0
    for name, worker in workers.items():
        worker.send_signal(signal.SIGTERM)
        count = re.match(rf"{name} has done (\d+) tasks", end(worker))
        assert count
        accepted += int(count[1])
    assert accepted == sum(task["worker"] != "one" for task in tasks), "each accepted once"
