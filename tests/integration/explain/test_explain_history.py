"""How MySQL runs what is asked of the history: along an index, however many queues there are and
however little of it is folded; and no table of tasks is among it."""

import json
import time
from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import Connection, Engine, insert, text

from app.mysql.database import Database
from app.mysql.schema import CounterDelta, History
from app.queue.figures import history
from tests.support.elapse import mysql_now
from tests.support.explaining import explain, rows_read, sent_by

QUEUES, UNFOLDED = 100, 300
MINUTES, HOURS = 90, 340
# Of a busy one: sixty classes of each kind.
CLASSES = {f"{kind}/{n}": 7 for n in range(60) for kind in (history.WAIT, history.RUN)}
FIGURES = json.dumps({"submitted": 1} | CLASSES)
TABLES = ("history", "counter_deltas")
SLACK = 8


@pytest.fixture(scope="module", params=[False, True], ids=["empty", "many"])
def are_many(request: pytest.FixtureRequest, engine: Engine) -> Iterator[bool]:
    if request.param:
        fill(engine)
    analyze(engine)
    yield request.param
    with engine.begin() as connection:
        for table in TABLES:
            connection.execute(text(f"DELETE FROM {table}"))
    analyze(engine)


def fill(engine: Engine) -> None:
    now = mysql_now(engine).replace(second=0, microsecond=0)
    queues = [history.ALL_QUEUES, *(f"q{n}" for n in range(QUEUES))]
    hour = now.replace(minute=0)
    buckets = [
        *((60, now - n * history.MINUTE) for n in range(MINUTES)),
        *((3600, hour - n * history.HOUR) for n in range(HOURS)),
    ]
    rows = [
        {"queue": queue, "seconds": seconds, "at": at, "figures": "{}" if queue else FIGURES}
        for queue in queues
        for seconds, at in buckets
    ]
    deltas = [
        {"deltas": "{}", "history": f'{{"q{n}/{now:%Y-%m-%dT%H:%M}": {{"submitted": 1}}}}'}
        for n in range(UNFOLDED)
    ]
    with engine.begin() as connection:
        connection.execute(insert(History), rows)
        connection.execute(insert(CounterDelta), deltas)


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


async def test_two_weeks_of_all_queues_take_a_process_no_time(
    are_many: bool, database: Database
) -> None:
    work = partial(history.read, queue=history.ALL_QUEUES, minutes=20_160)
    seconds = []
    for _ in range(5):
        began = time.process_time()
        found = await database.read(work)
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.05
    assert sum(b.submitted for b in found.buckets) in (
        (337 + UNFOLDED, 336 + UNFOLDED) if are_many else (0,)
    )


async def test_a_fold_finds_its_rows_by_their_place_and_waits_for_none(
    are_many: bool, database: Database, connection: Connection, engine: Engine
) -> None:
    at = mysql_now(engine).isoformat(timespec="minutes")
    texts = [json.dumps({f"q{n}/{at}": {"done": 1} for n in range(QUEUES)})]
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
