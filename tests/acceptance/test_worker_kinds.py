"""`rowlock worker` in its three kinds: real processes, of which one is stopped and one killed."""

import json
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rowlock import Client
from tests.acceptance.deployment import Api, Deployment, until
from tests.acceptance.working import Work, count

TASKS = 1000
SLOTS = 8
BRIEF = ("--grace-seconds", "0.5")
KINDS = {
    "exec": ("--exec", "/bin/sh", "-c", 'sleep 0.02; echo "$ROWLOCK_TASK_ID" >> "$RAN"'),
    "handlers": ("--handlers", "tests.acceptance.handlers:worker"),
    "forward": ("--forward", "SERVICE"),
}


@contextmanager
def a_service(home: Path) -> Iterator[str]:
    """A web service that does tasks, and notes for which worker."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            task = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            time.sleep(0.02)
            with (home / f"{task['worker']}.ran").open("a") as notes:
                notes.write(f"{task['id']}\n")
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # a worker that was killed has hung up

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_tasks_are_done_once_though_one_worker_is_stopped_and_one_killed(
    deployment: Deployment, client: Client, work: Work, tmp_path: Path, kind: str
) -> None:
    deployment.schedule()
    client.submit_many(
        {"title": ("coroutine", "thread")[n % 2], "retry_delay_seconds": 0} for n in range(TASKS)
    )
    with a_service(tmp_path) as service:
        does = (option.replace("SERVICE", service) for option in KINDS[kind])
        options = ("--concurrency", str(SLOTS), "--lease-seconds", "5", *does)
        stopped, killed, other = (work(name, *options) for name in ("stopped", "killed", "other"))
        until(lambda: all(w.ran() for w in (stopped, killed, other)), "all at work")
        stopped.signal(signal.SIGTERM)
        stopped.ends()

        def is_caught_with_work_in_hand() -> bool:
            killed.signal(signal.SIGSTOP)
            if any(task.worker == "killed" for task in client.list(status="in_progress")):
                return True
            killed.signal(signal.SIGCONT)
            return False

        until(is_caught_with_work_in_hand, "caught with work in hand")
        assert count(client, "done") < TASKS, "too late to prove anything"
        killed.child.kill()
        until(lambda: count(client, "done") == TASKS, "all done", 60)
        other.signal(signal.SIGTERM)
        other.ends()

    tasks = list(client.list(page_size=1000))
    assert len(tasks) == TASKS
    assert {task.status for task in tasks} == {"done"}
    # Who was stopped finished all it had begun, each once, and each was accepted.
    assert stopped.ran() == Counter(t.id for t in tasks if t.worker == "stopped")
    assert other.ran() == Counter(t.id for t in tasks if t.worker == "other")
    # What was on its way to one that was stopped or killed was given back, at no cost; only what
    # the one that was killed had in hand has cost a retry.
    first_ends = {
        task.id: [(a.worker, a.outcome) for a in client.attempts(task.id)][:-1]
        for task in tasks
        if task.attempt > 1 or task.current_retry_count > 0
    }
    lost = [task_id for task_id, ends in first_ends.items() if ("killed", "lost") in ends]
    assert 0 < len(lost) <= SLOTS
    for task in tasks:
        assert task.current_retry_count == (task.id in lost)
        for end in first_ends.get(task.id, []):
            assert end in [("killed", "lost"), ("killed", "released"), ("stopped", "released")]


def asleep(seconds: str) -> bool:
    """Whether a process `sleep` of that length is there; each test has its own."""
    for process in Path("/proc").glob("[0-9]*"):
        # It may end while it is looked at; a pattern that looks inside would trip over that.
        with suppress(FileNotFoundError, ProcessLookupError):
            name, *given = (process / "cmdline").read_bytes().split(b"\0")
            if name.endswith(b"sleep") and given[0] == seconds.encode():
                return True
    return False


def test_a_cancelled_command_is_dead_within_two_heartbeats(client: Client, work: Work) -> None:
    worker = work(
        "w", *BRIEF, "--lease-seconds", "6", "--exec", "/bin/sh", "-c", "sleep 600.125; true"
    )
    task = client.submit("sleep")
    until(lambda: asleep("600.125"), "asleep")
    client.admin.cancel(task.id)
    until(lambda: not asleep("600.125"), "dead", seconds=2 * 6 / 3)
    assert client.get(task.id).status == "cancelled"
    # And the slot is free for the next.
    client.submit("next")
    until(lambda: asleep("600.125"), "asleep again")
    assert worker.child.exit_code() is None


def test_at_its_deadline_a_command_that_will_not_end_is_killed(
    deployment: Deployment, client: Client, work: Work
) -> None:
    deployment.schedule()
    script = "trap '' TERM; if [ $ROWLOCK_TITLE = quick ]; then exit 0; fi; sleep 600.25; sleep 9"
    worker = work("w", "--exec", "/bin/sh", "-c", script)
    stuck = client.submit("stuck", timeout_seconds=1, retry_limit=0, priority="高")
    ended = client.wait(stuck.id, 20)
    assert (ended.status, ended.error) == ("failed", "timed out after 1 s")
    assert client.wait(client.submit("quick").id, 20).worker == "w"
    assert not asleep("600.25")
    worker.signal(signal.SIGTERM)
    worker.ends()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_grace_over_a_command_is_ended_and_its_task_given_back(
    client: Client, work: Work, number: signal.Signals
) -> None:
    worker = work("w", *BRIEF, "--exec", "/bin/sh", "-c", "sleep 600.5; true")
    task = client.submit("t")
    until(lambda: asleep("600.5"), "asleep")
    worker.signal(number)
    worker.ends()
    assert not asleep("600.5")
    assert (client.get(task.id).status, client.get(task.id).current_retry_count) == ("to_do", 0)


def test_progress_of_a_command_shows_while_it_runs(client: Client, work: Work) -> None:
    work("w", *BRIEF, "--exec", "/bin/sh", "-c", "echo '::progress 40' >&2; sleep 600.75")
    task = client.submit("t")
    until(lambda: client.get(task.id).progress == {"percent": 40}, "shown")


def test_once_it_does_what_there_is_and_leaves(client: Client, work: Work) -> None:
    ids = client.submit_many({"title": f"t{n}", "queue": f"q{n % 2}"} for n in range(20))
    client.submit("else", queue="q2")
    options = ("--queue", "q0", "--queue", "q1", "--concurrency", "4", "--once")
    work("w", *options, "--", "/bin/sh", "-c", 'echo "$ROWLOCK_TITLE"').ends()
    assert [client.get(i).result for i in ids] == [f"t{n}" for n in range(20)]
    assert count(client, "to_do") == 1


def test_a_token_that_is_not_taken_ends_it_with_a_sentence(
    deployment: Deployment, api: Api, work: Work
) -> None:
    worker = work("w", "--token", "x", "--url", f"{api.url}/nowhere", "--exec", "/bin/true")
    assert worker.child.ends_within(10)
    assert worker.child.exit_code() == 1
    assert re.search(r"^rowlock: 4\d\d ", worker.words, re.MULTILINE)
