"""`rowlock serve --workers`: several processes on one port are one API."""

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
from sqlalchemy.engine import make_url

from app.local.ports import free_port
from app.mysql import migration
from app.settings import Settings
from tests.acceptance.deployment import Api, Deployment, until


def figure(api: Api, name: str) -> float:
    """The sum of a figure's lines in `/metrics`."""
    shown = httpx.get(f"{api.url}/metrics").text
    return sum(
        float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", shown, re.MULTILINE)
    )


def submit(api: Api, count: int) -> set[str]:
    """Each by a connection of its own, which either process may get; the beginnings of the
    answers' request ids, which are a process's own."""
    answered_by = set()
    for _ in range(count):
        answer = httpx.post(f"{api.url}/tasks", json={"title": "t"}, timeout=30)
        assert answer.status_code == 201, answer.text
        answered_by.add(answer.headers["x-request-id"].partition("-")[0])
    return answered_by


def answering(api: Api) -> int:
    """How many processes listen."""
    table = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(
        int(line.split()[1].rpartition(":")[2], 16) == api.port and line.split()[3] == "0A"
        for line in table
    )


def test_one_that_is_killed_is_replaced_and_the_figures_are_everybodys(
    deployment: Deployment,
) -> None:
    api = deployment.serve("--workers", "2")
    until(lambda: len(api.children()) == 2, "two processes")
    first, second = api.children()
    assert len(submit(api, 30)) == 2, "both have answered"
    assert figure(api, "rowlock_transitions_total") == 30
    assert figure(api, "rowlock_waiting_tasks") == 30
    os.kill(first, signal.SIGKILL)
    until(lambda: first not in api.children() and len(api.children()) == 2, "replaced")
    until(lambda: answering(api) == 2, "both answer")
    assert len(submit(api, 30)) == 2, "both have answered"
    assert figure(api, "rowlock_transitions_total") == 60, "the dead one's are not forgotten"

    api.stop()
    assert not any(Path(f"/proc/{pid}").exists() for pid in (first, second))


# As the one executable is two processes, of which the first unpacks and waits.
UNPACKED = """
import os, signal, subprocess, sys
if sys.argv[1] == "unpack":
    child = subprocess.Popen([sys.executable, *sys.argv[2:]])
    signal.signal(signal.SIGTERM, lambda number, _: child.send_signal(number))
    if (code := child.wait()) < 0:
        signal.signal(-code, signal.SIG_DFL) if code != -signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    sys.exit(code)
import rowlock_server
from app.local import dev
from rowlock import cli
dev.own_command = lambda: [sys.executable, __file__, "unpack", "-m", "rowlock"]
cli.main()
"""


def test_the_figures_of_what_died_go_though_somebody_else_started_it(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    (tmp_path / "unpacked.py").write_text(UNPACKED)
    command = (sys.executable, str(tmp_path / "unpacked.py"))
    with (
        closing(
            Deployment(tmp_path, database_url=database_url, redis_url=redis_url, command=command)
        ) as deployment,
        ThreadPoolExecutor(12) as pool,
    ):
        api = deployment.serve("--workers", "2")
        until(lambda: answering(api) == 2, "both answer")
        claim = {"worker": "w", "queues": ["empty"], "wait_seconds": 30}
        for _ in range(12):
            pool.submit(httpx.post, f"{api.url}/leases", json=claim, timeout=60)
        until(lambda: figure(api, "rowlock_waiting_callers") == 12, "all wait")
        submit(api, 10)
        for first in api.children():
            (process,) = Path(f"/proc/{first}/task/{first}/children").read_text().split()
            os.kill(int(process), signal.SIGKILL)
            until(lambda pid=first: pid not in api.children(), "gone")  # type: ignore[misc]
            until(lambda: len(api.children()) == 2 and answering(api) == 2, "replaced")
        assert figure(api, "rowlock_waiting_callers") == 0
        assert figure(api, "rowlock_transitions_total") == 10, "what was counted is not forgotten"


def test_a_taken_port_is_named(deployment: Deployment) -> None:
    api = deployment.serve()
    other = deployment.run("serve", "--workers", "2", "--port", str(api.port))
    assert other.exit_code() == 1
    assert f"Port {api.port} of 127.0.0.1 cannot be used" in other.words


def test_a_whole_deployment_is_one_process_tree(deployment: Deployment) -> None:
    migration.downgrade(Settings(database_url=deployment.database_url))
    api = deployment.serve("--with-scheduler", "--migrate")
    until(lambda: len(api.children()) == 2, "the API and the scheduler")
    started = api.children()
    # Everybody on the machine may read it.
    commands = [Path(f"/proc/{pid}/cmdline").read_text() for pid in started]
    password = str(make_url(deployment.database_url).password)
    assert not [each for each in commands if password in each]
    task = api.http.post("/tasks", json={"title": "t", "timeout_seconds": 1, "retry_limit": 0})
    api.http.post("/leases", json={"worker": "w"})
    found = api.http.get(f"/tasks/{task.json()['id']}", params={"wait_seconds": 30}).json()
    assert (found["status"], found["error"]) == ("failed", "timed out after 1 s")

    for killed in started:
        os.kill(killed, signal.SIGKILL)
    until(lambda: len(api.children()) == 2 and not set(api.children()) & set(started), "replaced")
    until(api.answers, "the API answers again")
    api.stop()
    assert "was killed by SIGKILL" in api.words


STOPPED_AS_IT_WAITS = """
import signal, sys, threading, time
from app.processes.tree import Processes
from app.settings import Settings

def stop_as_it_waits(frame, event, function):
    waits = event == "c_call" and function is time.sleep
    if waits or (event == "call" and frame.f_code is threading.Condition.wait.__code__):
        sys.setprofile(None)
        signal.raise_signal(signal.SIGTERM)

class Stopped(Processes):
    def _start(self, *command):
        child = super()._start(*command)
        sys.setprofile(stop_as_it_waits)
        return child

settings = Settings(database_url="mysql://nobody@localhost/none", port=int(sys.argv[1]))
sys.exit(Stopped(settings, 1, ["sleep", "600"]).run())
"""


def test_a_stop_in_the_midst_of_a_wait_is_heard() -> None:
    command = [sys.executable, "-c", STOPPED_AS_IT_WAITS, str(free_port())]
    assert subprocess.run(command, timeout=20, check=False).returncode == 0
