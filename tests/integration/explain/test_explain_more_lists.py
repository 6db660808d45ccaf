"""How MySQL finds what waits for its time, what no index is for, and how many match; and that a
summary reads no large text."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from app.domain.states import Status
from app.mysql.database import Database
from app.queue.lists.counting import count_tasks
from app.queue.lists.filters import TaskFilter
from app.queue.lists.listing import list_tasks
from app.queue.lists.pages import OrderBy, Page, Position
from app.service import sweeping
from app.settings import Settings
from tests.support.elapse import mysql_now
from tests.support.explaining import Statement, explain, rows_read, sent_by

TASKS = 20_000
DELAYED = 10_000
PAGE = 51
LARGE = 100
SLACK = 20

NUMBERS = (
    "WITH digits AS (SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 "
    "UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL "
    "SELECT 8 UNION ALL SELECT 9) "
    "SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS n "
    f"FROM digits a, digits b, digits c, digits e, digits f HAVING n < {TASKS}"
)
# Every second one waits for its time, in another order than that in which they came.
FILL = f"""
INSERT INTO tasks (
    id, title, status, priority, queue, timeout_seconds, retry_limit, retry_delay_seconds,
    retry_backoff, current_retry_count, created_at, updated_at, attempt, available_at, sweep_at,
    completed_at, finish_token, worker
)
SELECT
    n + 1, CONCAT('task ', n), IF(n % 2 = 0, IF(n % 10 = 0, 'retrying', 'to_do'), 'done'), '中',
    'default', 300, 3, 5, 'fixed', 0, created_at, created_at, 1,
    IF(n % 2 = 0, created_at + INTERVAL 400 + n * 7919 % {TASKS} DIV 3 DAY, NULL),
    IF(n % 2 = 0, created_at + INTERVAL 400 + n * 7919 % {TASKS} DIV 3 DAY, NULL),
    IF(n % 2 = 1, created_at, NULL), IF(n % 2 = 1, LPAD(n, 32, '0'), NULL), 'host-1'
