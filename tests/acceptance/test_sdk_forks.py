"""Connections belong to the process that opened them: real forks, under load."""

import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from rowlock import Client
from tests.acceptance.working import Work


def program(kind: str, ids: list[int], environment: dict[str, str]) -> None:
    ran = subprocess.Popen(
        [sys.executable, "-m", "tests.acceptance.forking", kind, *map(str, ids)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said = ran.communicate(timeout=120)[1]
    finally:
        with suppress(ProcessLookupError):  # nor any child of it
            os.killpg(ran.pid, signal.SIGKILL)
    assert ran.returncode == 0, said


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
def test_every_process_gets_its_own_answers(
    client: Client, environment: dict[str, str], kind: str
) -> None:
    ids = client.submit_many({"title": f"task {n}"} for n in range(8))
    program(kind, ids, environment)


def test_the_forks_of_a_worker_are_workers_of_their_own(
    client: Client, environment: dict[str, str]
) -> None:
    ids = client.submit_many({"title": "pid"} for _ in range(50))
    program("workers", ids, environment)


@pytest.mark.parametrize("kind", ["coroutine", "thread"])
def test_a_child_that_a_handler_forks_and_forgets_is_no_second_worker(
    client: Client, work: Work, kind: str
) -> None:
    ids = client.submit_many({"title": kind, "payload": n % 3} for n in range(30))
    worker = work("forks", "--handlers", "tests.acceptance.forking:worker", "--concurrency", "4")
    for number, task_id in enumerate(ids):
        task = client.wait(task_id, 30)
        assert (task.status, task.result, task.attempt) == ("done", number % 3, 1)
    worker.signal(signal.SIGTERM)
    worker.ends()
