"""Workers with several processes on a real server: at work, stopped, killed and replaced."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from rowlock import Client, Task, Worker, WorkerProcessError
from tests.acceptance.commands import run
from tests.acceptance.deployment import Api, Deployment, until
from tests.acceptance.working import Work, WorkerProcess, count

HANDLERS = ("--handlers", "tests.acceptance.handlers:worker")


def begun(client: Client, worker: WorkerProcess, ids: list[int]) -> list[int]:
    """The process of each task, once all run."""
    until(lambda: all(client.get(i).status == "in_progress" for i in ids), "all begun")
    return [pid(client.get(i)) for i in ids]


def pid(task: Task) -> int:
    return int((task.worker or "").rpartition("-")[2])


def submit(client: Client, tasks: int, go: Path) -> list[int]:
    """Each runs until `go` is there."""
    return list(client.submit_many({"title": "until", "payload": str(go)} for _ in range(tasks)))


@pytest.mark.parametrize("whom", ["the supervisor", "the whole control group"])
def test_each_process_works_and_ends_what_it_has_when_stopped(
    client: Client, work: Work, tmp_path: Path, whom: str
) -> None:
    worker = work("pool", *HANDLERS, "--processes", "3")
    ids = submit(client, 3, tmp_path / "go")
    pids = begun(client, worker, ids)
    assert set(pids) == worker.children()
    assert len(set(pids)) == 3
    worker.signal(signal.SIGTERM)
    until(lambda: worker.words.count("stopping: 1 tasks") == 3, "all stopping")
    if whom != "the supervisor":
        for each in pids:
            os.kill(each, signal.SIGTERM)
    assert count(client, "in_progress") == 3
    (tmp_path / "go").touch()
    worker.ends()
    assert worker.ran() == dict.fromkeys(ids, 1)
    for task_id in ids:
        task = client.get(task_id)
        assert (task.status, task.attempt) == ("done", 1)
        assert (task.worker or "").startswith("pool-")


def test_the_second_signal_gives_back_what_all_have(client: Client, work: Work) -> None:
    options = ("--processes", "2", "--concurrency", "2", "--grace-seconds", "3600")
    worker = work("impatient", *HANDLERS, *options)
    ids = list(client.submit_many({"title": title} for title in ("long", "stuck") * 2))
    begun(client, worker, ids)
    worker.signal(signal.SIGTERM)
    until(lambda: worker.words.count("stopping: ") == 2, "stopping")
    assert count(client, "in_progress") == 4
    worker.signal(signal.SIGTERM)
    worker.ends()
    for task_id in ids:
        assert client.get(task_id).status == "to_do"
        assert [attempt.outcome for attempt in client.attempts(task_id)] == ["released"]


def test_one_that_is_killed_is_replaced_and_its_task_done_by_another(
    deployment: Deployment, client: Client, work: Work, tmp_path: Path
) -> None:
    deployment.schedule()
    worker = work("pool", *HANDLERS, "--processes", "2", "--lease-seconds", "5")
    ids = submit(client, 2, tmp_path / "go")
    killed, other = begun(client, worker, ids)
    os.kill(killed, signal.SIGKILL)
    until(lambda: killed not in worker.children() and len(worker.children()) == 2, "replaced")
    assert f"process {killed} was killed by SIGKILL" in worker.words
    # The other one is not free for it.
    until(lambda: pid(client.get(ids[0])) not in (0, killed), "claimed again")
    (tmp_path / "go").touch()
    again, undisturbed = (client.wait(task_id, 20) for task_id in ids)
    assert (again.status, again.attempt) == ("done", 2)
    assert pid(again) in worker.children() - {other}
    assert [attempt.outcome for attempt in client.attempts(again.id)] == ["lost", "done"]
    assert (undisturbed.status, undisturbed.attempt, pid(undisturbed)) == ("done", 1, other)
    worker.signal(signal.SIGTERM)
    worker.ends()


def test_a_process_is_replaced_after_its_share_of_tasks(client: Client, work: Work) -> None:
    ids = client.submit_many({"title": "coroutine"} for _ in range(6))
    share = ("--max-tasks-per-process", "2", "--concurrency", "8")
    worker = work("share", *HANDLERS, *share, "--once")
    worker.ends(30)
    tasks = [client.get(task_id) for task_id in ids]
    assert {(task.status, task.attempt) for task in tasks} == {("done", 1)}
    assert sorted(Counter(map(pid, tasks)).values()) == [2, 2, 2]


def test_what_a_process_that_leaves_has_begun_is_ended_while_another_takes_its_place(
    client: Client, work: Work, tmp_path: Path
) -> None:
    share = ("--max-tasks-per-process", "2", "--concurrency", "2", "--grace-seconds", "0")
    worker = work("share", *HANDLERS, *share, "--processes", "1")
    (long,) = submit(client, 1, tmp_path / "go")
    (first,) = begun(client, worker, [long])
    assert pid(client.wait(client.submit("coroutine").id, 20)) == first
    second = pid(client.wait(client.submit("coroutine").id, 20))
    assert worker.children() == {first, second}
    assert client.get(long).status == "in_progress"
    (tmp_path / "go").touch()
    done = client.wait(long, 20)
    assert (done.status, done.attempt, pid(done)) == ("done", 1, first)
    until(lambda: worker.children() == {second}, "the first one has ended")
    worker.signal(signal.SIGTERM)
    worker.ends()


def test_they_end_in_order_when_their_supervisor_is_killed(
    client: Client, work: Work, tmp_path: Path
) -> None:
    worker = work("orphans", *HANDLERS, "--processes", "2")
    ids = submit(client, 2, tmp_path / "go")
    pids = begun(client, worker, ids)
    worker.child.kill()
    until(lambda: worker.words.count("the supervisor is gone") == 2, "heard")
    (tmp_path / "go").touch()
    assert {client.wait(task_id, 20).status for task_id in ids} == {"done"}
    until(lambda: not any(Path(f"/proc/{each}").exists() for each in pids), "gone")


def test_commands_are_run_by_several_processes_until_nothing_is_left(
    api: Api, client: Client
) -> None:
    ids = client.submit_many({"title": "t"} for _ in range(20))
    environment = os.environ | {"ROWLOCK_URL": api.url}
    command = ("--exec", "sh", "-c", "echo $PPID; env | grep ROWLOCK_SUPERVISOR || true")
    run(environment, "worker", "--processes", "2", "--once", "--concurrency", "4", *command)
    for task_id in ids:
        task = client.get(task_id)
        assert (task.status, task.attempt, task.result) == ("done", 1, pid(task))


PROGRAM = """
import os
from pathlib import Path
from rowlock import Worker

