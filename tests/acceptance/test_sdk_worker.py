"""Worker processes on a real server: stopped, killed, and left without the server."""

import signal
import subprocess
import sys
from pathlib import Path

from rowlock import Client
from rowlock.worker.threads import SPARE_THREADS
from tests.acceptance.deployment import Api, Deployment, until
from tests.acceptance.working import Work, count

HANDLERS = ("--handlers", "tests.acceptance.handlers:worker", "--concurrency", "8")


def test_an_idle_worker_ends_at_once_though_its_poll_is_long(api: Api, work: Work) -> None:
    worker = work("idle", *HANDLERS)
    until(lambda: "rowlock_waiting_callers 1.0" in api.http.get("/metrics").text, "waiting")
    worker.signal(signal.SIGTERM)
    worker.ends(5)


def test_what_has_not_ended_is_given_back_at_the_second_signal(client: Client, work: Work) -> None:
    worker = work("impatient", *HANDLERS, "--grace-seconds", "3600")
    ids = client.submit_many({"title": title} for title in ("long", "stuck", "long"))
    until(lambda: count(client, "in_progress") == 3, "all begun")
    worker.signal(signal.SIGTERM)
    until(lambda: "stopping: 3 tasks are still running" in worker.words, "stopping")
    assert count(client, "in_progress") == 3
    worker.signal(signal.SIGINT)
    worker.ends()
    for task_id in ids:
        task = client.get(task_id)
        assert (task.status, task.current_retry_count) == ("to_do", 0)
        assert [attempt.outcome for attempt in client.attempts(task_id)] == ["released"]


def test_tasks_of_a_new_kind_wait_for_the_workers_that_know_it(
    deployment: Deployment, client: Client, work: Work
) -> None:
    """A rolling deployment in which clients come first."""
    deployment.schedule()
    older = work("older", *HANDLERS)
    ids = client.submit_many({"title": "of a new kind", "retry_limit": 0} for _ in range(20))
    until(lambda: all(client.get(i).attempt >= 2 for i in ids), "released twice")
    older.signal(signal.SIGTERM)
    older.ends()
    newer = work("newer", "--concurrency", "8", "--exec", "/bin/echo", "known by now")
    for task_id in ids:
        task = client.wait(task_id, 60)
        assert (task.status, task.result, task.worker) == ("done", "known by now", "newer")
        first, *_ = client.attempts(task_id)
        assert (first.outcome, first.worker) == ("released", "older")
    assert older.words.count("no handler for tasks titled 'of a new kind'") == 1
    newer.signal(signal.SIGTERM)
    newer.ends()


def test_a_worker_whose_threads_hang_ends_with_an_error(client: Client, work: Work) -> None:
    worker = work("stuck", *HANDLERS[:2], "--concurrency", "4", "--grace-seconds", "0")
    client.submit_many({"title": "stuck", "timeout_seconds": 1} for _ in range(4 + SPARE_THREADS))
    assert worker.child.ends_within(30), worker.words
    assert worker.child.exit_code() == 1
    assert "rowlock: 12 threads are held by handlers that have not ended" in worker.words
    assert "tests.acceptance.handlers.stuck (12)" in worker.words


def test_a_process_whose_threads_hang_is_replaced(client: Client, work: Work) -> None:
    options = ("--processes", "2", "--concurrency", "4", "--grace-seconds", "0")
    worker = work("stuck", *HANDLERS[:2], *options)
    until(lambda: worker.words.count("worker stuck-") == 2, "both work")
    first = worker.children()
    tasks = 2 * (4 + SPARE_THREADS)
    client.submit_many({"title": "stuck", "timeout_seconds": 1} for _ in range(tasks))
    until(lambda: "has ended with exit code 1" in worker.words, "one has ended")
    until(lambda: worker.words.count("worker stuck-") > 2, "replaced")
    assert worker.children() - first
    worker.signal(signal.SIGTERM)
    assert worker.child.ends_within(15), worker.words


def test_a_handler_submits_others_by_their_functions(client: Client, work: Work) -> None:
    worker = work("chain", *HANDLERS)
    chain = client.wait(client.submit("chain", retry_limit=0).id, 20)
    assert chain.error is None
    for task_id in chain.result:
        assert client.wait(task_id, 20).status == "done"
    assert worker.ran() == dict.fromkeys(chain.result, 1)
    worker.signal(signal.SIGTERM)
    worker.ends()


NO_DATABASE = """
from collections.abc import AsyncIterator
from rowlock import Worker

worker = Worker()
worker.handler(lambda task, attempt: None)

@worker.lifespan
async def database() -> AsyncIterator[None]:
    raise KeyError("DATABASE_URL")
    yield
"""


def test_a_lifespan_that_fails_ends_the_command_and_shows_where(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(NO_DATABASE)
    ran = subprocess.run(
        [sys.executable, "-m", "rowlock", "worker", "--handlers", "mine:worker"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1
    assert 'mine.py", line 10, in database' in ran.stderr
    assert ran.stderr.endswith("The lifespan database failed to begin: KeyError: 'DATABASE_URL'\n")


def test_a_worker_outlasts_its_server(
    deployment: Deployment, api: Api, client: Client, work: Work, tmp_path: Path
) -> None:
    worker = work("patient", *HANDLERS)
    go = tmp_path / "go"
    task = client.submit("until", payload=str(go))
    until(lambda: client.get(task.id).status == "in_progress", "begun")
    api.stop()
    go.touch()
    until(
        lambda: worker.ran() == {task.id: 1} and "server is not available" in worker.words,
        "done alone",
    )
    deployment.serve(port=api.port)
    done = client.wait(task.id, 20)
    assert (done.status, done.attempt) == ("done", 1)
    assert client.wait(client.submit("coroutine").id, 20).worker == "patient"
    worker.signal(signal.SIGTERM)
    worker.ends()


def test_a_handler_that_waits_for_a_thread_of_asyncio_does_not_keep_it(
    client: Client, work: Work
) -> None:
    worker = work("stopped", *HANDLERS, "--grace-seconds", "0")
    task = client.submit("to thread")
    until(lambda: client.get(task.id).progress == "begun", "begun")
    worker.signal(signal.SIGTERM)
    worker.ends()
    assert client.get(task.id).status == "to_do"
