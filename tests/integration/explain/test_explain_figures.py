"""How MySQL runs what is asked of tags, attempts, keys and counters: along an index that has the
order, or by key, however few rows there are and however many."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from app.domain.states import Outcome
from app.domain.task import Lease
from app.mysql.connection import Connection as Queries
from app.mysql.database import Database
from app.queue.deletion import delete_by_key
from app.queue.figures import counters, stats
from app.queue.lists import reading
from app.queue.sweeps import unused
from app.settings import Settings
from tests.support.explaining import Statement, explain, rows_read, sent_by
from tests.support.factories import TaskFactory
from tests.support.rows import a_row

MANY = 5000
LIMIT = 10
SLACK = 4

NUMBERS = (
    "WITH digits AS (SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 "
    "UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL "
    "SELECT 8 UNION ALL SELECT 9) SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 1 AS n "
    f"FROM digits a, digits b, digits c, digits e HAVING n <= {MANY}"
)
FILL = (
    f"INSERT INTO tags (name) SELECT CONCAT('tag ', LPAD(n, 5, '0')) FROM ({NUMBERS}) AS numbers",
    "INSERT INTO counters (name, value) SELECT CONCAT('queue/q', LPAD(n, 5, '0'), '/to_do/中'), 1 "
    f"FROM ({NUMBERS}) AS numbers",
    "INSERT INTO counters (name, value) SELECT CONCAT('tag/tag ', LPAD(n, 5, '0')), 1 "
    f"FROM ({NUMBERS}) AS numbers",
    "INSERT INTO task_attempts (task_id, attempt, started_at, finished_at, outcome, lease_token) "
    "SELECT {task}, n, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), 'released', LPAD(n, 32, '0') "
    f"FROM ({NUMBERS}) AS numbers",
    "INSERT INTO idempotency_keys (idempotency_key, item, body_hash, task_id) "
    "SELECT CONCAT('key ', n MOD 5), n DIV 5, LPAD(n MOD 5, 64, '0'), {task} "
    f"FROM ({NUMBERS}) AS numbers",
)
TABLES = "tags, counters, task_attempts, idempotency_keys, task_tags, counter_deltas"


@pytest.fixture(params=[False, True], ids=["few", "many"])
def task_id(request: pytest.FixtureRequest, session: Session, engine: Engine) -> Iterator[int]:
    """The one task there is, with few or many of everything else."""
    task = TaskFactory(done=True, attempt=MANY + 1)
    with engine.begin() as connection:
        for statement in FILL if request.param else ():
            connection.execute(text(statement.format(task=task.id)))
    with engine.connect() as connection:
        connection.execute(text(f"ANALYZE TABLE {TABLES}")).all()
    yield task.id
    with engine.begin() as connection:
        for table in TABLES.split(", "):
            connection.execute(text(f"DELETE FROM {table}"))
    with engine.connect() as connection:
        connection.execute(text(f"ANALYZE TABLE {TABLES}")).all()


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings)
    yield database
    await database.close()


class Asked:
    """Statements that were sent, and what the server makes of them."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database = database
        self._connection = connection

    async def of(
        self, table: str, key: str, work: Callable[[Queries], Awaitable[Any]]
    ) -> list[Statement]:
        """Those that concern a table, which is read along that index and not sorted."""
        sent = await sent_by(self._database, work, about=table)
        assert sent
        for statement in sent:
            plans = explain(self._connection, statement)
            assert not any("filesort" in plan.extra for plan in plans), plans
            found = [plan for plan in plans if plan.table == table]
            assert {(plan.key, plan.access == "ALL") for plan in found} == {(key, False)}, plans
        return sent

    def read(self, statement: Statement) -> int:
        return rows_read(self._connection, statement)


@pytest.fixture
def asked(database: Database, connection: Connection) -> Asked:
    return Asked(database, connection)


@pytest.mark.parametrize("after", [None, "tag 02500"])
async def test_tags_are_read_along_their_names(
    task_id: int, asked: Asked, after: str | None
) -> None:
    work = partial(stats.tags, after=after, limit=LIMIT)
    names, *_ = await asked.of("tags", "ux_tags_name", work)
    assert asked.read(names) <= LIMIT + SLACK


