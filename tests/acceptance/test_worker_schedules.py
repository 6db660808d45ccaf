"""`@worker.schedule` in real processes: what the server is told, and what comes of it."""

import os
import signal
from pathlib import Path

import pytest

from app.local.ports import free_port
from rowlock import Client
from tests.acceptance.commands import run
from tests.acceptance.deployment import Api, Deployment, until
from tests.acceptance.working import Work

MODULE = """\
from rowlock import Task, Worker

worker = Worker()


@worker.handler("tick", retry_limit=0)
@worker.schedule({when}, overlap="allow", payload={{"n": 1}})
def tick(task: Task) -> object:
    return [task.payload, task.origin.schedule]


if __name__ == "__main__":
    worker.run()
"""
HANDLERS = ("--handlers", "ticking:worker")


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module `ticking` that can be imported."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "ticking.py"


def test_of_several_processes_one_puts_it_and_all_do_its_tasks(
    deployment: Deployment, client: Client, work: Work, module: Path
) -> None:
    module.write_text(MODULE.format(when="every_seconds=1"))
    deployment.schedule()
    worker = work("pool", *HANDLERS, "--processes", "3")
    until(lambda: worker.words.count("worker pool-") == 3, "all at work")
    until(lambda: len([*client.list(status="done")]) >= 3, "three occurrences")
    done = [*client.list(status="done")]
    assert {str(task.result) for task in done} == {"[{'n': 1}, 'tick']"}
    assert len({task.origin.occurrence_at for task in done if task.origin}) == len(done)
    assert worker.words.count("schedule 'tick' made: next at ") == 1
    # One that takes the place of another has nothing to tell either.
    gone = worker.children().pop()
    os.kill(gone, signal.SIGKILL)
    until(lambda: worker.words.count("worker pool-") == 4, "replaced")
    worker.signal(signal.SIGTERM)
    worker.ends()
    assert worker.words.count("schedule 'tick'") == 1
    assert client.schedules.get("tick").revision == 1


@pytest.mark.parametrize("processes", ["1", "2"])
def test_one_that_is_refused_is_told_in_a_sentence(api: Api, module: Path, processes: str) -> None:
    module.write_text(MODULE.format(when='"0 25 * * *"'))
    environment = os.environ | {"ROWLOCK_URL": api.url}
    ran = run(environment, "worker", *HANDLERS, "--processes", processes, code=1)
    (said,) = [line for line in ran.stderr.splitlines() if "refused" in line]
    assert said.startswith("rowlock: the schedule 'tick' was refused: cron: hour: 25 is not")
    assert api.http.get("/schedules").json() == []


def test_a_server_that_comes_later_is_waited_for(
    deployment: Deployment, work: Work, api: Api, module: Path
) -> None:
    module.write_text(MODULE.format(when='"@daily"'))
    port = free_port()
    worker = work("early", *HANDLERS, "--url", f"http://127.0.0.1:{port}")
    until(lambda: "the server is not available" in worker.words, "waiting")
    later = deployment.serve(port=port)
    until(lambda: "schedule 'tick' made: next at " in worker.words, "put")
    assert later.http.get("/schedules/tick").json()["revision"] == 1
    worker.signal(signal.SIGTERM)
    worker.ends()
