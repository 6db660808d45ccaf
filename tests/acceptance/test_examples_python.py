"""The examples in Python: each is run as its page says, and does what its page says."""

import hashlib
import hmac
import re
import signal
import time
from pathlib import Path

import httpx

from app.local.ports import free_port
from tests.acceptance.deployment import Api, until
from tests.acceptance.examples import (
    PYTHON,
    ROWLOCK,
    Start,
    attempts,
    ended,
    get,
    listens,
    submit,
)


def test_every_example_is_in_the_index(project: Path) -> None:
    examples = project / "docs/examples"
    index = (examples / "README.md").read_text()
    named = re.findall(r"^\| \[[^]]+\]\(([^)]+)/\)", index, re.MULTILINE)
    assert sorted(named) == sorted(page.parent.name for page in examples.glob("*/README.md"))


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
    assert "stopping: 0 tasks are still running" in worker.stops()


def test_python_sdk_handlers_by_the_command(api: Api, start: Start) -> None:
    command = (*ROWLOCK, "worker", "--handlers", "worker:worker", "--once")
    task_id = submit(api, "charge card", "shop", {"cents": 7})
    start("python-sdk", *command, ROWLOCK_URL=api.url).ends()
    assert get(api, task_id)["result"] == {"receipt": f"R-{task_id}", "cents": 7}


def signature(key: str, timestamp: int, body: bytes) -> dict[str, str]:
    signed = hmac.new(key.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "Rowlock-Timestamp": str(timestamp),
        "Rowlock-Signature": f"v1={signed.hexdigest()}",
    }


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
    assert "already used with another body" in other.json()["error"]
    for no_order in ("{}", "[]", '{"id": "17"}', "{"):
        answer = httpx.post(url, content=no_order, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
    assert len(api.http.get("/tasks").json()) == 2

    api.stop()
    assert httpx.post(url, json={"id": 19}, timeout=20).status_code == 503
