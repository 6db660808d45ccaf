"""The workers that speak HTTP themselves, in bash and Node.js, each run as its page says."""

import os
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.local.ports import free_port
from tests.acceptance.deployment import Api, Deployment, until
from tests.acceptance.examples import TASK_SECONDS, Start, attempts, ended, get, need, submit


@pytest.fixture
def guarded(deployment: Deployment, redis_url: str, tmp_path: Path) -> Iterator[Api]:
    """An API that wants tokens."""
    environment = dict(os.environ) | {
        "ROWLOCK_DATABASE_URL": deployment.database_url,
        "ROWLOCK_REDIS_URL": redis_url,
        "ROWLOCK_REDIS_PREFIX": f"{tmp_path.name}:",
        "ROWLOCK_CLIENT_TOKENS": "client-secret",
        "ROWLOCK_WORKER_TOKENS": "worker-secret",
    }
    api = Api("guarded", environment, tmp_path, free_port())
    api.http.headers["Authorization"] = "Bearer client-secret"
    try:
        api.wait_ready()
        yield api
        api.stop()
    finally:
        api.kill()
        api.http.close()


class Site:
    """A web site with one page that is there, and one that takes its time."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.hung_up = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/slow":
                    site.go_on.wait(TASK_SECONDS)
                elif self.path == "/endless":
                    self.connection.recv(1)
                    site.hung_up.set()
                    return
                self.send_response(200 if self.path in ("/", "/slow") else 404)
                self.end_headers()
                self.wfile.write(b"hello")

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def test_bash_worker(api: Api, start: Start, tmp_path: Path) -> None:
    need("bash", "curl", "jq")
    strange = tmp_path / "a \"quoted\" 'file'\\n $HOME.txt"
    strange.write_text("one two\nthree\n")
    worker = start("bash-worker", "./worker.sh", ROWLOCK_URL=api.url)
    there = submit(api, "count", "files", {"path": str(strange)})
    absent = submit(api, "count", "files", {"path": 'no"where'}, retry_limit=0)
    wrong = [submit(api, "count", "files", payload) for payload in (None, "text", {"path": None})]

    assert ended(api, there)["result"] == {"lines": 2, "words": 3, "bytes": 14}
    assert 'no"where: No such file' in ended(api, absent)["error"]
    for task_id in wrong:
        task = ended(api, task_id)
        assert (task["status"], task["error"]) == ("failed", 'the payload has no "path"')
        assert task["current_retry_count"] == 0

    worker.stops()


def test_bash_worker_outlasts_its_server_and_finishes_what_it_holds(
    deployment: Deployment, api: Api, start: Start, tmp_path: Path
) -> None:
    need("bash", "curl", "jq")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)  # counting it takes until somebody has written to it
    worker = start("bash-worker", "./worker.sh", ROWLOCK_URL=api.url)
    first = submit(api, "count", "files", {"path": str(pipe)})
    until(lambda: get(api, first)["status"] == "in_progress", "begun")
    api.stop()
    pipe.write_text("one\n")
    until(lambda: "curl: (7)" in worker.words, "noticed that the server is away")
    api = deployment.serve(port=api.port)
    assert ended(api, first)["result"] == {"lines": 1, "words": 1, "bytes": 4}
    assert attempts(api, first) == ["done"]

    second = submit(api, "count", "files", {"path": str(pipe)})
    until(lambda: get(api, second)["status"] == "in_progress", "begun")
    worker.process.send_signal(signal.SIGTERM)
    pipe.write_text("two\n")
    worker.ends()
    assert attempts(api, second) == ["done"]


@pytest.mark.parametrize(
    ("example", "command", "queue"),
    [
        ("bash-worker", ("bash", "worker.sh"), "files"),
        ("node-worker", ("node", "worker.mjs"), "links"),
    ],
)
def test_a_worker_without_sdk_shows_its_token(
    guarded: Api, start: Start, example: str, command: tuple[str, ...], queue: str
) -> None:
    need(command[0], *(("curl", "jq") if command[0] == "bash" else ()))
    task_id = submit(guarded, "any", queue, {})
    refused = start(example, *command, ROWLOCK_URL=guarded.url, ROWLOCK_TOKEN="client-secret")
    until(lambda: not refused.is_running, "ended")
    assert refused.process.returncode == 1
    assert "This call needs a token for the worker door." in refused.words

    worker = start(example, *command, ROWLOCK_URL=guarded.url, ROWLOCK_TOKEN="worker-secret")
    assert "the payload" in ended(guarded, task_id)["error"]
    worker.stops()


def test_node_worker(deployment: Deployment, api: Api, start: Start, site: Site) -> None:
    need("node")
    deployment.schedule()
    worker = start("node-worker", "node", "worker.mjs", ROWLOCK_URL=api.url)
    pages = [submit(api, "check", "links", {"url": site.url + "/"}) for _ in range(12)]
    missing = submit(api, "check", "links", {"url": site.url + "/missing"})
    wrong = submit(api, "check", "links", {"url": "not an address"})
    nobody = submit(api, "check", "links", {"url": "http://127.0.0.1:9/"}, retry_limit=0)
    for page in pages:
        result = ended(api, page)["result"]
        assert (result["status"], result["bytes"]) == (200, 5)
    assert ended(api, missing)["result"]["status"] == 404
    assert ended(api, wrong)["error"] == "the payload has no url to check"
    assert attempts(api, wrong) == ["failed"]
    assert ended(api, nobody)["status"] == "failed"

    # Longer than its lease of 6 s, which heartbeats keep alive.
    slow = submit(api, "check", "links", {"url": site.url + "/slow"})
    until(lambda: (get(api, slow)["progress"] or {"seconds": 0})["seconds"] > 6, "past its lease")
    cancelled = submit(api, "check", "links", {"url": site.url + "/endless"})
    until(lambda: get(api, cancelled)["status"] == "in_progress", "begun")
    api.http.post(f"/admin/tasks/{cancelled}/cancel").raise_for_status()
    until(site.hung_up.is_set, "given up what was cancelled")

    worker.process.send_signal(signal.SIGTERM)
    assert worker.is_running
    site.go_on.set()
    said = worker.ends()
    assert get(api, slow)["status"] == "done"
    assert attempts(api, slow) == ["done"]
    assert f"no longer holds task {cancelled}" in said


def test_node_worker_outlasts_its_server(
    deployment: Deployment, api: Api, start: Start, site: Site
) -> None:
    need("node")
    worker = start("node-worker", "node", "worker.mjs", "2", ROWLOCK_URL=api.url)
    task_id = submit(api, "check", "links", {"url": site.url + "/slow"})
    until(lambda: get(api, task_id)["status"] == "in_progress", "begun")
    api.stop()
    site.go_on.set()
    until(lambda: "trying again" in worker.words, "noticed that the server is away")
    api = deployment.serve(port=api.port)
    assert ended(api, task_id)["status"] == "done"
    assert attempts(api, task_id) == ["done"]
    worker.stops()
