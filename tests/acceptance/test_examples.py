"""The examples in docs/: each is run as its page says, and does what its page says."""

import gzip
import hashlib
import hmac
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.local.ports import free_port
from tests.acceptance.deployment import Api, Deployment, until

PYTHON = sys.executable
ROWLOCK = (PYTHON, "-m", "app")
TASK_SECONDS = 40.0


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
        pid = self.process.pid
        threads = Path(f"/proc/{pid}/task").glob("*/children")
        return [int(child) for thread in threads for child in thread.read_text().split()]

    def ends(self, seconds: float = 20.0) -> str:
        """What it has said, when it has ended well."""
        until(lambda: not self.is_running, "ended", seconds)
        assert self.process.returncode == 0, self.words
        return self.words

    def stops(self) -> str:
        """The same, told to stop."""
        self.process.send_signal(signal.SIGTERM)
        return self.ends()


Start = Callable[..., Program]


@pytest.fixture
def start(project: Path, tmp_path: Path) -> Iterator[Start]:
    """Start a program in an example's folder."""
    started: list[Program] = []

    def start(example: str, *command: str, **environment: str) -> Program:
        folder = project / "docs/examples" / example
        log = tmp_path / f"{example}-{len(started)}.log"
        started.append(Program(folder, log, *command, **environment))
        return started[-1]

    yield start
    for program in reversed(started):
        program.process.terminate()  # what it has started ends with it
        try:
            program.process.wait(10)
        except subprocess.TimeoutExpired:
            program.process.kill()
            program.process.wait()


def need(*commands: str) -> None:
    for command in commands:
        if shutil.which(command) is None:
            pytest.skip(f"{command} is not installed; this example needs it")


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


def test_every_example_is_in_the_index(project: Path) -> None:
    examples = project / "docs/examples"
    index = (examples / "README.md").read_text()
    named = re.findall(r"^\| \[[^]]+\]\(([^)]+)/\)", index, re.MULTILINE)
    assert sorted(named) == sorted(page.parent.name for page in examples.glob("*/README.md"))


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
    assert "This token does not open the worker door." in refused.words

    worker = start(example, *command, ROWLOCK_URL=guarded.url, ROWLOCK_TOKEN="worker-secret")
    assert "the payload" in ended(guarded, task_id)["error"]
    worker.stops()


def test_python_sdk(api: Api, start: Start) -> None:
    worker = start("python-sdk", PYTHON, "worker.py", ROWLOCK_URL=api.url)
    client = start("python-sdk", PYTHON, "submit.py", ROWLOCK_URL=api.url)

    def progress() -> dict[str, int]:
        found = api.http.get("/tasks", params={"title": "newsletter"}).json()
        return (get(api, found[0]["id"])["progress"] if found else None) or {}

    seen: dict[str, int] = {}

    def has_progress() -> bool:
        seen.update(progress())
        return bool(seen)

    until(has_progress, "some way with the newsletter")
    assert seen["of"] == 40
    assert 0 < seen["sent"] <= 40

    said = client.ends()
    assert re.search(r"^\d+ send newsletter: done, \{'sent': 40\}$", said, re.MULTILINE)
    assert re.search(r"^\d+ charge card: done, .*'receipt': 'R-\d+'", said, re.MULTILINE)
    failed = re.search(r"(\d+) charge card: failed, -5 cents cannot be charged\n", said)
    assert failed
    assert attempts(api, int(failed[1])) == ["failed"]
    assert len(re.findall(r" compress: done, \{'bytes': \d+, 'compressed': \d+\}", said)) == 2
    assert "stopping: 0 tasks still run" in worker.stops()


def test_python_sdk_handlers_by_the_command(api: Api, start: Start) -> None:
    command = (*ROWLOCK, "worker", "--handlers", "worker:worker", "--once")
    task_id = submit(api, "charge card", "shop", {"cents": 7})
    start("python-sdk", *command, ROWLOCK_URL=api.url).ends()
    assert get(api, task_id)["result"] == {"receipt": f"R-{task_id}", "cents": 7}


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


def test_long_command(api: Api, start: Start, tmp_path: Path) -> None:
    need("bash", "jq")
    source, target = tmp_path / "in put", tmp_path / "out put.gz"
    content = os.urandom(10_000)
    source.write_bytes(content)
    command = (*ROWLOCK, "worker", "-q", "videos", "-c", "2", "--exec", "./encode.sh")
    worker = start("long-command", *command, ROWLOCK_URL=api.url)
    wrong = submit(api, "encode", "videos", {"input": str(source)})
    payload = {"input": str(source), "output": str(target)}
    task_id = submit(api, "encode", "videos", payload)

    until(lambda: get(api, task_id)["progress"] is not None, "some way")
    assert 0 < get(api, task_id)["progress"]["percent"] <= 100
    assert ended(api, task_id)["result"] == {
        "output": str(target),
        "bytes": target.stat().st_size,
    }
    assert gzip.decompress(target.read_bytes()) == content

    assert ended(api, wrong)["error"].startswith('the payload needs "input" and "output"\n')
    assert attempts(api, wrong) == ["failed"]
    absent = submit(api, "encode", "videos", {**payload, "input": "nowhere"}, retry_limit=0)
    assert "nowhere: No such file" in ended(api, absent)["error"]
    assert [path.name for path in tmp_path.glob("*part*")] == []
    worker.stops()


