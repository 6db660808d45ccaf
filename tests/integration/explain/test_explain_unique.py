"""How MySQL runs what is asked of unique keys: by their hashes, however many keys there are."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from app.domain.unique import hash_of
from app.mysql.database import Database
from app.queue import statements, unique_keys
from app.queue.sweeps import audit
from tests.support.explaining import NUMBERS, Statement, explain, rows_read, sent_by

KEYS = 20_000
ASKED = 5
HASHES = [hash_of("default", str(number)) for number in range(ASKED)]
MARKS = ", ".join(["%s"] * ASKED)
# A walk looks at the first of what comes next, too.
SLACK = 4


@pytest.fixture(scope="module", params=[False, True], ids=["few", "many"])
def are_many(request: pytest.FixtureRequest, engine: Engine) -> Iterator[bool]:
    """Whether there are more than those that are asked for."""
    with engine.begin() as connection:
        for number, of_key in enumerate(HASHES):
            connection.exec_driver_sql("INSERT INTO unique_keys VALUES (%s, %s)", (of_key, number))
        if request.param:
            connection.execute(
                text(
                    f"INSERT IGNORE INTO unique_keys {NUMBERS} "
                    f"SELECT LEFT(SHA2(n, 256), 32), 1000 + n FROM numbers WHERE n < {KEYS}"
                )
            )
    with engine.connect() as connection:
        connection.execute(text("ANALYZE TABLE unique_keys, unique_key_locks, tasks")).all()
    yield request.param
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM unique_keys"))


def test_keys_are_found_by_their_hashes(are_many: bool, connection: Connection) -> None:
    statement = Statement(unique_keys.FIND.format(MARKS), tuple(HASHES))
    (plan,) = explain(connection, statement)
    assert (plan.key, plan.access) == ("PRIMARY", "range")
    assert rows_read(connection, statement) <= ASKED + SLACK


def test_keys_are_given_back_by_their_hashes(are_many: bool, connection: Connection) -> None:
    """A scan would wait at every key that somebody else takes just now."""
    statement = Statement(
        unique_keys.RELEASE.format(MARKS, MARKS), (*HASHES, *range(100, 100 + ASKED))
    )
    (plan,) = explain(connection, statement)
    assert (plan.table, plan.key, plan.access) == ("unique_keys", "PRIMARY", "range")
    connection.exec_driver_sql("FLUSH STATUS")
    assert connection.exec_driver_sql(statement.text, statement.values).rowcount == 0
    shown = connection.execute(text("SHOW SESSION STATUS LIKE 'Handler_read%'"))
    assert sum(int(count) for _, count in shown) <= ASKED + SLACK


def test_what_is_locked_for_them_is_locked_in_one_order(connection: Connection) -> None:
    statement = Statement(unique_keys.LOCK.format(MARKS), tuple(range(ASKED)))
    (plan,) = explain(connection, statement)
    assert (plan.key, plan.access) == ("PRIMARY", "range")
    assert "filesort" not in plan.extra
    assert rows_read(connection, statement) <= ASKED + SLACK


@pytest.mark.parametrize("read", [statements.lock_within, statements.read_within])
async def test_who_holds_them_is_read_by_id(
    are_many: bool, database: Database, connection: Connection, read: Callable[..., Awaitable[Any]]
) -> None:
    work = partial(read, ids=range(1, ASKED + 1), limit_bytes=1000)
    (statement,) = await sent_by(database, work)
    (plan,) = explain(connection, statement)
    assert (plan.key, plan.access) == ("PRIMARY", "range")


@pytest.mark.parametrize("after", ["", HASHES[0]])
async def test_the_walk_through_them_reads_a_part(
    are_many: bool, database: Database, connection: Connection, after: str
) -> None:
    work = partial(audit.unique_keys, after=after, limit=ASKED)
    looked, *_ = await sent_by(database, work, about="unique_keys")
    plans = {plan.table: plan for plan in explain(connection, looked)}
    assert plans["unique_keys"].key == "PRIMARY"
    assert plans["tasks"].key == "PRIMARY"
    assert not any("filesort" in plan.extra for plan in plans.values())
    # A key, its task, and what comes after it.
    assert rows_read(connection, looked) <= 2 * ASKED + SLACK