async def test_the_counters_of_some_tags_are_read_by_name(task_id: int, asked: Asked) -> None:
    names = [f"tag {n:05}" for n in range(1, 101)]
    (statement,) = await asked.of(
        "counters", "PRIMARY", lambda c: counters.read_some_tags(c, names)
    )
    assert asked.read(statement) <= 3 * len(names) + SLACK


async def test_the_counters_of_some_queues_are_read_by_name(task_id: int, asked: Asked) -> None:
    names = [f"q{n:05}" for n in range(1, 1001, 10)]
    (statement,) = await asked.of(
        "counters", "PRIMARY", lambda c: counters.read_some_queues(c, names)
    )
    assert asked.read(statement) <= 6 * len(names) + SLACK


@pytest.mark.parametrize("after", [0, MANY // 2])
async def test_attempts_are_read_in_their_order(task_id: int, asked: Asked, after: int) -> None:
    work = partial(
        reading.attempts_of,
        task_id=task_id,
        after=after,
        limit=LIMIT,
        add=lambda _: 0,
        limit_bytes=1,
    )
    (statement,) = await asked.of("task_attempts", "PRIMARY", work)
    assert asked.read(statement) <= LIMIT + SLACK


async def test_a_lease_finds_its_attempt_among_all_of_its_task(
    task_id: int, asked: Asked, database: Database
) -> None:
    leases = [Lease(task_id, f"{n:032}") for n in (5, 50, MANY)]
    task = a_row(status="failed", id=task_id)  # type: ignore[arg-type]
    work = partial(reading.outcomes_by_lease, leases=leases, tasks={task_id: task})
    (statement,) = await asked.of("task_attempts", "ix_task_attempts_lease", work)
    assert asked.read(statement) <= 3 * SLACK
    found = await database.read(work)
    assert set(found.values()) <= {Outcome.RELEASED}


async def test_a_key_is_looked_up_at_its_first_task(task_id: int, asked: Asked) -> None:
    keys = ["key 1", "key 3", "none"]
    sent = await asked.of("idempotency_keys", "PRIMARY", lambda c: reading.first_by_key(c, keys))
    for statement in sent:
        assert asked.read(statement) <= 4 * len(keys) + SLACK


async def test_the_tasks_of_a_key_are_read_in_their_order(task_id: int, asked: Asked) -> None:
    for is_whole in (True, False):
        work = partial(
            reading.tasks_of_key,
            key="key 1",
            after=-1,
            is_whole=is_whole,
            add=lambda _: 0,
            limit_bytes=1,
        )
        await asked.of("idempotency_keys", "PRIMARY", work)
        await asked.of("tasks", "PRIMARY", work)


async def test_what_is_unused_is_looked_for_along_the_primary_keys(
    task_id: int, asked: Asked
) -> None:
    walk = partial(unused.delete_counters, after="queue/q02500", limit=LIMIT)
    sent = await asked.of("counters", "PRIMARY", walk)
    assert asked.read(sent[0]) <= LIMIT + SLACK
    tags = partial(unused.delete_tags, after=0, last=2**31 - 1, limit=LIMIT)
    for statement in await asked.of("tags", "PRIMARY", tags):
        if not statement.text.startswith("DELETE"):
            assert asked.read(statement) <= 3 * LIMIT + SLACK


@pytest.mark.parametrize(
    ("table", "key", "values"),
    [
        ("counter_deltas", "id", range(1, 400, 2)),
        ("counters", "name", [f"tag/tag {n:05}" for n in range(1, 400, 2)]),
        ("tags", "id", range(1, 400, 2)),
    ],
)
async def test_a_list_is_deleted_by_key(
    task_id: int, asked: Asked, table: str, key: str, values: Any
) -> None:
    work = partial(delete_by_key, table=table, key=key, values=values)
    for statement in await asked.of(table, "PRIMARY", work):
        assert statement.text.startswith(f"DELETE `{table}` ")