worker = Worker(processes=2, max_tasks_per_process=3)

@worker.handler("t")
def handler(task, attempt):
    return os.getpid()

if __name__ == "__main__":
    worker.run(drain=True)
    Path(f"{os.getpid()}.over").touch()
"""


def test_a_program_runs_its_worker_in_processes(api: Api, client: Client, tmp_path: Path) -> None:
    ids = client.submit_many({"title": "t"} for _ in range(8))
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "program.py"]
    with subprocess.Popen(command, cwd=tmp_path, env=os.environ | {"ROWLOCK_URL": api.url}) as it:
        assert it.wait(60) == 0
    pids = Counter(client.get(task_id).result for task_id in ids)
    assert it.pid not in pids
    assert max(pids.values()) <= 3
    over = {int(path.stem) for path in tmp_path.glob("*.over")}
    assert over >= {it.pid, *pids}, "each went on behind `run`"


def test_a_module_that_cannot_be_imported_ends_it_with_one_message(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import no_such_thing")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    ran = run(environment, "worker", "--handlers", "broken:worker", "--processes", "4", code=2)
    assert ran.stderr.count("No module named 'no_such_thing'") == 1
    assert 'broken.py", line 1, in <module>' in ran.stderr


def test_what_ends_the_first_process_as_it_starts_ends_all(api: Api) -> None:
    elsewhere = os.environ | {"ROWLOCK_URL": f"{api.url}/docs"}
    ran = run(elsewhere, "worker", "--processes", "4", "--exec", "true", code=1)
    assert ran.stderr.count("404 Not Found") == 1, ran.stderr


def test_the_supervisor_does_not_import_the_module(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Work
) -> None:
    (tmp_path / "heavy.py").write_text(
        "import os, pathlib\nfrom rowlock import Worker\n"
        "pathlib.Path(os.environ['RAN']).open('a').write(f'{os.getpid()}\\n')\n"
        "worker = Worker()\nworker.handler('t')(lambda task, attempt: None)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    worker = work("light", "--handlers", "heavy:worker", "--processes", "2")
    until(lambda: len(worker.ran()) == 2, "imported")
    assert set(worker.ran()) == worker.children()
    until(lambda: worker.words.count("worker light-") == 2, "both work")
    worker.signal(signal.SIGTERM)
    worker.ends()


def test_a_stop_ends_processes_that_still_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Work
) -> None:
    (tmp_path / "slow.py").write_text(
        "import os, pathlib, time\npathlib.Path(os.environ['RAN']).write_text('1')\ntime.sleep(600)"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    worker = work("slow", "--handlers", "slow:worker", "--processes", "2")
    until(lambda: bool(worker.ran()), "importing")
    worker.signal(signal.SIGTERM)
    worker.ends()


# Two work until somebody ends them; the others fail as they begin.
FAILS_LATER = """
import signal, sys
from pathlib import Path
from rowlock.worker import supervised, supervisor
supervisor.FIRST_PAUSE_SECONDS = 0.01
if not supervised.is_supervised():
    supervisor.Supervisor(1, drain=False).run()
with Path("starts").open("a") as starts:
    starts.write(".")
if len(Path("starts").read_text()) > 2:
    sys.exit(7)
supervised.tell(supervised.READY)
signal.raise_signal(signal.SIGKILL)
"""


def test_processes_that_die_as_they_begin_end_it_in_the_end(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FAILS_LATER]
    ran = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 1
    assert f"{WorkerProcessError(7)}" in ran.stderr
    assert len((tmp_path / "starts").read_text()) == 5


async def test_an_event_loop_of_ones_own_is_one_process() -> None:
    with pytest.raises(RuntimeError, match=r"worker\.run\(\)"):
        await Worker(processes=2).run_async()