def test_long_command_cancelled_and_given_back(api: Api, start: Start, tmp_path: Path) -> None:
    need("bash", "jq")
    source, target = tmp_path / "input", tmp_path / "output.gz"
    source.write_bytes(b"x" * 10_000)
    command = (*ROWLOCK, "worker", "-q", "videos", "--grace-seconds", "0", "--exec", "./encode.sh")
    worker = start("long-command", *command, ROWLOCK_URL=api.url)
    payload = {"input": str(source), "output": str(target)}
    cancelled = submit(api, "encode", "videos", payload)
    part = Path(f"{target}.part-1")
    until(part.exists, "begun")
    (encoder,) = worker.children()

    api.http.post(f"/admin/tasks/{cancelled}/cancel").raise_for_status()
    until(lambda: not Path(f"/proc/{encoder}").exists(), "the command dead")
    assert list(tmp_path.glob("output.gz*")) == []
    assert ended(api, cancelled)["status"] == "cancelled"

    given_back = submit(api, "encode", "videos", payload)
    until(part.exists, "begun")
    (encoder,) = worker.children()
    worker.stops()
    assert not Path(f"/proc/{encoder}").exists()
    assert list(tmp_path.glob("output.gz*")) == []
    task = get(api, given_back)
    assert (task["status"], task["current_retry_count"]) == ("to_do", 0)


def signature(key: str, timestamp: int, body: bytes) -> dict[str, str]:
    signed = hmac.new(key.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "Rowlock-Timestamp": str(timestamp),
        "Rowlock-Signature": f"v1={signed.hexdigest()}",
    }


def listens(url: str) -> bool:
    try:
        httpx.get(url)
    except httpx.TransportError:
        return False
    return True


def test_forward_fastapi(api: Api, start: Start) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/tasks"
    serve = (PYTHON, "-m", "uvicorn", "service:app", "--port", str(port))
    service = start("forward-fastapi", *serve, ROWLOCK_SIGNING_KEY="between us")
    until(lambda: listens(url), "serving")
    forward = (*ROWLOCK, "worker", "-q", "invoices", "--forward", url)
    key = {"ROWLOCK_SIGNING_KEY": "between us"}
    worker = start("forward-fastapi", *forward, ROWLOCK_URL=api.url, **key)

    lines = [{"product": "桨", "cents": 4900, "count": 2}, {"product": "seat", "cents": 7900}]
    good = submit(api, "invoice", "invoices", {"lines": lines})
    assert ended(api, good)["result"] == {"invoice": f"I-{good}", "cents": 17700}
    bad = submit(api, "invoice", "invoices", {"lines": 3})
    assert "answered 422" in ended(api, bad)["error"]
    assert attempts(api, bad) == ["failed"]
    worker.stops()

    body, now = b'{"id": 1, "payload": {"lines": []}}', int(time.time())
    right = signature("between us", now, body)
    assert httpx.post(url, content=body, headers=right).json() == {"invoice": "I-1", "cents": 0}
    for headers in (
        {},
        signature("another key", now, body),
        signature("between us", now, body + b" "),
        signature("between us", now - 310, body),
        signature("between us", now + 400, body),
        right | {"Rowlock-Timestamp": str(now + 1)},
        right | {"Rowlock-Signature": "v1=é"},
    ):
        encoded = {name.encode(): value.encode() for name, value in headers.items()}
        assert httpx.post(url, content=body, headers=encoded).status_code == 401
    # Nothing of what is not signed is read.
    assert httpx.post(url, content=b"no JSON").status_code == 401

    stranger = start("forward-fastapi", *forward, ROWLOCK_URL=api.url, ROWLOCK_SIGNING_KEY="no")
    refused = submit(api, "invoice", "invoices", {"lines": lines})
    task = ended(api, refused)
    assert (task["status"], attempts(api, refused)) == ("failed", ["failed"])
    assert "answered 401" in task["error"]
    stranger.stops()
    service.process.send_signal(signal.SIGINT)
    until(lambda: not service.is_running, "ended")


def test_forward_fastapi_without_a_key(start: Start) -> None:
    serve = (PYTHON, "-m", "uvicorn", "service:app", "--port", str(free_port()))
    service = start("forward-fastapi", *serve, ROWLOCK_SIGNING_KEY="")
    until(lambda: not service.is_running, "ended")
    assert service.process.returncode == 1
    assert "ROWLOCK_SIGNING_KEY must be set." in service.words


def test_flask_view(api: Api, start: Start) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/orders"
    serve = (PYTHON, "-m", "flask", "--app", "shop", "run", "--port", str(port))
    start("flask-view", *serve, ROWLOCK_URL=api.url)
    until(lambda: listens(url), "serving")

    order = {"id": 17, "oars": 2}
    first, again = httpx.post(url, json=order), httpx.post(url, json=order)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    (task,) = api.http.get("/tasks").json()
    assert first.json() == {"order": 17, "task": task["id"]}
    assert (task["title"], task["payload"]) == ("send invoice", order)

    assert httpx.post(url, json={"id": 18, "oars": 2}).json()["task"] != task["id"]
    other = httpx.post(url, json={"id": 17, "oars": 3})
    assert other.status_code == 422
    assert "used before with another body" in other.json()["error"]
    for no_order in ("{}", "[]", '{"id": "17"}', "{"):
        answer = httpx.post(url, content=no_order, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
    assert len(api.http.get("/tasks").json()) == 2

    api.stop()
    assert httpx.post(url, json={"id": 19}, timeout=20).status_code == 503
