"""Worker processes on a real server: stopped, killed, and left without the server."""

import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.local.child import Child
from rowlock import Client
from tests.acceptance.deployment import Api, Deployment, until


class WorkerProcess:
    """A running `tests.acceptance.sdk_worker`."""

    def __init__(self, name: str, url: str, home: Path, grace_seconds: float) -> None:
        self.name = name
        self._log = home / f"worker-{name}.log"
        self.child = Child(
            name,
            [sys.executable, "-m", "tests.acceptance.sdk_worker", name, str(grace_seconds)],
            log=self._log,
            environment=os.environ | {"ROWLOCK_URL": url},
        )

    @property
    def words(self) -> str:
        return self._log.read_text()

    def ran(self) -> Counter[int]:
        """How often each task's handler has run to its end."""
        return Counter(map(int, re.findall(r"^ran (\d+)$", self.words, re.MULTILINE)))

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.child.pid, number)

    def ends(self, seconds: float = 10.0) -> None:
        """Check that it ends well."""
        assert self.child.ends_within(seconds), self.words
        assert self.child.exit_code() == 0, self.words
        assert "Traceback" not in self.words


Work = Callable[..., WorkerProcess]


@pytest.fixture
def work(api: Api, tmp_path: Path) -> Iterator[Work]:
    """Start a worker."""
    started: list[WorkerProcess] = []

    def work(name: str, grace_seconds: float = 20.0) -> WorkerProcess:
        started.append(WorkerProcess(name, api.url, tmp_path, grace_seconds))
        return started[-1]

    yield work
    for worker in started:
        worker.child.kill()


def count(client: Client, status: str) -> int:
    return sum(sum(queue.tasks[status].values()) for queue in client.stats().queues)


def test_an_idle_worker_ends_at_once_though_its_poll_is_long(api: Api, work: Work) -> None:
    worker = work("idle")
    until(lambda: "rowlock_waiting_callers 1.0" in api.http.get("/metrics").text, "waiting")
    worker.signal(signal.SIGTERM)
    worker.ends(5)


def test_what_has_not_ended_is_given_back_at_the_second_signal(client: Client, work: Work) -> None:
    worker = work("impatient", grace_seconds=3600)
    ids = client.submit_many({"title": title} for title in ("long", "stuck", "long"))
    until(lambda: count(client, "in_progress") == 3, "all begun")
    worker.signal(signal.SIGTERM)
    until(lambda: "stopping: 3 tasks still run" in worker.words, "stopping")
    assert count(client, "in_progress") == 3
    worker.signal(signal.SIGINT)
    worker.ends()
    for task_id in ids:
        task = client.get(task_id)
        assert (task.status, task.current_retry_count) == ("to_do", 0)
        assert [attempt.outcome for attempt in client.attempts(task_id)] == ["released"]


def test_a_worker_outlasts_its_server(
    deployment: Deployment, api: Api, client: Client, work: Work, tmp_path: Path
) -> None:
    worker = work("patient")
    go = tmp_path / "go"
    task = client.submit("until", payload=str(go))
    until(lambda: client.get(task.id).status == "in_progress", "begun")
    api.stop()
    go.touch()
    until(lambda: worker.ran() == {task.id: 1} and "server is away" in worker.words, "done alone")
    deployment.serve(port=api.port)
    done = client.wait(task.id, 20)
    assert (done.status, done.attempt) == ("done", 1)
    assert client.wait(client.submit("coroutine").id, 20).worker == "patient"
    worker.signal(signal.SIGTERM)
    worker.ends()
