"""What it costs to ask: few reads, each with an end, and no lock that outlives its statement."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.mysql.connection import Connection
from app.queue import why
from app.queue.figures.pace import UNFOLDED
from app.service import why as service
from tests.integration.why.conftest import Ask, names
from tests.support.calls import claim_one, complete, problem, submit
from tests.support.factories import FactorySession, TaskFactory

pytestmark = pytest.mark.usefixtures("well")

Statements = list[str]
READS = 6


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Statements:
    """Every statement of this process but those of connections that are just made."""
    statements: Statements = []
    execute = Connection._execute

    async def noted(connection: Connection, statement: str, *arguments: Any) -> Any:
        statements.append(statement)
        return await execute(connection, statement, *arguments)

    monkeypatch.setattr(Connection, "_execute", noted)
    return statements


def about_why(statements: Statements) -> Statements:
    """Without what a process says of itself every two seconds."""
    return [each for each in statements if "processes" not in each]


async def test_it_takes_six_reads_at_most(
    ask: Ask, session: Session, stranger: Any, sent: Statements
) -> None:
    TaskFactory(priority="高")
    tasks = {
        READS: TaskFactory(),
        3: TaskFactory(in_progress=True),
        1: TaskFactory(done=True),
    }
    stranger.exec_driver_sql("SELECT id FROM tasks FOR UPDATE")
    for reads, task in tasks.items():
        sent.clear()
        await ask(task)
        found = about_why(sent)
        assert len(found) == reads, found
        assert all(re.search(r"\bSELECT\b", each) for each in found)
        # Each but the first has its time, and a number of rows unless it is by key.
        for read in found[1:]:
            assert re.search("MAX_EXECUTION_TIME|max_statement_time", read)
            assert " LIMIT " in read or "WHERE id = %s" in read


@pytest.mark.parametrize("fields", [{}, {"in_progress": True}, {"delayed": True}])
async def test_no_lock_outlives_its_statement(
    ask: Ask,
    session: Session,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, Any],
) -> None:
    task = TaskFactory(**fields)
    looked = 0
    fetch = Connection.fetch

    async def fetch_and_look(connection: Connection, statement: str, values: Any = ()) -> Any:
        nonlocal looked
        rows = await fetch(connection, statement, values)
        looked += "SKIP LOCKED" in statement
        with engine.connect() as other:
            # Refused at once where anybody has the row.
            lock = "SELECT id FROM tasks WHERE id = %s FOR UPDATE NOWAIT"
            assert other.exec_driver_sql(lock, (task.id,)).all() == [(task.id,)]
            other.rollback()
        return rows

    task_id = task.id
    monkeypatch.setattr(Connection, "fetch", fetch_and_look)
    found = await ask(task_id)
    assert "row_locked" not in names(found)
    assert looked == 1


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Has something happen once it is known where a task stands, before the rest is read."""
    fetch = Connection.fetch

    def meanwhile(happens: Callable[[], object]) -> None:
        async def fetch_and_go_on(connection: Connection, statement: str, *values: Any) -> Any:
            rows = await fetch(connection, statement, *values)
            if statement == why._TASK:
                happens()
            return rows

        monkeypatch.setattr(Connection, "fetch", fetch_and_go_on)

    return meanwhile


@pytest.fixture
def keep_meanwhile(
    engine: Engine, session: Session, meanwhile: Callable[[Callable[[], object]], None]
) -> Iterator[Callable[[str], None]]:
    """Has a stranger keep tables from everybody then."""
    with engine.connect() as stranger:
        stranger.detach()  # should this fail, its locks end with it

        def keep(tables: str) -> None:
            meanwhile(partial(stranger.exec_driver_sql, f"LOCK TABLES {tables}"))

        yield keep
        stranger.exec_driver_sql("UNLOCK TABLES")


@pytest.fixture
def usual_seconds(_patience: float, monkeypatch: pytest.MonkeyPatch) -> float:
    """What each read is given outside of tests."""
    monkeypatch.setattr(service, "READ_SECONDS", _patience)
    return _patience


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ("workers WRITE", ["behind", "unknown no_worker"]),
        ("counters WRITE, counter_deltas WRITE", ["behind", "unknown throughput"]),
        ("tasks WRITE", ["unknown row_locked", "unknown behind"]),
    ],
    ids=str,
)
async def test_what_is_not_said_in_time_is_unknown(
    ask: Ask,
    usual_seconds: float,
    keep_meanwhile: Callable[[str], None],
    tables: str,
    expected: list[str],
) -> None:
    TaskFactory(priority="高")
    task_id = TaskFactory().id
    FactorySession.get().close()
    keep_meanwhile(tables)
    began = time.monotonic()
    found = await ask(task_id)
    assert usual_seconds <= time.monotonic() - began < 4
    assert found["is_claimable"]
    assert [" ".join(filter(None, (r["reason"], r.get("part")))) for r in found["reasons"]] == (
        expected
    )
    assert all("in time" in reason["detail"] for reason in found["reasons"] if "part" in reason)
    if expected[-1] == "unknown throughput":
        behind = found["reasons"][0]
        assert (behind["tasks"], behind["ended_per_minute"]) == (1, None)
        assert (behind["expected_at"], behind["detail"]) == (
            *(None, "1 task of the queue is ahead of it."),
        )


async def test_a_task_that_is_gone_meanwhile_is_not_found(
    api: httpx.AsyncClient,
    session: Session,
    stranger: Any,
    meanwhile: Callable[[Callable[[], object]], None],
) -> None:
    task_id = TaskFactory().id

    def goes() -> None:
        stranger.exec_driver_sql("DELETE FROM tasks WHERE id = %s", (task_id,))
        stranger.commit()

    meanwhile(goes)
    assert problem(await api.get(f"/tasks/{task_id}/why"), 404).title == "Task not found"


async def test_who_has_just_moved_it_on_does_not_hold_it(
    ask: Ask,
    session: Session,
    stranger: Any,
    meanwhile: Callable[[Callable[[], object]], None],
) -> None:
    """What was seen is a moment old; that its row is locked now says nothing of it."""
    task_id = TaskFactory().id

    def moves_on() -> None:
        change = "UPDATE tasks SET updated_at = UTC_TIMESTAMP(6), title = %s WHERE id = %s"
        stranger.exec_driver_sql(change, ("t", task_id))
        stranger.commit()
        stranger.exec_driver_sql(change, ("u", task_id))

    meanwhile(moves_on)
    assert names(await ask(task_id)) == ["due"]


async def test_more_than_is_quickly_added_up_is_unknown(
    ask: Ask, session: Session, engine: Engine
) -> None:
    TaskFactory(priority="高")
    task = TaskFactory()
    with engine.begin() as connection:
        rows = ", ".join(["('{}')"] * UNFOLDED)
        connection.exec_driver_sql(f"INSERT INTO counter_deltas (deltas) VALUES {rows}")
    assert names(await ask(task)) == ["behind", "unknown"]


async def test_who_asks_is_in_nobodys_way(api: httpx.AsyncClient, ask: Ask) -> None:
    """However often: a worker that waits for the very task gets it at once."""
    for _ in range(20):
        task = await submit(api)
        asking = [asyncio.create_task(ask(task["id"])) for _ in range(10)]
        async with asyncio.timeout(2):
            lease = await claim_one(api, wait_seconds=10)
        assert lease["task"]["id"] == task["id"]
        await asyncio.gather(*asking)
        await complete(api, lease)
