"""The two packages as people install them: from wheels built here, into empty environments."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from app.local.ports import free_port
from app.mysql import migration, revisions
from app.settings import Settings
from tests.acceptance.deployment import Deployment
from tests.acceptance.test_rowlock_dev import Dev

# 25 MiB, with bytecode.
LARGEST_BYTES = 25 * 1024 * 1024
SERVER_COMMANDS = ("dev", "serve", "scheduler", "migrate", "recount", "doctor", "bench")
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")
# A project whose own package has the server's name.
TASKS = """
from rowlock import Worker

worker = Worker(queues=["photos"])


@worker.handler("resize")
def resize(task, attempt):
    return {"module": __name__, "size": task.payload["size"]}
"""


def other_pythons() -> list[str]:
    """Every Python that this machine has and Rowlock is for, but the one that runs the tests."""
    found = []
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for minor in {11, 12, 13, 14} - {sys.version_info.minor}:
        name = f"python3.{minor}"
        for python in (name, *map(str, sorted(pyenv.glob(f"versions/3.{minor}.*/bin/{name}")))):
            try:
                subprocess.run([python, "-c", ""], check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError):
                continue  # not there, or pyenv's name for one that is not chosen
            found.append(python)
            break
    return found


class Environment:
    """A virtual environment with these wheels, and whatever they bring, in it."""

    def __init__(self, home: Path, python: str, *wheels: Path) -> None:
        subprocess.run([python, "-m", "venv", "--without-pip", home], check=True)
        self.python = str(home / "bin/python")
        self.rowlock = str(home / "bin/rowlock")
        subprocess.run([*PIP, "--python", self.python, "install", *wheels], check=True)
        (self.packages,) = home.glob("lib/python*/site-packages")

    def run(
        self, folder: Path, *command: str, code: int = 0, given: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command in that folder to its end; it has to end as said."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ROWLOCK_", "COLUMNS"))}
        ran = subprocess.run(
            command,
            cwd=folder,
            env={**kept, **(given or {})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == code, ran
        assert "Traceback" not in ran.stderr
        return ran


@pytest.fixture(scope="module")
def wheels(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with both, just built."""
    folder = tmp_path_factory.mktemp("wheels")
    probe = subprocess.run([*PIP, "download", "--no-deps", "--dest", folder, "typing-extensions"],
                           capture_output=True, check=False)  # fmt: skip
    if probe.returncode != 0:
        pytest.skip("the package index cannot be reached")
    subprocess.run(["make", "wheels", f"WHEELS={folder}"], cwd=project, check=True)
    return folder


