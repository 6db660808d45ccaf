"""How MySQL runs what is asked of groups and those that wait for their slots: by their keys,
however many there are, and so that it locks no row that is not named."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Final

import pytest
from sqlalchemy import Connection, Engine, text

from app.domain.slots import Group, Limits, Standing, Turn
from app.domain.states import Priority, Status
from app.mysql.connection import Connection as Queries
from app.mysql.database import Database
from app.queue.groups import rows, settling
from app.queue.sweeps import adoption, audit_slots, slots, surplus
from tests.support.explaining import NUMBERS, explain, rows_read, sent_by

TASKS: Final = 20_000
FEW: Final = 20
ASKED: Final = 5
NOW: Final = datetime.fromisoformat("2026-01-01")
SLACK: Final = 6
TABLES: Final = ("tasks", "task_groups", "group_waits")
KEYS: Final = [f"g{n}" for n in range(10, 10 + 2 * ASKED, 2)]
GROUPS: Final = [Group("default", key) for key in KEYS]
IDS: Final = range(10, 10 + 2 * ASKED, 2)
# A hundred groups, by the hash of their names as MySQL has it; of each most wait, and some are due.
_ID: Final = "LEFT(SHA2(CONCAT('default', CHAR(0), 'g', {}), 256), 32)"
FILL: Final = (
    "INSERT INTO tasks (id, title, status, priority, queue, timeout_seconds, retry_limit, "
    "retry_delay_seconds, retry_backoff, current_retry_count, created_at, updated_at, turn_at, "
    f"attempt, flags, group_key, sweep_at) {NUMBERS} SELECT 1 + n, 'a task', "
    "IF(n % 10, 'to_do', 'failed'), '中', 'default', 300, 3, 5, 'fixed', 0, '2026-01-01', "
    "'2026-01-01', '2026-01-01', 0, 4, CONCAT('g', n % 100), IF(n % 10, '9999-12-31', NULL) "
    "FROM numbers WHERE n < {count}",
    "INSERT INTO task_groups (id, queue, group_key, held, waiting, is_full, look_at) "
    f"{NUMBERS} SELECT {_ID.format('n')}, 'default', CONCAT('g', n), 0, "
    "IF(n % 10, {count} DIV 100, 0), 1, IF(n % 3, NULL, UTC_TIMESTAMP(6)) "
    "FROM numbers WHERE n < 100 AND n < {count}",
    "INSERT INTO group_waits (task_id, group_id, claim_rank, turn_at) "
    f"{NUMBERS} SELECT 1 + n, {_ID.format('n % 100')}, 1, '2026-01-01' "
    "FROM numbers WHERE n < {count} AND n % 10",
)


@pytest.fixture(scope="module", params=[0, FEW, TASKS], ids=["none", "few", "many"])
def count(request: pytest.FixtureRequest, engine: Engine) -> Iterator[int]:
    """How many tasks there are, nearly all of which wait."""
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
OF: Final = adoption.DueQueue("default", Limits(running=1), NOW, NOW)
BY_NAME: Final = "ix_task_groups_queue"
# Plain reads, by which key each goes in which table, and how many rows it may read.
READS: Final[dict[str, tuple[Work, dict[str, str], int]]] = {
    "first turns": (
        partial(rows.first_turns, wanted=dict.fromkeys(GROUPS, 3)),
        {"group_waits": "ix_group_waits_turn"},
        ASKED * 4,
    ),
    "who is there": (partial(settling._gone, ids=[*IDS]), {"tasks": "PRIMARY"}, ASKED),
    "due": (partial(slots.due, limit=ASKED), {"task_groups": "ix_task_groups_look_at"}, ASKED),
    "due queues": (adoption.due, {"queue_settings": "ix_queue_settings_adopts_from"}, 1),
    "groups with others": (
        partial(adoption.look_at_groups, queue="default", after="g3", limit=ASKED),
        {"task_groups": BY_NAME},
        ASKED * 2,
    ),
    "lines": (
        partial(audit_slots.lines, after=IDS[0], limit=ASKED),
        {"group_waits": "PRIMARY", "tasks": "PRIMARY", "task_groups": "PRIMARY"},
        3 * ASKED,
    ),
    "unseen": (
        partial(audit_slots.unseen, status=Status.TO_DO, after=IDS[0], limit=ASKED),
        {"tasks": "ix_tasks_sweep", "group_waits": "PRIMARY", "task_groups": "PRIMARY"},
        3 * ASKED,
    ),
}


@pytest.mark.parametrize("name", READS)
async def test_reads_go_by_key(
    count: int, database: Database, connection: Connection, name: str
) -> None:
    work, keys, most = READS[name]
    (statement,) = [s for s in await sent_by(database, work, about="") if "SELECT" in s.text][:1]
    plans = explain(connection, statement)
    for plan in plans:
        # MySQL may know of an empty table that there is nothing.
        assert plan.table is None or plan.key == keys.get(plan.table), plans
        assert plan.access != "ALL", plans
        assert plan.access != "index" or count <= FEW, plans
        assert "filesort" not in plan.extra, plans
    assert rows_read(connection, statement) <= most + SLACK


async def test_adoption_walks_in_order(
    count: int, database: Database, connection: Connection
) -> None:
    walk = partial(
        adoption.adopt,
        of=OF,
        status=Status.TO_DO,
        priority=Priority.MEDIUM,
        after=adoption.Position(NOW, IDS[0]),
        limit=ASKED,
    )
    first, *_ = await sent_by(database, walk)
    (plan,) = explain(connection, first)
    assert plan.key == "ix_tasks_list"
    assert "filesort" not in plan.extra
    assert rows_read(connection, first) <= 3 * ASKED + SLACK


async def test_what_is_given_back_is_looked_for_from_the_end(
    count: int, database: Database, connection: Connection
) -> None:
    walk = partial(surplus.give_back, of=OF, rank=1, before=surplus.Place(), limit=ASKED)
    sent = await sent_by(database, walk)
    (plan,) = explain(connection, sent[0])
    assert plan.key == "ix_tasks_claim"
    assert "filesort" not in plan.extra
    assert rows_read(connection, sent[0]) <= 3 * ASKED + SLACK


# Of the tables that a queue's figures are counted from; what it comes to is grouped.
FIGURES: Final = {
    "task_groups": {BY_NAME},
    "group_waits": {"ix_group_waits_turn"},
    "tasks": {"ix_tasks_list", "ix_tasks_claim", "PRIMARY"},
}


async def test_the_figures_of_a_queue_are_counted_along_its_keys(
    count: int, database: Database, connection: Connection
) -> None:
    work = partial(audit_slots._wrong, queue="default")
    (statement,) = await sent_by(database, work, about="task_groups")
    for plan in explain(connection, statement):
        if plan.table in FIGURES:
            assert plan.key in FIGURES[plan.table], plan
            assert plan.access not in {"ALL", "index"}, plan
    # Nobody runs or may be claimed: who waits, and the groups, thrice over.
    assert rows_read(connection, statement) <= 4 * count + 400 + SLACK


# What locks, and what of which table; somebody else holds the rows between those.
STANDINGS: Final = [
    Standing(group, 1, 1, None, (), True, None, 0, None, None, (None, None, None))
    for group in GROUPS
]
TURNS: Final = [Turn(1, NOW, task_id) for task_id in IDS]
LOCKS: Final[dict[str, tuple[Work, str]]] = {
    "changed groups": (partial(rows.set_last, standings=STANDINGS), "task_groups"),
    "corrected group": (
        partial(rows.count_anew, group=GROUPS[0], held=1, unpaid=0, waiting=0),
        "task_groups",
    ),
    "forgotten groups": (partial(slots.forget, groups=GROUPS), "task_groups"),
    "who leaves": (partial(rows.leave, turns=TURNS), "group_waits"),
}


@pytest.mark.parametrize("name", LOCKS)
async def test_nobody_else_is_waited_for(
    count: int, database: Database, engine: Engine, connection: Connection, name: str
) -> None:
    work, table = LOCKS[name]
    (statement,) = await sent_by(database, work, about="")
    plans = {plan.table: plan for plan in explain(connection, statement)}
    assert plans[table].key == "PRIMARY", plans
    assert plans[table].access in {"range", "eq_ref", "ref", "const"}, plans
    await _runs_beside_others(engine, connection, statement.text, statement.values)


async def test_groups_are_locked_by_their_keys(
    count: int, database: Database, engine: Engine, connection: Connection
) -> None:
    lock, _, read = await sent_by(database, partial(rows.lock, groups=GROUPS), about="")
    (plan,) = explain(connection, read)
    assert plan.key == "PRIMARY" or plan.table is None, plan
    assert plan.access in {"range", None}, plan
    await _runs_beside_others(engine, connection, lock.text, lock.values)


async def _runs_beside_others(
    engine: Engine, connection: Connection, statement: str, values: tuple[object, ...]
) -> None:
    ids = ", ".join(f"'{Group('default', f'g{n}').id}'" for n in range(40) if f"g{n}" not in KEYS)
    tasks = ", ".join(str(n) for n in range(1, 40) if n not in IDS)
    with engine.connect() as other:
        other.exec_driver_sql(
            f"SELECT 1 FROM task_groups FORCE INDEX (PRIMARY) WHERE id IN ({ids}) FOR UPDATE"
        )
        other.exec_driver_sql(
            f"SELECT 1 FROM group_waits FORCE INDEX (PRIMARY) WHERE task_id IN ({tasks}) FOR UPDATE"
        )
        connection.exec_driver_sql("SET innodb_lock_wait_timeout = 1")
        try:
            connection.exec_driver_sql(statement, values)
        finally:
            connection.rollback()
            connection.exec_driver_sql("SET innodb_lock_wait_timeout = DEFAULT")
