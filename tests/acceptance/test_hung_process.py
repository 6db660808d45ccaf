"""An API process that hangs in the midst of its work: the others go on, and nothing is lost."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from app.settings import Settings
from tests.acceptance.deployment import Api, Deployment, until

TASKS = 5


@pytest.fixture
def deployment(tmp_path: Path, database_url: str) -> Iterator[Deployment]:
    settings = {"DATABASE_TIMEOUT_SECONDS": "1", "LOG_LEVEL": "error"}
    with closing(
        Deployment(tmp_path, database_url=database_url, redis_url=None, settings=settings)
    ) as deployment:
        yield deployment


@pytest.fixture
def stranger(deployment: Deployment) -> Iterator[Engine]:
    engine = create_engine(
        Settings(database_url=deployment.database_url).sync_url,
        isolation_level="REPEATABLE READ",
    )
    yield engine
    engine.dispose()


def waits(connection: Connection) -> bool:
    """Whether somebody waits for what the stranger holds, in the midst of a claim."""
    found = connection.execute(
        text(
            "SELECT COUNT(*) FROM information_schema.processlist "
            "WHERE db = DATABASE() AND info LIKE 'UPDATE tasks%'"
        )
    )
    return bool(found.scalar_one())


def claimed(api: Api) -> list[int]:
    answer = api.http.post("/leases", json={"worker": "w", "limit": TASKS})
    assert answer.status_code == 200, answer.text
    return [lease["task"]["id"] for lease in answer.json()]


def test_what_a_hung_process_was_about_to_claim_is_another_ones_within_seconds(
    deployment: Deployment, stranger: Engine
) -> None:
    hung, other = deployment.serve_twice()
    tasks = {"tasks": [{"title": "t", "retry_limit": 0}] * TASKS}
    ids = [task["id"] for task in other.http.post("/tasks/batch", json=tasks).json()]
    with (
        ThreadPoolExecutor() as pool,
        stranger.connect() as holding,
        stranger.connect() as watching,
    ):
        # Where tasks in progress will stand, so that none comes there.
        holding.exec_driver_sql(
            "SELECT id FROM tasks FORCE INDEX (ix_tasks_sweep) "
            "WHERE status = 'in_progress' FOR UPDATE"
        )
        claim = pool.submit(hung.http.post, "/leases", json={"worker": "w", "limit": TASKS})
        until(lambda: waits(watching), "with its rows locked")
        hung.signal(signal.SIGSTOP)
        try:
            holding.rollback()
            assert claimed(other) == [], "the rows are locked"
            found: list[int] = []

            def has_all() -> bool:
                found.extend(claimed(other))
                return len(found) == TASKS

            until(has_all, "claimed by the other one", 30)
            assert sorted(found) == ids
        finally:
            hung.signal(signal.SIGCONT)
        # Whether it was committed it cannot know; and what it gives back is not given back.
        assert claim.result(30).status_code == 503
    until(lambda: claimed(hung) == [], "there again")
    statuses = {other.http.get(f"/tasks/{task_id}").json()["status"] for task_id in ids}
    assert statuses == {"in_progress"}
