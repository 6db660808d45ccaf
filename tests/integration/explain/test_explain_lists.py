"""How MySQL finds a page of `GET /tasks`: each filter alone and every pair, the first page and one
from the middle, along an index that has the order, and few rows each. Held on 100,000 tasks.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import combinations

import pytest
from sqlalchemy import Connection, Engine, text

from app.domain.states import Priority, Status
from app.mysql.database import Database
from app.queue.lists.filters import TaskFilter
from app.queue.lists.listing import list_tasks, matching
from app.queue.lists.pages import Page, Position
from app.service import sweeping
from app.settings import Settings
from tests.support.elapse import mysql_now
from tests.support.explaining import Statement, explain, rows_read, sent_by

TASKS = 100_000
MOST_READ = TASKS / 10
PAGE = 51
FOUND_ALONG = ("tasks", "leader")

# Of 1,000 tasks 950 are done; one a minute was created, a third is due three days later. A tag is
# on every fifth, one on every hundredth, one on every thousandth.
NUMBERS = """
WITH digits AS (
    SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
    UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
)
SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS n
FROM digits a, digits b, digits c, digits e, digits f
"""
FILL = f"""
INSERT INTO tasks (
    id, title, status, priority, queue, timeout_seconds, retry_limit, retry_delay_seconds,
    retry_backoff, current_retry_count, created_at, updated_at, attempt, due_date, claim_rank,
    completed_at, finish_token
)
SELECT
    n + 1, CONCAT('task ', n), status, ELT(1 + n % 10 DIV 3, '高', '中', '低', '低'),
    IF(n % 997 = 3, 'seldom', 'default'), 300, 3, 5, 'fixed', 0, created_at, created_at, 1,
    IF(n % 3 = 0, created_at + INTERVAL 3 DAY, NULL), NULL,
    IF(status = 'done', created_at, NULL), IF(status = 'done', LPAD(n, 32, '0'), NULL)