FROM (
    SELECT n, UTC_TIMESTAMP(6) - INTERVAL {TASKS} - n MINUTE AS created_at
    FROM ({NUMBERS}) AS numbers
) AS drawn
"""


@pytest.fixture(scope="module")
async def now(engine: Engine, migrated_settings: Settings) -> AsyncIterator[datetime]:
    with engine.begin() as connection:
        connection.execute(text(FILL))
    with engine.connect() as connection:
        connection.execute(text("ANALYZE TABLE tasks")).all()
    await sweeping.recount(migrated_settings)
    yield mysql_now(engine)
    with engine.begin() as connection:
        for table in ("tasks", "counters", "counter_deltas"):
            connection.execute(text(f"DELETE FROM {table}"))
    with engine.connect() as connection:
        connection.execute(text("ANALYZE TABLE tasks")).all()


async def the_list(
    database: Database, wanted: TaskFilter, page: Page, **more: Any
) -> list[Statement]:
    work = partial(
        list_tasks,
        wanted=wanted,
        page=page,
        timeout_seconds=60,
        add=lambda _: 0,
        limit_bytes=10**9,
        **more,
    )
    return [s for s in await sent_by(database, work) if "LIMIT" in s.text]


@pytest.mark.parametrize("is_ascending", [False, True])
@pytest.mark.parametrize("is_summary", [False, True])
async def test_what_is_delayed_is_read_along_its_time(
    now: datetime,
    database: Database,
    connection: Connection,
    is_ascending: bool,
    is_summary: bool,
) -> None:
    middle = now + timedelta(days=3000)
    for wanted in (
        TaskFilter(),
        TaskFilter(status=(Status.TO_DO,)),
        TaskFilter(queue=("default",)),
        TaskFilter(available_after=middle),
        TaskFilter(available_before=middle),
    ):
        for after in (None, Position(middle, TASKS // 2)):
            page = Page(PAGE - 1, is_ascending, after, OrderBy.AVAILABLE_AT)
            (statement,) = await the_list(database, wanted, page, is_summary=is_summary)
            assert rows_read(connection, statement) <= 9 * PAGE, (wanted, after)
            plans = [plan for plan in explain(connection, statement) if plan.table == "tasks"]
            for plan in plans:
                assert plan.key in ("ix_tasks_sweep", "PRIMARY"), plan
                assert "filesort" not in plan.extra, plan


async def test_what_no_index_is_for_is_looked_for_along_the_order(
    now: datetime, database: Database, connection: Connection
) -> None:
    for wanted in (
        TaskFilter(worker="nobody"),
        TaskFilter(completed_after=now),
        TaskFilter(completed_before=now - timedelta(days=7)),
        TaskFilter(available_after=now, status=(Status.DONE,)),
        TaskFilter(available_before=now),
    ):
        for page in (Page(PAGE - 1), Page(PAGE - 1, is_ascending=True)):
            (statement,) = await the_list(database, wanted, page)
            plans = [plan for plan in explain(connection, statement) if plan.table == "tasks"]
            assert plans
            for plan in plans:
                assert plan.access in ("range", "ref", "eq_ref", "index"), (wanted, plan)
                assert "filesort" not in plan.extra, (wanted, plan)


@pytest.mark.parametrize("limit", [10, 3000])
async def test_it_is_counted_along_an_index_and_not_beyond_the_limit(
    now: datetime, database: Database, connection: Connection, limit: int
) -> None:
    lately = now - timedelta(days=9)
    for wanted in (
        TaskFilter(created_after=lately),
        TaskFilter(status=(Status.DONE,), created_after=lately),
        TaskFilter(queue=("default",), created_before=now),
        TaskFilter(worker="host-1"),
        TaskFilter(title="task"),
        TaskFilter(available_after=now, status=(Status.TO_DO, Status.RETRYING)),
    ):
        work = partial(count_tasks, wanted=wanted, limit=limit, timeout_seconds=60)
        sent = [s for s in await sent_by(database, work) if "LIMIT" in s.text]
        assert sent
        for statement in sent:
            # What is counted together is put into a table first, and read from there. MariaDB
            # does not skip from priority to priority, and reads what was created before as well.
            if not connection.dialect.is_mariadb:  # type: ignore[attr-defined]
                assert rows_read(connection, statement) <= 3 * limit + SLACK, (wanted, statement)
            for plan in explain(connection, statement):
                if plan.table == "tasks":
                    assert plan.access in ("range", "ref", "index"), (wanted, plan)
                    assert "filesort" not in plan.extra, (wanted, plan)


async def test_what_the_counters_know_is_not_counted(now: datetime, database: Database) -> None:
    for wanted in (TaskFilter(), TaskFilter(status=(Status.DONE,), queue=("default",))):
        work = partial(count_tasks, wanted=wanted, limit=10, timeout_seconds=60)
        assert await sent_by(database, work) == []
        assert (await database.read(work)).tasks in (TASKS, TASKS - DELAYED)


async def test_a_summary_reads_no_large_text(
    now: datetime, database: Database, engine: Engine, connection: Connection
) -> None:
    with engine.begin() as writing:
        writing.execute(
            text(
                "UPDATE tasks SET payload = REPEAT('a', 262144), result = REPEAT('b', 262144), "
                f"description = REPEAT('c', 60000) WHERE id > {TASKS - LARGE}"
            )
        )
    looked_at = {}
    for is_summary in (False, True):
        (statement,) = await the_list(
            database, TaskFilter(), Page(LARGE - 1), is_summary=is_summary
        )
        # The figure is the whole server's: what it does besides, purging say, comes on top.
        tries = []
        for _ in range(5):
            before = _pages_looked_at(connection)
            connection.exec_driver_sql(statement.text, statement.values).all()
            connection.rollback()  # MariaDB counts them as the transaction ends
            tries.append(_pages_looked_at(connection) - before)
        looked_at[is_summary] = min(tries)
    # Each of them has more than thirty pages of text.
    assert looked_at[False] > 30 * LARGE
    assert looked_at[True] < 10 * LARGE


def _pages_looked_at(connection: Connection) -> int:
    rows = connection.execute(text("SHOW STATUS LIKE 'Innodb_buffer_pool_read_requests'"))
    return int(rows.one()[1])
