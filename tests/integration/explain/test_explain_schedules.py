"""How MySQL runs the statements of schedules: on their index, in its order, few rows each. Held on
empty tables and on 200,000 schedules with 200,000 runs, few of them due."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Connection, Engine, text

from app.mysql.database import Database
from app.queue.schedules import changes, firing, rows, runs
from app.queue.schedules.rows import PAGE
from app.queue.sweeps import unused
from app.queue.tags import TagIds
from tests.support.explaining import NUMBERS, Plan, Statement, explain, rows_read, sent_by

DUE = 7
LIMIT = 10
SLACK = 3
# Of s000000 that many of the seconds that nobody looked at have a run, at most.
MISSED = 3600
TEMPLATE = (
    '{"title":"t","description":null,"priority":"中","queue":"default","tag_names":["a"],'
    '"due_date":null,"timeout_seconds":300,"retry_limit":3,"retry_delay_seconds":5,'
    '"retry_backoff":"exponential","available_at":null,"payload":null}'
)
FILL = f"""
INSERT INTO schedules (name, interval_seconds, timezone, task, catch_up, overlap, jitter_seconds,
    considered_at, next_at, revision, created_at, updated_at)
{NUMBERS}
SELECT CONCAT('s', LPAD(n, 6, '0')), 3600, 'UTC', :template, 'one', 'allow', 0,
    UTC_TIMESTAMP(6) - INTERVAL 150 MINUTE, IF(n % 2, NULL,
    IF(n < {2 * DUE}, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL n SECOND)),
    1, UTC_TIMESTAMP(6) - INTERVAL 3 HOUR, UTC_TIMESTAMP(6)
FROM numbers
"""
FILL_RUNS = f"""
INSERT INTO schedule_runs (schedule, occurrence_at, kind, outcome, skipped, fired_at)
{NUMBERS}
SELECT IF(n % 2, 's000000', CONCAT('s', LPAD(n, 6, '0'))), UTC_TIMESTAMP(6) - INTERVAL n SECOND,
    'due', 'submitted', 0, UTC_TIMESTAMP(6) - INTERVAL n SECOND
FROM numbers
"""
TABLES = ("schedules", "schedule_runs")


@pytest.fixture(scope="module", params=[0, 200_000], ids=["empty", "200,000 schedules"])
def schedules(request: pytest.FixtureRequest, engine: Engine) -> Iterator[int]:
    """How many there are."""
    with engine.connect() as connection:
        if request.param:
            connection.execute(text(FILL), {"template": TEMPLATE})
            connection.execute(text(FILL_RUNS))
            connection.execute(text("INSERT INTO tags (name) VALUES ('a')"))
            connection.commit()
        connection.execute(text(f"ANALYZE TABLE {', '.join(TABLES)}")).all()
        yield request.param
        connection.rollback()
        for table in (*TABLES, "tags"):
            connection.execute(text(f"DELETE FROM {table}"))
        connection.commit()
        connection.execute(text(f"ANALYZE TABLE {', '.join(TABLES)}")).all()


def held(connection: Connection, statement: Statement, key: str, *, rows: int) -> Plan:
    """On that index, nothing sorted, no more rows than that."""
    (plan,) = explain(connection, statement)
    assert plan.access in {"range", "ref", "const", "index", None}, plan
    assert plan.key == key or plan.access is None, plan
    assert "filesort" not in plan.extra
    assert "temporary" not in plan.extra
    if statement.text.startswith("SELECT"):
        assert rows_read(connection, statement) <= rows + SLACK
    return plan


async def test_the_idle_look_is_one_statement_that_reads_one_row(
    schedules: int, database: Database, connection: Connection
) -> None:
    (statement,) = await sent_by(database, firing.is_any_due, about="schedules")
    held(connection, statement, "ix_schedules_next", rows=1)


async def test_firing_is_seven_statements_each_on_its_index(
    schedules: int, database: Database, connection: Connection
) -> None:
    fire = partial(firing.fire_once, tag_ids=TagIds())
    sent = await sent_by(database, fire, about="")
    lock = sent[0]
    held(connection, lock, "ix_schedules_next", rows=DUE)
    if schedules:
        decided, _tags, _insert_task, _ties, within, _insert_run, update = sent[1:]
        held(connection, decided, "PRIMARY", rows=2 * DUE)
        held(connection, within, "PRIMARY", rows=2 * DUE + MISSED)
        held(connection, update, "PRIMARY", rows=DUE)


async def test_a_schedule_and_its_runs_are_found_by_name(
    schedules: int, database: Database, connection: Connection
) -> None:
    name = "s000000"
    (statement,) = await sent_by(database, lambda c: rows.find(c, name), about="schedules")
    held(connection, statement, "PRIMARY", rows=1)
    before = timedelta(days=1)
    now = connection.execute(text("SELECT UTC_TIMESTAMP(6)")).scalar_one()
    page = Statement(runs.PAGE, (name, now + before, LIMIT))
    held(connection, page, "PRIMARY", rows=LIMIT)
    held(connection, Statement(PAGE, ("s1", LIMIT)), "PRIMARY", rows=LIMIT)
    (lock, *_writes) = await sent_by(
        database, lambda c: changes.pause(c, name=name, tag_ids=TagIds()), about="schedules"
    )
    held(connection, lock, "PRIMARY", rows=1)


async def test_runs_that_are_not_kept_are_found_along_their_index(
    schedules: int, database: Database, connection: Connection
) -> None:
    sent = await sent_by(database, partial(unused.delete_runs, after=""), about="")
    held(connection, sent[0], "PRIMARY", rows=1)
    if schedules:
        _name, oldest, old, forget, delete = sent
        held(connection, forget, "PRIMARY", rows=1)
        held(connection, oldest, "ix_schedule_runs_fired", rows=runs.KEPT)
        held(connection, old, "ix_schedule_runs_fired", rows=runs.OLD_LIMIT)
        held(connection, delete, "PRIMARY", rows=runs.OLD_LIMIT)
