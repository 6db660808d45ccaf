"""How MySQL runs what is asked of the register: along an index, however many workers there are,
and of tasks no more than run, however many there are."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from app.mysql.connection import Connection as Queries
from app.mysql.database import Database
from app.queue import workers
from app.queue.sweeps import unused
from app.queue.workers import Poll
from app.runtime.steady_clock import steady_seconds
from tests.support.explaining import Statement, explain, rows_read, sent_by

WORKERS, TASKS, RUNNING = 20_000, 50_000, 1000
LIMIT = 10
SLACK = 4

NUMBERS = """
WITH digits AS (
    SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
    UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
)
SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS n
FROM digits a, digits b, digits c, digits e, digits f
"""
# One in a hundred was seen in the last minute, one in ten polls a queue of its own.
FILL_WORKERS = f"""
INSERT INTO workers (worker, queues, agent, address, first_seen_at, last_seen_at)
SELECT CONCAT('w', LPAD(n, 5, '0')), IF(n % 10 = 3, '["seldom"]', '["default", "images"]'),
    'test/1', '10.0.0.1', UTC_TIMESTAMP(6) - INTERVAL 2 DAY,
    UTC_TIMESTAMP(6) - INTERVAL IF(n % 100 = 0, 1, 1000 + n) SECOND
FROM ({NUMBERS}) AS numbers WHERE n < {WORKERS}
"""
FILL_TASKS = f"""
INSERT INTO tasks (
    title, status, priority, queue, timeout_seconds, retry_limit, retry_delay_seconds,
    retry_backoff, current_retry_count, created_at, updated_at, attempt, worker, sweep_at,
    completed_at, finish_token, lease_token, claimed_from, started_at, deadline_at
)
SELECT CONCAT('task ', n), IF(runs, 'in_progress', 'done'), '中', 'default', 300, 3, 5, 'fixed', 0,
    at, at, 1, CONCAT('w', LPAD(n % 100, 5, '0')), IF(runs, at, NULL), IF(runs, NULL, at),
    IF(runs, NULL, LPAD(n, 32, '0')), IF(runs, LPAD(n, 32, '0'), NULL), IF(runs, 'to_do', NULL),
    at, IF(runs, at, NULL)
