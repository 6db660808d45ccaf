"""`rowlock dev` as a supervisor: order, signals, deaths, ports; its own parts are stand-ins."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.local.ports import free_port

# Stands in for `rowlock migrate | scheduler | serve`.
STUB = """\
import http.server, os, signal, sys, time
verb = sys.argv[1]
print(verb, "is up", flush=True)
if verb in os.environ.get("STUB_FAILS", ""):
    time.sleep(float(os.environ.get("STUB_FAILS_AFTER", "0")))
    print(verb, "has had enough")
    sys.exit(7)
if verb == "migrate":
    while not os.path.exists(os.environ.get("STUB_MIGRATES_ONCE", "/")):
        time.sleep(0.02)
    sys.exit(0)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if verb == "serve" else 404)
        self.end_headers()
        self.wfile.write(os.environ["ROWLOCK_DATABASE_URL"].encode())
    def log_message(self, *_):
        pass
port = int(os.environ["ROWLOCK_PORT"]) if verb == "serve" else 0
http.server.ThreadingHTTPServer(("127.0.0.1", port), Ready).serve_forever()
"""

Start = Callable[..., "Dev"]


class SaysYes(BaseHTTPRequestHandler):
    """Another program, which answers whatever it is asked."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        pass


class Dev:
    """A running `rowlock dev` and what it prints."""

    def __init__(self, home: Path, port: int, environment: dict[str, str]) -> None:
        self.port = port
        stub = home.parent / "stub.py"
        stub.write_text(STUB)
        run = f"run_dev(command=[sys.executable, {str(stub)!r}])"
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import sys; from app.local.dev import run_dev; sys.exit({run})",
            ],
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("ROWLOCK_")},
                "ROWLOCK_HOME": str(home),
                "ROWLOCK_PORT": str(port),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.output = ""

    def read_until(self, text: str) -> None:
        assert self.process.stdout
        while text not in self.output:
            line = self.process.stdout.readline()
            assert line, f"ended without {text!r}:\n{self.output}"
            self.output += line

    def ready(self) -> "Dev":
        self.read_until("Ctrl-C stops everything")
        return self

    def end(self) -> int:
        """Wait for its end; its exit code."""
        rest, _ = self.process.communicate(timeout=60)
        self.output += rest
        return self.process.returncode

    def children(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `rowlock dev` on stand-ins alone, unless told to run its own servers."""
    started: list[Dev] = []

    def start(*, own_servers: bool = False, port: int | None = None, **environment: str) -> Dev:
        if not own_servers:
            environment = {
                "ROWLOCK_DATABASE_URL": "mysql://me:secret@db.example/x",
                "ROWLOCK_REDIS_URL": "",
                **environment,
            }
        started.append(Dev(tmp_path / "home", port or free_port(), environment))
        return started[-1]

    yield start
    for dev in started:
        if dev.process.poll() is None:
            dev.process.kill()
        dev.process.communicate()


def test_it_says_where_everything_is(start: Start, tmp_path: Path) -> None:
    dev = start().ready()
    assert f"http://127.0.0.1:{dev.port}/docs" in dev.output
    assert str(tmp_path / "home") in dev.output
    assert "mysql://me:***@db.example/x" in dev.output
    assert '"priority": "高"' in dev.output
    for part in ("migration | migrate is up", "API | serve is up"):
        assert part in dev.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_ends_it_in_order(start: Start, number: signal.Signals) -> None:
    dev = start().ready()
    children = dev.children()
    dev.process.send_signal(number)
    dev.process.send_signal(number)  # an impatient user changes nothing
    assert dev.end() == 0
    assert re.search(r"(?s)Stopping.*API stopped.*scheduler stopped.*Stopped", dev.output)
    assert "Traceback" not in dev.output
    assert children
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def test_under_nohup_a_terminal_may_go() -> None:
    code = """
import os, signal
from app.local.supervisor import stop_signals_interrupt
with stop_signals_interrupt():
    os.kill(os.getpid(), signal.SIGHUP)
    print("still here")
"""
    nohup = ("/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh", sys.executable, "-c", code)
    assert subprocess.check_output(nohup, timeout=30) == b"still here\n"


@pytest.mark.parametrize(
    ("verb", "name"),
    [("migrate", "The migration of the database"), ("scheduler", "scheduler"), ("serve", "API")],
)
def test_a_part_that_fails_takes_the_rest_down_and_is_named(
    start: Start, verb: str, name: str
) -> None:
    dev = start(STUB_FAILS=verb)
    assert dev.end() == 1
    assert f"rowlock dev: {name} exited with code 7." in dev.output
    assert f"  {verb} has had enough" in dev.output
    assert "Traceback" not in dev.output


def test_a_part_that_dies_later_takes_the_rest_down(start: Start) -> None:
    dev = start(STUB_FAILS="scheduler", STUB_FAILS_AFTER="1.5").ready()
    assert dev.end() == 1
    assert re.search(r"(?s)error occurred.*API stopped.*scheduler exited with code 7", dev.output)
    assert "The data is kept: start again." in dev.output


def test_a_taken_port_is_refused_before_anything_starts(start: Start, tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        dev = start(own_servers=True, port=port)
        assert dev.end() == 1
    assert f"process {os.getpid()} (" in dev.output
    assert f"ROWLOCK_PORT={port + 1}" in dev.output
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["lock"]


def test_whoever_takes_the_port_meanwhile_is_not_taken_for_the_api(
    start: Start, tmp_path: Path
) -> None:
    dev = start(STUB_MIGRATES_ONCE=str(tmp_path / "taken"))
    dev.read_until("migrate is up")
    with ThreadingHTTPServer(("127.0.0.1", dev.port), SaysYes) as other:
        thread = threading.Thread(target=other.serve_forever, args=(0.05,))
        thread.start()
        try:
            (tmp_path / "taken").touch()
            assert dev.end() == 1
        finally:
            other.shutdown()
            thread.join()
    assert "Rowlock is running" not in dev.output
    assert "rowlock dev: API exited with code 1." in dev.output
    assert "Address already in use" in dev.output


def test_a_second_one_on_the_same_home_names_the_first(start: Start) -> None:
    first = start().ready()
    second = start()
    assert second.end() == 1
    assert f"in use by process {first.process.pid}" in second.output


def test_nothing_outlives_a_killed_one(start: Start) -> None:
    dev = start().ready()
    children = dev.children()
    assert len(children) == 2
    dev.process.kill()
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{pid}/exe").exists() for pid in children):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    start(port=dev.port).ready()


def test_a_home_that_cannot_be_made(start: Start, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    dev = start()
    assert dev.end() == 1
    assert "Set ROWLOCK_HOME" in dev.output
    assert "Traceback" not in dev.output


def test_with_its_own_servers_and_again_on_the_same_data(start: Start, tmp_path: Path) -> None:
    dev = start(own_servers=True).ready()
    url = _database_url(dev)
    dev.process.send_signal(signal.SIGINT)
    assert dev.end() == 0
    parts = re.findall(r"^  (\w+) stopped$", dev.output, re.MULTILINE)
    assert parts[:3] == ["API", "scheduler", "Valkey"]
    assert parts[3] in {"MySQL", "MariaDB"}

    again = start(own_servers=True, port=dev.port).ready()
    assert "creating its data directory" not in again.output
    assert _database_url(again) == url
    server = int((tmp_path / "home/mysql/mysql.pid").read_text())
    os.kill(server, signal.SIGKILL)
    assert again.end() == 1
    assert re.search(r"rowlock dev: (MySQL|MariaDB) was killed by SIGKILL", again.output)
    assert "Its last log lines" in again.output


def _database_url(dev: Dev) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", dev.port, timeout=5)
    connection.request("GET", "/")
    body = connection.getresponse().read().decode()
    connection.close()
    return body
