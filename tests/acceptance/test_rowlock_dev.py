"""`rowlock dev` as a new user meets it: the banner's own commands, Ctrl-C, and a second day."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from app.local.ports import free_port
from tests.acceptance.commands import Terminal
from tests.acceptance.deployment import FROM_THE_CHECKOUT, until


class Dev:
    """A running `rowlock dev`, and what it has printed."""

    def __init__(
        self,
        home: Path,
        port: int,
        *,
        command: Sequence[str] = FROM_THE_CHECKOUT,
        folder: Path | None = None,
    ) -> None:
        self.port = port
        self.output = ""
        self._process = subprocess.Popen(
            [*command, "dev"],
            cwd=folder,
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("ROWLOCK_")},
                "ROWLOCK_HOME": str(home),
                "ROWLOCK_PORT": str(port),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_ready(self) -> None:
        assert self._process.stdout
        while "Ctrl-C stops everything" not in self.output:
            line = self._process.stdout.readline()
            assert line, f"ended:\n{self.output}"
            self.output += line

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def terminate(self) -> None:
        self._process.terminate()

    def end(self) -> int:
        """Wait for its end; its exit code."""
        self.output += self._process.communicate(timeout=60)[0]
        return self._process.returncode

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def descendants(self) -> set[int]:
        """Every process under it."""
        found: set[int] = set()
        waiting = [self._process.pid]
        while waiting:
            listed = Path(f"/proc/{(pid := waiting.pop())}/task/{pid}/children").read_text()
            waiting += map(int, listed.split())
            found.update(map(int, listed.split()))
        return found

    def command(self, heading: str) -> str:
        """The shell commands that the banner shows under a heading."""
        found = re.search(rf"^{re.escape(heading)}.*?\n\n((?:  .*\n)+)", self.output, re.MULTILINE)
        assert found, self.output
        return found[1]


@pytest.fixture
def started() -> Iterator[list[Dev]]:
    started: list[Dev] = []
    yield started
    for dev in started:
        dev.kill()


def shell(command: str) -> str:
    run = subprocess.run(
        ["bash", "-euc", command], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def kept_passwords(home: Path) -> list[str]:
    """Of MySQL and of Valkey."""
    (mark,) = (home / "mysql/data").glob("rowlock*.json")
    configuration = (home / "valkey/valkey.conf").read_text()
    found = re.search(r"^requirepass (\w+)$", configuration, re.MULTILINE)
    assert found
    return [json.loads(mark.read_text())["password"], found[1]]


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_the_banner_works_ctrl_c_stops_everything_and_the_data_is_kept(
    tmp_path: Path, started: list[Dev]
) -> None:
    home, port = tmp_path / "home", free_port()
    started.append(first := Dev(home, port))
    first.wait_ready()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
        well = dict.fromkeys(("mysql", "schema", "redis", "scheduler"), "ok")
        until(lambda: http.get("/readyz").json()["parts"] == well, "all is well")
        assert http.get("/docs").is_success
        shell(first.command("In another terminal"))
        (said,) = http.get("/tasks").json()
        assert (said["title"], said["status"], said["priority"]) == ("Say hello", "done", "高")
        if shutil.which("curl"):
            task = json.loads(shell(first.command("Or by any HTTP client")))
            assert (task["status"], task["priority"]) == ("to_do", "高")
            done = json.loads(shell(first.command("Act as its worker")))
            assert (done["id"], done["status"], done["result"]) == (task["id"], "done", "hello")
        else:
            done = http.post("/tasks", json={"title": "kept"}).json()

        passwords = kept_passwords(home)
        assert not [each for each in passwords if each in first.output]
        for file in ("mysql/data", "valkey/valkey.conf"):
            assert f"(password: {home}/{file}" in first.output

        children = first.descendants()
        assert len(children) >= 4, "MySQL, Valkey, scheduler and API"
        first.interrupt()
        assert first.end() == 0, first.output
        assert "Traceback" not in first.output
        assert all(is_gone(pid) for pid in children)

        started.append(second := Dev(home, port))
        second.wait_ready()
        assert "creating its data directory" not in second.output
        assert http.get(f"/tasks/{done['id']}").json() == done
        assert http.post("/tasks", json={"title": "next"}).json()["id"] > done["id"]
        second.interrupt()
        assert second.end() == 0, second.output


def test_on_a_terminal_the_passwords_are_shown(tmp_path: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ROWLOCK_")}
    environment = kept | {
        "ROWLOCK_HOME": str(tmp_path / "home"),
        "ROWLOCK_PORT": str(free_port()),
    }
    with Terminal(environment, "dev") as terminal:
        terminal.shows("Ctrl-C stops everything")
        assert all(each in terminal.shown for each in kept_passwords(tmp_path / "home"))
        terminal.types("\x03")
        assert terminal.ends() == 0


def test_a_taken_port_is_named_with_its_holder(tmp_path: Path, started: list[Dev]) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        started.append(dev := Dev(tmp_path / "home", port))
        assert dev.end() == 1
    assert f"Port {port} of 127.0.0.1 cannot be used" in dev.output
    assert f"process {os.getpid()}" in dev.output
    assert "ROWLOCK_PORT=" in dev.output
    assert not (tmp_path / "home/mysql").exists()
