"""Real processes for each test, on the servers of this run."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest

from rowlock import Client
from tests.acceptance.commands import Run, run
from tests.acceptance.deployment import Api, Deployment, ServeWith
from tests.acceptance.examples import Program, Start
from tests.acceptance.working import Work, WorkerProcess


@pytest.fixture
def deployment(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[Deployment]:
    """An empty database with the schema in place; nothing runs yet."""
    with closing(
        Deployment(tmp_path, database_url=database_url, redis_url=redis_url)
    ) as deployment:
        yield deployment


@pytest.fixture
def api(deployment: Deployment) -> Api:
    """One API, ready, without a scheduler."""
    return deployment.serve()


@pytest.fixture(scope="module")
def serve_with(
    tmp_path_factory: pytest.TempPathFactory, database_url: str, redis_url: str
) -> Iterator[ServeWith]:
    """Start an API, ready, with settings of a file's own, for all of its tests."""
    with ExitStack() as started:

        def serve_with(settings: Mapping[str, str]) -> Api:
            home = tmp_path_factory.mktemp("served")
            deployment = Deployment(
                home, database_url=database_url, redis_url=redis_url, settings=settings
            )
            return started.enter_context(closing(deployment)).serve()

        yield serve_with


@pytest.fixture
def environment(api: Api) -> dict[str, str]:
    """Of whoever uses the API."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ROWLOCK_") and k != "COLUMNS"}
    return kept | {"ROWLOCK_URL": api.url}


@pytest.fixture
def rowlock(environment: dict[str, str]) -> Run:
    """Run a command against the API."""
    return partial(run, environment)


@pytest.fixture
def client(api: Api) -> Iterator[Client]:
    with Client(api.url) as client:
        yield client


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
            program.process.wait(45)
        except subprocess.TimeoutExpired:
            program.process.kill()
            program.process.wait()


@pytest.fixture
def work(api: Api, tmp_path: Path) -> Iterator[Work]:
    """Start a worker."""
    started: list[WorkerProcess] = []

    def work(name: str, *options: str) -> WorkerProcess:
        started.append(WorkerProcess(name, api, tmp_path, *options))
        return started[-1]

    yield work
    for worker in started:
        # In order: one that is killed leaves its commands behind.
        worker.child.stop(15)
