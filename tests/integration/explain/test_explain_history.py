"""How MySQL runs what is asked of the history: along an index, however many queues there are and
however little of it is folded; and no table of tasks is among it."""

import time
from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import Connection, Engine, text

from app.mysql.database import Database
from app.queue.figures import history
from tests.support.explaining import NUMBERS, explain, rows_read, sent_by

QUEUES, HOURS, UNFOLDED = 300, 340, 300
# Of a busy queue: a hundred classes of each kind.
FIGURES = (
    "CONCAT('{\"submitted\": 1', (SELECT GROUP_CONCAT(CONCAT(', \"wait/', n, '\": 7, \"run/', n, "
    "'\": 8') SEPARATOR '') FROM numbers WHERE n < 60), '}')"
)
FILL = (
    f"INSERT INTO history (queue, seconds, at, figures) {NUMBERS} "
    "SELECT IF(queue = 0, '', CONCAT('q', queue)), IF(hour < 90, 60, 3600), "
    "IF(hour < 90, DATE_FORMAT(UTC_TIMESTAMP(), '%%Y-%%m-%%d %%H:%%i') - INTERVAL hour MINUTE, "
    "DATE_FORMAT(UTC_TIMESTAMP(), '%%Y-%%m-%%d %%H:00') - INTERVAL (hour - 90) HOUR), "
    f"IF(queue = 0, {FIGURES}, '{{{{}}}}') "
    f"FROM (SELECT n DIV 430 AS queue, n MOD 430 AS hour FROM numbers "
    f"WHERE n < 430 * {QUEUES}) AS drawn",
    f"INSERT INTO counter_deltas (deltas, history) {NUMBERS} "
    "SELECT '{{}}', CONCAT('{{\"q', n, '/', DATE_FORMAT(UTC_TIMESTAMP(), '%%Y-%%m-%%dT%%H:%%i'), "
    f'\'": {{"submitted": 1}}}}\') FROM numbers WHERE n < {UNFOLDED}',
)
TABLES = ("history", "counter_deltas")
SLACK = 8


@pytest.fixture(scope="module", params=[False, True], ids=["empty", "many"])
def are_many(request: pytest.FixtureRequest, engine: Engine) -> Iterator[bool]:
    with engine.begin() as connection:
        for statement in FILL if request.param else ():
            connection.exec_driver_sql(statement.replace("{{", "{").replace("}}", "}"), ())
    analyze(engine)
    yield request.param
    with engine.begin() as connection:
        for table in TABLES:
            connection.execute(text(f"DELETE FROM {table}"))
    analyze(engine)


def analyze(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text(f"ANALYZE TABLE {', '.join(TABLES)}")).all()


@pytest.mark.parametrize(("queue", "minutes"), [("", 60), ("", 20_160), ("q7", 60), ("q7", 20_160)])
async def test_it_is_read_along_the_queues_index(
    are_many: bool, database: Database, connection: Connection, queue: str, minutes: int
) -> None:
    work = partial(history.read, queue=queue, minutes=minutes)
    (statement,) = [s for s in await sent_by(database, work, about="") if "history" in s.text]
    plans = explain(connection, statement)
    assert {plan.table for plan in plans} - {None, "<union1,2>"} == set(TABLES)
    assert {plan.key for plan in plans if plan.table == "history"} == {"ix_history_queue"}
    assert not any("filesort" in plan.extra for plan in plans), plans
    most = min(minutes, 61) if minutes == 60 else 337
    if not are_many:
        most = 0
    # Each row and the union's own, and what is not folded.
    assert rows_read(connection, statement) <= 2 * (most + UNFOLDED) + SLACK


async def test_two_weeks_of_all_queues_are_read_in_no_time(
    are_many: bool, database: Database
) -> None:
    work = partial(history.read, queue=history.ALL_QUEUES, minutes=20_160)
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        found = await database.read(work)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.05
    assert sum(b.submitted for b in found.buckets) in (
        (337 + UNFOLDED, 336 + UNFOLDED) if are_many else (0,)
    )


async def test_a_fold_finds_its_rows_by_their_place_and_waits_for_none(
    are_many: bool, database: Database, connection: Connection, engine: Engine
) -> None:
    now = "2020-01-01T00:00"
    texts = ["{" + ", ".join(f'"q{n}/{now}": {{"done": 1}}' for n in range(99)) + "}"]
    with engine.connect() as row:
        minute = str(row.exec_driver_sql("SELECT MAX(at) FROM history").scalar() or now)
    texts.append(f'{{"q1/{minute}": {{"started": 1}}}}')
    sent = await sent_by(database, partial(history.fold, texts=texts), about="history")
    for statement in sent:
        if statement.text.startswith("SELECT"):
            (plan,) = explain(connection, statement)
            assert (plan.key, plan.access) == ("ix_history_queue", "range")
            assert rows_read(connection, statement) <= 3 * 200 + SLACK


async def test_what_is_old_is_found_along_its_index(
    are_many: bool, database: Database, connection: Connection
) -> None:
    sent = await sent_by(database, partial(history.delete_old, limit=10), about="history")
    for statement in sent:
        if statement.text.startswith("SELECT"):
            (plan,) = explain(connection, statement)
            assert plan.key == "ix_history_at"
            assert "filesort" not in plan.extra
            assert rows_read(connection, statement) <= 10 + SLACK