FROM (
    SELECT n, n < {RUNNING} AS runs, UTC_TIMESTAMP(6) - INTERVAL n SECOND AS at
    FROM ({NUMBERS}) AS numbers WHERE n < {TASKS}
) AS drawn
"""
TABLES = ("workers", "tasks")


@pytest.fixture(scope="module", params=[False, True], ids=["empty", "many"])
def are_many(request: pytest.FixtureRequest, engine: Engine) -> Iterator[bool]:
    """Whether there are any."""
    with engine.begin() as connection:
        for statement in (FILL_WORKERS, FILL_TASKS) if request.param else ():
            connection.execute(text(statement))
    analyze(engine)
    yield request.param
    with engine.begin() as connection:
        for table in TABLES:
            connection.execute(text(f"DELETE FROM {table}"))
    analyze(engine)


def analyze(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text(f"ANALYZE TABLE {', '.join(TABLES)}")).all()


async def asked(
    database: Database,
    connection: Connection,
    work: Callable[[Queries], Awaitable[Any]],
    keys: dict[str, str],
) -> list[Statement]:
    """The statements, each of which goes along these indexes and sorts nothing."""
    sent = [s for table in keys for s in await sent_by(database, work, about=table)]
    assert sent
    for statement in sent:
        plans = explain(connection, statement)
        assert not any("filesort" in plan.extra for plan in plans), plans
        found = [plan for plan in plans if plan.table in keys]
        assert found, plans
        for plan in found:
            assert (plan.key, plan.access == "ALL") == (keys[str(plan.table)], False), plans
    return sent


def page(**query: Any) -> Callable[[Queries], Awaitable[Any]]:
    asked = {"queues": (), "seen_within_seconds": None, "after": None, "limit": LIMIT, **query}
    return partial(workers.page, **asked)


KEYS = {"workers": "PRIMARY", "tasks": "ix_tasks_sweep"}


@pytest.mark.parametrize("after", [None, "w10000"])
async def test_a_page_is_read_along_the_names(
    are_many: bool, database: Database, connection: Connection, after: str | None
) -> None:
    sent = await asked(database, connection, page(after=after), KEYS)
    for statement in sent:
        if "FROM workers" in statement.text:
            assert rows_read(connection, statement) <= LIMIT + 1 + SLACK


@pytest.mark.parametrize(
    "query",
    [
        {"queues": ("seldom",)},
        {"queues": ("none",)},
        {"seen_within_seconds": 60},
        {"queues": ("seldom", "none"), "seen_within_seconds": 86_400},
    ],
    ids=str,
)
async def test_a_filter_reads_each_worker_once_at_most(
    are_many: bool, database: Database, connection: Connection, query: dict[str, Any]
) -> None:
    for statement in await asked(database, connection, page(**query), KEYS):
        if "FROM workers" in statement.text:
            assert rows_read(connection, statement) <= WORKERS * are_many + SLACK


async def test_of_tasks_no_more_is_read_than_runs(
    are_many: bool, database: Database, connection: Connection
) -> None:
    groups = 100
    for statement in await asked(database, connection, page(), KEYS):
        if "FROM tasks" in statement.text:
            # Each once, and once more for the group that it belongs to.
            read = rows_read(connection, statement)
            assert read <= (2 * RUNNING + groups) * are_many + SLACK
            assert not are_many or read >= RUNNING


async def test_a_worker_is_found_by_its_name(
    are_many: bool, database: Database, connection: Connection
) -> None:
    work = partial(workers.find, name="w00007")
    sent = await sent_by(database, work, about="workers")
    sent += await sent_by(database, work, about="tasks")
    known, held = sent
    for statement, table, most in ((known, "workers", SLACK), (held, "tasks", RUNNING + SLACK)):
        for plan in explain(connection, statement):
            assert "filesort" not in plan.extra
            # Of one name that is not there MySQL says so before it runs anything.
            assert plan.table is None or (plan.table, plan.key) == (table, KEYS[table]), plan
        assert rows_read(connection, statement) <= most


async def test_the_last_poll_of_a_queue_is_looked_for_from_the_newest_on(
    are_many: bool, database: Database, connection: Connection
) -> None:
    by_time = {"workers": "ix_workers_last_seen"}
    for queue, most in (("default", SLACK), ("seldom", WORKERS), ("none", WORKERS)):
        work = partial(workers.last_poll, queue=queue)
        (statement,) = await asked(database, connection, work, by_time)
        assert rows_read(connection, statement) <= most + SLACK


async def test_who_was_not_seen_is_found_by_time_and_forgotten_by_name(
    are_many: bool, database: Database, connection: Connection
) -> None:
    work = partial(unused.forget_workers, limit=LIMIT)
    with connection.begin():
        connection.exec_driver_sql(
            "UPDATE workers SET last_seen_at = last_seen_at - INTERVAL 1 DAY "
            "WHERE worker < 'w00900'"
        )
    found, *deletions = await sent_by(database, work, about="workers")
    (plan,) = explain(connection, found)
    assert (plan.key, plan.access == "range" or not are_many) == ("ix_workers_last_seen", True)
    assert "filesort" not in plan.extra
    assert rows_read(connection, found) <= LIMIT + SLACK
    assert len(deletions) == are_many
    for statement in deletions:
        (plan,) = [plan for plan in explain(connection, statement) if plan.table == "workers"]
        assert (plan.access, plan.key) == ("eq_ref", "PRIMARY")


async def test_what_is_told_is_written_by_name(
    are_many: bool, database: Database, connection: Connection
) -> None:
    polls = [
        Poll(f"w{n:05}", '["default"]', None, None, steady_seconds())
        for n in range(workers.TOLD_AT_ONCE)
    ]
    (statement,) = await sent_by(database, partial(workers.tell, polls=polls), about="workers")
    assert not [plan for plan in explain(connection, statement) if "filesort" in plan.extra]
    before = handlers(connection)
    connection.exec_driver_sql(statement.text, statement.values)
    read = {name: count - before[name] for name, count in handlers(connection).items()}
    connection.rollback()
    # Each poll from the list that it came in, which MariaDB copies first; the row is found by the
    # name as it is written.
    assert read["Handler_read_next"] + read["Handler_read_prev"] == 0
    assert read["Handler_read_rnd_next"] <= 2 * len(polls) + SLACK


def handlers(connection: Connection) -> dict[str, int]:
    shown = connection.execute(text("SHOW SESSION STATUS LIKE 'Handler_read%'"))
    return {name: int(count) for name, count in shown}
