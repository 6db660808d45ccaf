"""How MySQL runs what is asked when somebody asks why: by key or along an index, and no further
than is counted."""

from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import Connection, Engine, text

from app.domain.standing import AHEAD_LIMIT
from app.mysql.database import Database
from app.queue import why, workers
from app.queue.figures import pace
from tests.integration.explain.test_explain_claims import FILL
from tests.support.explaining import Statement, explain, rows_read, sent_by

SLACK = 6
MINUTE = 60.0
NUMBERS = (
    "WITH digits AS (SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 "
    "UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL "
    "SELECT 8 UNION ALL SELECT 9) SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n "
    "FROM digits a, digits b, digits c, digits e"
)
# 10,000 workers, of which one serves the queue; as many counters of as many queues.
BESIDE = (
    "INSERT INTO workers (worker, queues, first_seen_at, last_seen_at) SELECT CONCAT('w', n), "
    """IF(n = 9000, '["default"]', '["another"]'), UTC_TIMESTAMP(6), """
    f"UTC_TIMESTAMP(6) - INTERVAL n SECOND FROM ({NUMBERS}) AS numbers",
    "INSERT INTO counters (name, value) SELECT CONCAT('queue/q', n, '/to_do/中'), 1 "
    f"FROM ({NUMBERS}) AS numbers",
    f"INSERT INTO counter_deltas (deltas) SELECT '{{}}' FROM ({NUMBERS}) AS numbers",
)
TABLES = ("tasks", "workers", "counters", "counter_deltas")
# The last one to be claimed, behind all others of its priority and the two before.
LAST = (
    "INSERT INTO tasks (id, title, status, priority, queue, timeout_seconds, retry_limit, "
    "retry_delay_seconds, retry_backoff, current_retry_count, created_at, updated_at, turn_at, "
    "attempt, claim_rank) SELECT {id}, 'last', 'to_do', '低', 'default', 300, 3, 5, 'fixed', 0, "
    "at, at, at, 0, 2 FROM (SELECT UTC_TIMESTAMP(6) AS at) AS now"
)
LAST_ID = 10_000_000


@pytest.fixture(scope="module", params=[0, 200_000], ids=["empty", "200,000 tasks"])
def tasks(request: pytest.FixtureRequest, engine: Engine) -> Iterator[int]:
    """How many tasks there are before the last one."""
    fill = (FILL, "UPDATE tasks SET turn_at = created_at", *BESIDE) if request.param else ()
    with engine.begin() as connection:
        for statement in (*fill, LAST.format(id=LAST_ID)):
            connection.exec_driver_sql(statement.replace("%", "%%"))
    with engine.connect() as connection:
        connection.execute(text(f"ANALYZE TABLE {', '.join(TABLES)}")).all()
    yield request.param
    with engine.begin() as connection:
        for table in TABLES:
            connection.execute(text(f"DELETE FROM {table}"))
    with engine.connect() as connection:
        connection.execute(text(f"ANALYZE TABLE {', '.join(TABLES)}")).all()


async def sent(database: Database, connection: Connection) -> list[Statement]:
    """All that may be sent of one task: somebody holds its row."""
    connection.exec_driver_sql(f"SELECT id FROM tasks WHERE id = {LAST_ID} FOR UPDATE")
    found = await sent_by(database, partial(why.look, task_id=LAST_ID, seconds=MINUTE), about="")
    connection.rollback()
    return found


async def test_each_read_goes_by_key_or_along_an_index(
    tasks: int, database: Database, connection: Connection
) -> None:
    state, free, last_poll, ahead, how_fast, again = await sent(database, connection)
    assert again == free
    keys: dict[Statement, dict[str | None, str | None]] = {
        state: {"tasks": "PRIMARY", "paused_queues": "PRIMARY", "queue_settings": "PRIMARY"},
        free: {"tasks": "PRIMARY", "seen": "PRIMARY"},
        last_poll: {"workers": "ix_workers_last_seen"},
        ahead: {"tasks": "ix_tasks_claim"},
        how_fast: {"counters": "PRIMARY", "counter_deltas": "PRIMARY"},
    }
    for statement, expected in keys.items():
        plans = explain(connection, statement)
        assert not any("filesort" in plan.extra for plan in plans), plans
        # What schedulers say of themselves is a line for each sweep. Of no queue that is paused
        # or set MySQL may know it before it runs.
        found = {plan.table: plan.key for plan in plans if plan.table in {*expected, "tasks"}}
        assert found.items() <= expected.items(), plans
        assert expected.keys() - found.keys() <= {"paused_queues", "queue_settings"}, plans


async def test_no_more_is_read_than_is_counted(
    tasks: int, database: Database, connection: Connection
) -> None:
    state, free, _, ahead, how_fast, _ = await sent(database, connection)
    assert rows_read(connection, state) <= 2 * SLACK
    assert rows_read(connection, free) <= SLACK
    # Each is read once, and once more from the derived table that is counted.
    parts = ahead.text.count("FORCE INDEX")
    assert parts == 4
    assert rows_read(connection, ahead) <= parts * (2 * (AHEAD_LIMIT + 1) + SLACK)
    assert rows_read(connection, how_fast) <= 2 * (pace.UNFOLDED + 1) + SLACK


async def test_in_a_queue_that_ages_no_more_is_read_either(
    tasks: int, database: Database, connection: Connection
) -> None:
    settings = '{"ageing_seconds":{"中":600,"低":3600}}'
    insert = "INSERT INTO queue_settings (queue, settings, updated_at) VALUES (%s, %s, NOW(6))"
    connection.exec_driver_sql(insert, ("default", settings))
    connection.commit()
    try:
        _, _, _, ahead, *_ = await sent(database, connection)
    finally:
        connection.execute(text("DELETE FROM queue_settings"))
        connection.commit()
    parts = ahead.text.count("turn_at <= %s") + ahead.text.count("turn_at < %s")
    assert parts == 3
    plans = [plan for plan in explain(connection, ahead) if plan.table == "tasks"]
    assert {plan.key for plan in plans} <= {"ix_tasks_claim"}
    assert not any("filesort" in plan.extra for plan in plans), plans
    assert rows_read(connection, ahead) <= 4 * (2 * (AHEAD_LIMIT + 1) + SLACK)


async def test_the_last_poll_of_a_queue_is_the_first_that_is_met(
    tasks: int, database: Database, connection: Connection
) -> None:
    (statement,) = await sent_by(
        database, partial(workers.last_poll, queue="another"), about="workers"
    )
    assert rows_read(connection, statement) <= SLACK


async def test_whoever_is_first_counts_nobody(
    tasks: int, database: Database, connection: Connection
) -> None:
    """However many there are behind."""
    ids = connection.exec_driver_sql(
        "SELECT id FROM tasks WHERE claim_rank = 0 ORDER BY turn_at, id LIMIT 1"
    )
    first = ids.scalar() or LAST_ID
    sent = await sent_by(database, partial(why.look, task_id=first, seconds=MINUTE), about="")
    (ahead,) = [statement for statement in sent if "ix_tasks_claim" in statement.text]
    assert rows_read(connection, ahead) <= 4 * SLACK
    assert all(count == 0 for (count,) in connection.exec_driver_sql(*ahead))
