"""The next version migrates while this one serves: nobody notices."""

import json
import re
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, create_engine, text

from alembic import command
from app.local.child import Child
from app.service.sweeping import recount
from app.settings import Settings
from tests.acceptance.deployment import Api, Deployment, until
from tests.acceptance.next_version import REVISION, NextVersion
from tests.trials.chaos.checks import Evidence, checks
from tests.trials.chaos.clients import Client, Ledger

ROUNDS = 3
ROWS = 20_000
HELD = "Another transaction holds a table"
READS = (
    "/tasks?tag=a&limit=20",
    "/tasks?status=done&order=asc",
    "/tasks?due_after=2026-01-01T00:00:00Z",
    "/stats",
    "/tags",
    "/admin/queues",
    "/readyz",
)
# As many tasks as make the change of a table take a while.
FILL = f"""
INSERT INTO tasks (title, status, priority, queue, timeout_seconds, retry_limit,
    retry_delay_seconds, retry_backoff, current_retry_count, created_at, updated_at, attempt)
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000)
SELECT CONCAT('old ', numbers.n, ' ', again.n), 'cancelled', '中', 'old', 300, 3, 5, 'fixed',
    0, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), 0 FROM numbers, numbers AS again LIMIT {ROWS}
"""


@pytest.fixture
def next_version(project: Path, tmp_path: Path) -> NextVersion:
    return NextVersion(project, tmp_path / "next")


@pytest.fixture
def database(deployment: Deployment) -> Iterator[Engine]:
    """The deployment's database, beside it."""
    engine = create_engine(Settings(database_url=deployment.database_url).sync_url)
    yield engine
    engine.dispose()


class Reader(threading.Thread):
    """Reads everything again and again, and notes what was not answered as it should."""

    def __init__(self, api: Api) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.is_over = threading.Event()
        self._url = api.url

    def run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=30) as http:
            while not self.is_over.wait(0.1):
                for path in READS:
                    answer = http.get(path)
                    if not answer.is_success:
                        self.refused.append(f"{path}: {answer.status_code} {answer.text}")


@contextmanager
def load(api: Api, ledger: Ledger, notes: Path) -> Iterator[None]:
    """Clients, readers and workers at work. At the end everything ends that was submitted."""
    clients = [Client(number, 7, [api.url], ledger) for number in range(2)]
    reader = Reader(api)
    program = [sys.executable, "-m", "tests.trials.chaos.workers"]
    workers = [
        Child(name, [*program, kind, name, str(notes), api.url], log=notes.with_name(f"{name}.log"))
        for name, kind in (("one", "well"), ("two", "well"), ("three", "patient"))
    ]
    for thread in (*clients, reader):
        thread.start()
    try:
        yield
    finally:
        for client in clients:
            client.stopping.set()
        for client in clients:
            client.join(30)
        waiting = {"status": ["to_do", "in_progress", "retrying"]}
        until(lambda: not api.http.get("/tasks", params=waiting).json(), "ended", 60)
        reader.is_over.set()
        reader.join(30)
        for worker in workers:
            worker.kill()
    assert reader.refused == []


def answers(api: Api) -> Counter[str]:
    """What the API has answered to anybody, by status."""
    found: Counter[str] = Counter()
    for line in api.http.get("/metrics").text.splitlines():
        if match := re.match(r'rowlock_requests_total\{.*status="(\d+)"\} (\S+)', line):
            found[match[1]] += int(float(match[2]))
    return found


def has_acknowledged(ledger: Ledger, tasks: int) -> bool:
    return len(ledger.acknowledged) >= tasks


async def test_nobody_notices_a_migration_of_the_next_version(
    deployment: Deployment, next_version: NextVersion, database: Engine, tmp_path: Path
) -> None:
    deployment.execute(FILL)
    settings = Settings(database_url=deployment.database_url)
    await recount(settings)
    config = next_version.config(settings)
    api, scheduler = deployment.serve(), deployment.schedule()
    ledger, notes = Ledger(), tmp_path / "notes"

    with load(api, ledger, notes):
        for number in range(ROUNDS):
            enough = partial(has_acknowledged, ledger, 100 * (number + 1))
            until(enough, "under load")
            command.upgrade(config, REVISION)
            command.downgrade(config, "-1")

    assert set(answers(api)) <= {"200", "201", "204", "404", "409"}
    with database.connect() as connection:
        noted = [json.loads(line) for line in notes.read_text().splitlines()]
        evidence = Evidence(connection, ledger, noted)
    assert [check for check in checks(evidence) if check.broken] == []
    assert await recount(settings) == {}
    with database.connect() as connection:
        for table in ("tasks", "task_tags", "task_attempts", "idempotency_keys"):
            (row,) = connection.execute(text(f"CHECK TABLE {table}"))
            assert row[-1] == "OK", row
    for process in (api, scheduler):
        assert '"level": "error"' not in process.log.read_text()


def test_a_long_transaction_holds_up_the_migration_and_nobody_else(
    deployment: Deployment, next_version: NextVersion, database: Engine
) -> None:
    api = deployment.serve()
    with database.connect() as connection:
        connection.execute(text("SELECT COUNT(*) FROM tasks"))
        migration = next_version.migrate(deployment)
        while migration.log.read_text().count(HELD) < 2:
            assert migration.is_running, migration.words
            task = api.http.post("/tasks", json={"title": "t"})
            assert task.status_code == 201, task.text
            (lease,) = api.http.post("/leases", json={"worker": "w"}).raise_for_status().json()
            api.http.post(f"/leases/{lease['lease_id']}/complete").raise_for_status()
            assert len(api.http.get("/tasks").raise_for_status().json()) > 0

    assert migration.exit_code(60) == 0, migration.words
    assert f"The schema is at revision {REVISION}." in migration.words
    assert set(answers(api)) == {"200", "201"}
