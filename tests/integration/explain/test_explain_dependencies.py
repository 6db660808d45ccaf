"""How MySQL runs what is asked of dependencies and waits: by their keys, however many there are,
and so that it locks no row that is not named."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Final

import pytest
from sqlalchemy import Connection, Engine, text

from app.domain.dependency import OnParentFailure, Wait
from app.domain.states import Status
from app.mysql.connection import Connection as Queries
from app.mysql.database import Database
from app.queue.dependencies import reach, reading, rearming, rows
from app.queue.dependencies.reading import Direction
from app.queue.dependencies.rows import Edge
from app.queue.sweeps import audit_dependencies, waits
from tests.support.explaining import NUMBERS, explain, rows_read, sent_by

TASKS: Final = 20_000
FEW: Final = 20
ASKED: Final = 5
NOW: Final = datetime.fromisoformat("2026-01-01")
IDS: Final = range(10, 10 + 2 * ASKED, 2)
SLACK: Final = 6
TABLES: Final = ("tasks", "task_dependencies", "task_waits", "fanouts")
# Each depends on the two before it and waits; every tenth has ended, and tells of it bit by bit.
FILL: Final = (
    "INSERT INTO tasks (id, title, status, priority, queue, timeout_seconds, retry_limit, "
    "retry_delay_seconds, retry_backoff, current_retry_count, created_at, updated_at, turn_at, "
    f"attempt, flags, sweep_at) {NUMBERS} SELECT 1 + n, 'a task', "
    "IF(n % 10, 'to_do', 'failed'), '中', 'default', 300, 3, 5, 'fixed', 0, UTC_TIMESTAMP(6), "
    "UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), 0, 1027, IF(n % 10, '9999-12-31', NULL) "
    "FROM numbers WHERE n < {count}",
    "INSERT INTO task_dependencies (parent_id, child_id) "
    f"{NUMBERS} SELECT 1 + n, 2 + n FROM numbers WHERE n < {{count}} "
    "UNION ALL SELECT 1 + n, 3 + n FROM numbers WHERE n < {count}",
    "INSERT INTO task_waits (task_id, unmet, on_failure, cause, look_at) "
    f"{NUMBERS} SELECT 1 + n, 2, 'run', IF(n % 4, NULL, 0), IF(n % 4, NULL, UTC_TIMESTAMP(6)) "
    "FROM numbers WHERE n < {count}",
    "INSERT INTO fanouts (parent_id, has_failed, after_child) "
    f"{NUMBERS} SELECT 1 + n, 1, 0 FROM numbers WHERE n < {{count}} AND n % 10 = 0",
)


@pytest.fixture(scope="module", params=[0, FEW, TASKS], ids=["none", "few", "many"])
def count(request: pytest.FixtureRequest, engine: Engine) -> Iterator[int]:
    """How many tasks there are, all of which wait."""
    with engine.begin() as connection:
        for statement in FILL:
            connection.execute(text(statement.format(count=request.param)))
    analyze(engine)
    yield int(request.param)
    with engine.begin() as connection:
        for table in TABLES:
            connection.execute(text(f"DELETE FROM {table}"))
    analyze(engine)


def analyze(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text(f"ANALYZE TABLE {', '.join(TABLES)}")).all()


Work = Callable[[Queries], Awaitable[object]]
WAITS: Final = [Wait(task_id, 1, OnParentFailure.RUN) for task_id in IDS]
EDGES: Final = [Edge(task_id, task_id + 1) for task_id in IDS]
BY_CHILD: Final = "ix_task_dependencies_child"


def lists(direction: Direction) -> Work:
    return partial(reading.dependencies, task_id=IDS[1], direction=direction, after=0, limit=ASKED)


async def _results(connection: Queries) -> None:
    """But for the lease itself."""
    values = (IDS[0], 0, ASKED)
    async for _ in connection.stream(reading._RESULTS, values, reads_on=False):
        pass


# Plain reads, and by which key each goes in which table.
READS: Final[dict[str, tuple[Work, dict[str, str]]]] = {
    "children": (partial(rows.children, parents=IDS), {"task_dependencies": "PRIMARY"}),
    "waiting children": (
        partial(rows.waiting_children, parents=IDS),
        {"task_dependencies": "PRIMARY", "task_waits": "PRIMARY"},
    ),
    "parents": (partial(rows.parents, of_children=IDS), {"task_dependencies": BY_CHILD}),
    "told bit by bit": (partial(rows.told_bit_by_bit, ids=IDS), {"fanouts": "PRIMARY"}),
    "needed": (
        partial(reach.needed_of, parents=IDS),
        {"task_dependencies": "PRIMARY", "tasks": "PRIMARY"},
    ),
    "cascaded": (
        partial(reach.cascaded, ids=IDS),
        {"task_dependencies": "PRIMARY", "tasks": "PRIMARY"},
    ),
    "only for": (
        partial(reach.only_for, ids=IDS),
        {"edge": BY_CHILD, "tasks": "PRIMARY", "other": "PRIMARY", "child": "PRIMARY"},
    ),
    "rearming": (
        partial(rearming.parents_of, ids=IDS),
        {"task_dependencies": BY_CHILD, "tasks": "PRIMARY", "fanouts": "PRIMARY"},
    ),
    "list of parents": (
        lists(Direction.PARENTS),
        {"task_dependencies": BY_CHILD, "tasks": "PRIMARY"},
    ),
    "list of children": (
        lists(Direction.CHILDREN),
        {"task_dependencies": "PRIMARY", "tasks": "PRIMARY"},
    ),
    "results": (_results, {"task_dependencies": BY_CHILD, "tasks": "PRIMARY"}),
    "due": (partial(waits.due, limit=ASKED), {"task_waits": "ix_task_waits_look_at"}),
    "failed": (
        partial(waits._pairs, statement=waits._FAILED, ids=IDS),
        {"task_dependencies": BY_CHILD, "tasks": "PRIMARY"},
    ),
    "statuses": (partial(waits._pairs, statement=waits._STATUSES, ids=IDS), {"tasks": "PRIMARY"}),
    "audit of flags": (
        partial(audit_dependencies.lost_waits, status=Status.TO_DO, after=IDS[0], limit=ASKED),
        {"tasks": "ix_tasks_sweep", "task_waits": "PRIMARY"},
    ),
    "audit of waits": (
        partial(audit_dependencies._wrong, ids=IDS),
        {
            **{"task_waits": "PRIMARY", "child": "PRIMARY", "edge": BY_CHILD},
            **{"parent": "PRIMARY", "fanouts": "PRIMARY"},
        },
    ),
    "what is gone": (
        partial(audit_dependencies._forget_gone, of_children=IDS),
        {"edge": BY_CHILD, "parent": "PRIMARY", "fanouts": "PRIMARY"},
    ),
    "audit of dependencies": (
        partial(audit_dependencies.edges, after=(IDS[0], IDS[0] + 1), limit=ASKED),
        {
            **{"edge": "PRIMARY", "parent": "PRIMARY", "child": "PRIMARY"},
            **{"fanouts": "PRIMARY", "task_waits": "PRIMARY"},
        },
    ),
}
# What they find is sorted, no more: each task once, or the statuses that are counted.
SORTED: Final = {"cascaded", "only for", "list of parents", "list of children"}
# A task has two it depends on, and two that depend on it: of each a row in each table.
MOST_READ: Final = 14 * ASKED + SLACK


@pytest.mark.parametrize("name", READS)
async def test_reads_go_by_key(
    count: int, database: Database, connection: Connection, name: str
) -> None:
    work, keys = READS[name]
    sent = [s for s in await sent_by(database, work, about="") if s.text.startswith("SELECT")]
    assert sent
    for statement in sent:
        plans = explain(connection, statement)
        for plan in plans:
            # MySQL may know of an empty table that there is nothing.
            assert plan.table is None or plan.key == keys.get(plan.table, "PRIMARY"), plans
            # Of few rows it may go through all, along that key.
            assert plan.access != "ALL", plans
            assert plan.access != "index" or count <= FEW, plans
            assert "filesort" not in plan.extra or name in SORTED, plans
        assert rows_read(connection, statement) <= MOST_READ


async def test_the_walk_through_the_waits_reads_a_part(
    count: int, database: Database, connection: Connection
) -> None:
    work = partial(audit_dependencies.waits, after=IDS[0], limit=ASKED)
    walk, *_ = await sent_by(database, work, about="task_waits")
    (plan,) = explain(connection, walk)
    assert plan.key == "PRIMARY"
    assert "filesort" not in plan.extra
    assert rows_read(connection, walk) <= ASKED + SLACK


# What locks, and what of which table; somebody else holds the rows between those.
LOCKS: Final[dict[str, tuple[Work, str, str]]] = {
    "waits": (partial(rows.lock_waits, ids=IDS), "task_waits", "task_id"),
    "changed waits": (partial(rows.set_waits_last, waits=WAITS, now=NOW), "task_waits", "task_id"),
    "deleted waits": (partial(rows.delete_waits, ids=IDS), "task_waits", "task_id"),
    "deleted edges": (partial(rows.delete_edges, edges=EDGES), "task_dependencies", "parent_id"),
}


@pytest.mark.parametrize("name", LOCKS)
async def test_nobody_else_is_waited_for(
    count: int, database: Database, engine: Engine, connection: Connection, name: str
) -> None:
    work, table, key = LOCKS[name]
    (statement,) = await sent_by(database, work, about="")
    plans = {plan.table: plan for plan in explain(connection, statement)}
    assert plans[table].key == "PRIMARY", plans
    assert plans[table].access in {"range", "eq_ref", "ref"}, plans
    assert "filesort" not in plans[table].extra
    others = ", ".join(str(task_id) for task_id in range(1, 40) if task_id not in IDS)
    with engine.connect() as other:
        held = f"SELECT 1 FROM {table} FORCE INDEX (PRIMARY) WHERE {key} IN ({others}) FOR UPDATE"
        other.exec_driver_sql(held)
        connection.exec_driver_sql("SET innodb_lock_wait_timeout = 1")
        try:
            connection.exec_driver_sql(statement.text, statement.values)
        finally:
            connection.rollback()
            connection.exec_driver_sql("SET innodb_lock_wait_timeout = DEFAULT")


async def test_those_to_be_told_bit_by_bit_are_taken_one_by_one(
    count: int, database: Database, engine: Engine, connection: Connection
) -> None:
    first, *then = await sent_by(database, waits.tell_bit_by_bit, about="")
    plans = explain(connection, first)
    assert [plan.key for plan in plans if plan.table is not None] == ["PRIMARY"], plans
    assert "filesort" not in plans[0].extra
    with engine.connect() as other:
        taken = [
            of.exec_driver_sql(first.text, first.values).scalars().all()
            for of in (connection, other)
        ]
    assert taken == ([[1], [11]] if count else [[], []])
    for statement in then:
        (plan,) = explain(connection, statement)
        assert plan.key == "PRIMARY"
        assert plan.access in {"range", "ref", "const"}
        assert "filesort" not in plan.extra