@pytest.fixture(scope="module")
def sdk(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Of who writes a worker."""
    home = tmp_path_factory.mktemp("sdk")
    return Environment(home, sys.executable, *wheels.glob("rowlock-*.whl"))


@pytest.fixture(scope="module")
def both(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Of who runs a server."""
    home = tmp_path_factory.mktemp("server")
    return Environment(home, sys.executable, *wheels.glob("rowlock*.whl"))


@pytest.fixture(params=other_pythons())
def another(request: pytest.FixtureRequest, wheels: Path, tmp_path: Path) -> Environment:
    """The same of another Python."""
    return Environment(tmp_path / "another", request.param, *wheels.glob("rowlock*.whl"))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a package `app`, and with folders called as the server's are."""
    folder = tmp_path_factory.mktemp("shop")
    for package in ("app", "bench"):
        (folder / package).mkdir()
        (folder / package / "__init__.py").touch()
    (folder / "alembic/versions").mkdir(parents=True)  # no package, as Alembic makes it
    (folder / "app/tasks.py").write_text(TASKS)
    return folder


@pytest.fixture(scope="module")
def url(both: Environment, shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A `rowlock dev` that was started in the project's folder; it has to stop in order."""
    home = tmp_path_factory.mktemp("data")
    dev = Dev(home, free_port(), command=[both.rowlock], folder=shop)
    try:
        dev.wait_ready()
        yield f"http://127.0.0.1:{dev.port}"
        dev.terminate()
        assert dev.end() == 0, dev.output
        assert "Traceback" not in dev.output
    finally:
        dev.kill()


@pytest.fixture
def empty_database(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[str]:
    with closing(
        Deployment(tmp_path, database_url=database_url, redis_url=redis_url)
    ) as deployment:
        migration.downgrade(Settings(database_url=deployment.database_url))
        yield deployment.database_url


def test_the_sdk_is_small(sdk: Environment) -> None:
    files = [path for path in sdk.packages.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= LARGEST_BYTES


def test_the_sdk_brings_nothing_of_the_server(sdk: Environment, tmp_path: Path) -> None:
    names = {path.name for path in sdk.packages.iterdir()}
    assert not names & {"app", "bench", "scheduler.py", "alembic", "tests", "fastapi", "sqlalchemy"}

    shown = sdk.run(tmp_path, sdk.rowlock, "--version").stdout
    assert re.fullmatch(r"rowlock \d+\.\d+\.\d+\n", shown)
    assert sdk.run(tmp_path, sdk.python, "-m", "rowlock", "--version").stdout == shown
    listed = sdk.run(tmp_path, sdk.rowlock, "--help").stdout
    assert "\n  worker " in listed
    for command in SERVER_COMMANDS:
        assert f"\n  {command} " not in listed
        assert "No such command" in sdk.run(tmp_path, sdk.rowlock, command, code=2).stderr


def test_the_server_has_its_commands_and_is_out_of_the_way(
    both: Environment, tmp_path: Path
) -> None:
    names = {path.name for path in both.packages.iterdir()}
    assert not names & {"app", "bench", "scheduler.py", "tests"}
    assert (both.packages / "alembic/__init__.py").is_file(), "the library"

    listed = both.run(tmp_path, both.rowlock, "--help").stdout
    for command in ("worker", *SERVER_COMMANDS):
        assert f"\n  {command} " in listed
    # pipx links what the package itself has.
    (scripts,) = both.packages.glob("rowlock_server-*.dist-info/entry_points.txt")
    assert "rowlock = rowlock.cli:main" in scripts.read_text()


@pytest.mark.parametrize("command", [("submit", "--help"), ("worker", "--help"), ("--version",)])
def test_a_clients_command_imports_no_server(
    both: Environment, tmp_path: Path, command: tuple[str, ...]
) -> None:
    program = (both.python, "-X", "importtime", both.rowlock)
    ran = both.run(tmp_path, *program, *command).stderr
    imported = set(re.findall(r"\| +(\S+)$", ran, re.MULTILINE))
    assert "rowlock.cli" in imported
    assert not imported & {"app", "bench", "rowlock_server", "fastapi", "sqlalchemy"}
    if command == ("--version",):
        assert not imported & {"aiohttp", "pydantic"}


def test_a_worker_of_a_package_called_app_runs_with_either_installed(
    sdk: Environment, both: Environment, shop: Path, url: str
) -> None:
    for environment in (sdk, both):
        resizes(environment, shop, url)


def test_migrations_are_inside(both: Environment, shop: Path, empty_database: str) -> None:
    migrates(both, shop, empty_database)


@pytest.mark.slow
def test_another_python_runs_it_too(
    another: Environment, shop: Path, url: str, empty_database: str
) -> None:
    resizes(another, shop, url)
    migrates(another, shop, empty_database)


def resizes(environment: Environment, shop: Path, url: str) -> None:
    """The project's worker does a task, by its commands alone."""
    given = {"ROWLOCK_URL": url}
    task = ("resize", "--queue", "photos", "--payload", '{"size": 3}', "--json")
    ran = environment.run(shop, environment.rowlock, "submit", *task, given=given)
    task_id = json.loads(ran.stdout)["id"]
    handlers = ("--handlers", "app.tasks:worker", "--once")
    environment.run(shop, environment.rowlock, "worker", *handlers, given=given)
    program = f"import rowlock; print(rowlock.Client().wait({task_id}).result)"
    done = environment.run(shop, environment.python, "-c", program, given=given)
    assert done.stdout == "{'module': 'app.tasks', 'size': 3}\n"


def migrates(environment: Environment, shop: Path, database_url: str) -> None:
    """An empty database gets its tables."""
    # The folder is the first in which Python looks for modules.
    command = (environment.python, "-m", "rowlock", "migrate")
    ran = environment.run(shop, *command, given={"ROWLOCK_DATABASE_URL": database_url})
    assert ran.stdout == f"The schema is at revision {revisions.head()}.\n"