FROM (
    SELECT n, UTC_TIMESTAMP(6) - INTERVAL {TASKS} - n MINUTE AS created_at,
        CASE WHEN n % 1000 < 5 THEN 'failed' WHEN n % 1000 < 30 THEN 'cancelled'
             WHEN n % 1000 < 50 THEN 'paused' ELSE 'done' END AS status
    FROM ({NUMBERS}) AS numbers
) AS drawn
"""
TAGS = {"huge": 5, "usual": 101, "rare": 1009}
TIE = (
    "INSERT INTO task_tags (task_id, tag_id, task_created_at) "
    "SELECT tasks.id, tags.id, created_at FROM tasks, tags WHERE name = :name "
    # Hardly any of those that failed has the huge one.
    "AND tasks.id % :every = 2 AND (name <> 'huge' OR status <> 'failed' OR tasks.id % 7 = 0)"
)


@pytest.fixture(scope="module")
async def now(engine: Engine, migrated_settings: Settings) -> AsyncIterator[datetime]:
    """When the newest of all the tasks was made."""
    with engine.begin() as connection:
        connection.execute(text(FILL))
        for name, every in TAGS.items():
            connection.execute(text("INSERT INTO tags (name) VALUES (:name)"), {"name": name})
            connection.execute(text(TIE), {"name": name, "every": every})
    with engine.connect() as connection:
        connection.execute(text("ANALYZE TABLE tasks, task_tags, tags")).all()
    await sweeping.recount(migrated_settings)
    yield mysql_now(engine)
    with engine.begin() as connection:
        for table in ("tasks", "tags", "counters", "counter_deltas"):
            connection.execute(text(f"DELETE FROM {table}"))
    with engine.connect() as connection:
        connection.execute(text("ANALYZE TABLE tasks, task_tags, tags")).all()


def filters(now: datetime) -> dict[str, list[TaskFilter]]:
    """By field, with common and rare values."""
    lately, long_ago = now - timedelta(days=1), now - timedelta(days=60)
    return {
        "status": [TaskFilter(status=(s,)) for s in (Status.DONE, Status.FAILED, Status.TO_DO)],
        "priority": [TaskFilter(priority=(p,)) for p in (Priority.HIGH, Priority.LOW)],
        "queue": [TaskFilter(queue=(q,)) for q in ("default", "seldom")],
        "tags": [TaskFilter(tags=tags) for tags in (("huge",), ("rare",), ("huge", "usual"))],
        "ids": [TaskFilter(ids=tuple(range(1, TASKS, TASKS // 50)))],
        "created_after": [TaskFilter(created_after=at) for at in (lately, long_ago)],
        "created_before": [TaskFilter(created_before=at) for at in (lately, long_ago)],
        "due_after": [TaskFilter(due_after=at) for at in (lately, long_ago)],
        "due_before": [TaskFilter(due_before=at) for at in (lately, long_ago)],
    }


def cases(now: datetime) -> Iterator[TaskFilter]:
    by_field = filters(now)
    yield TaskFilter()
    for variants in by_field.values():
        yield from variants
    for (_, ones), (name, others) in combinations(by_field.items(), 2):
        for one in ones:
            for other in others:
                yield one._replace(**{name: getattr(other, name)})


async def the_list(database: Database, wanted: TaskFilter, page: Page) -> list[Statement]:
    """The statement that finds the page; none where it is known before that nothing matches."""
    work = partial(
        list_tasks,
        wanted=wanted,
        page=page,
        timeout_seconds=60,
        add=lambda _: 0,
        limit_bytes=0,
    )
    sent = await sent_by(database, work)
    return [statement for statement in sent if "ORDER BY" in statement.text]


@pytest.mark.parametrize("is_ascending", [False, True], ids=["newest first", "oldest first"])
async def test_every_list_is_read_along_its_order(
    now: datetime, database: Database, connection: Connection, is_ascending: bool
) -> None:
    middle = Position(now - timedelta(minutes=TASKS // 2), TASKS // 2)
    for wanted in cases(now):
        for after in (None, middle):
            page = Page(PAGE, is_ascending, after)
            for statement in await the_list(database, wanted, page):
                read = rows_read(connection, statement)
                assert read <= MOST_READ, (wanted, after, read)
                if wanted.ids:
                    continue  # as few as there are ids: they may be sorted
                plans = [p for p in explain(connection, statement) if p.table in FOUND_ALONG]
                for plan in plans:
                    assert plan.access in ("range", "ref", "eq_ref", "index"), (wanted, plan)
                    assert "filesort" not in plan.extra, (wanted, plan)


async def test_what_is_acted_on_or_counted_is_found_along_the_order(
    now: datetime, database: Database, connection: Connection
) -> None:
    middle = Position(now - timedelta(minutes=TASKS // 2), TASKS // 2)
    for wanted in (wanted for variants in filters(now).values() for wanted in variants):
        for after in (None, middle):
            page = Page(PAGE, True, after)
            work = partial(matching, wanted=wanted, page=page, timeout_seconds=60)
            sent = await sent_by(database, work)
            for statement in (s for s in sent if "ORDER BY" in s.text):
                assert rows_read(connection, statement) <= MOST_READ, (wanted, after)
                plans = [p for p in explain(connection, statement) if p.table in FOUND_ALONG]
                has_sorted = any("filesort" in plan.extra for plan in plans)
                assert bool(wanted.ids) or not has_sorted, (wanted, after, plans)


async def test_the_days_of_due_dates_are_skipped_through(
    now: datetime, database: Database, connection: Connection
) -> None:
    work = partial(
        list_tasks,
        wanted=TaskFilter(due_before=now),
        page=Page(PAGE),
        timeout_seconds=60,
        add=lambda _: 0,
        limit_bytes=0,
    )
    (look,) = [s for s in await sent_by(database, work) if "due_day" in s.text and "days" in s.text]
    assert rows_read(connection, look) <= 5 * TASKS / (24 * 60)


async def test_the_queues_are_skipped_through(
    now: datetime, database: Database, connection: Connection
) -> None:
    work = partial(
        list_tasks,
        wanted=TaskFilter(status=(Status.FAILED,)),
        page=Page(PAGE),
        timeout_seconds=60,
        add=lambda _: 0,
        limit_bytes=0,
    )
    sent = await sent_by(database, work)
    assert all(rows_read(connection, s) < MOST_READ for s in sent)
