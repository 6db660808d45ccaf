"""How MySQL runs what is asked of groups: by their ids, or along their queue's, however many others
there are."""

from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import Connection, Engine, text

from app.domain.eligibility import NEVER
from app.domain.slots import NEEDS_GROUPS, Group
from app.domain.standing import AHEAD_LIMIT, Standing
from app.domain.states import Priority, Status
from app.mysql.database import Database
from app.queue import why
from app.queue.groups import overrides, reading
from app.queue.sweeps import adoption
from tests.support.explaining import NUMBERS, Statement, explain, rows_read, sent_by
from tests.support.rows import NOW, a_row

GROUPS = 20_000
LIMIT = 5
# A walk looks at the first of what comes next, too.
SLACK = 4
FILL = (
    f"INSERT INTO task_groups (id, queue, group_key, held, waiting, is_full) {NUMBERS} "
    "SELECT LEFT(SHA2(n, 256), 32), IF(n % 2, 'default', 'other'), CONCAT('group-', n), 1, 1, 1 "
    f"FROM numbers WHERE n < {GROUPS}"
)
LINE = (
    f"INSERT INTO group_waits (task_id, group_id, claim_rank, turn_at) {NUMBERS} "
    f"SELECT n, :id, n % 3, :at FROM numbers WHERE n < {GROUPS}"
)


@pytest.fixture(scope="module", params=[False, True], ids=["none", "many"])
def are_many(request: pytest.FixtureRequest, engine: Engine) -> Iterator[bool]:
    """Whether there are more than those that are asked for."""
    with engine.begin() as connection:
        if request.param:
            connection.execute(text(FILL))
    with engine.connect() as connection:
        connection.execute(text("ANALYZE TABLE task_groups, group_waits, queue_settings")).all()
    yield request.param
    with engine.begin() as connection:
        for table in ("task_groups", "group_waits"):
            connection.execute(text(f"DELETE FROM {table}"))


def assert_walks(connection: Connection, statement: Statement) -> None:
    (plan,) = explain(connection, statement)
    assert plan.key == "ix_task_groups_queue"
    assert plan.access in ("ref", "range")
    assert "filesort" not in plan.extra
    assert rows_read(connection, statement) <= LIMIT + SLACK


@pytest.mark.parametrize("is_waiting", [False, True])
@pytest.mark.parametrize("after", [None, "group-5"])
async def test_a_page_is_read_along_its_queue(
    are_many: bool, database: Database, connection: Connection, is_waiting: bool, after: str | None
) -> None:
    read = partial(reading.page, queue="default", is_waiting=is_waiting, after=after, limit=LIMIT)
    (statement,) = await sent_by(database, read, about="task_groups")
    assert_walks(connection, statement)


async def test_one_is_read_by_its_id(
    are_many: bool, database: Database, connection: Connection
) -> None:
    group = Group("default", "group-1")
    with_limit = [
        *await sent_by(database, partial(reading.state, group=group), about="task_groups"),
        *await sent_by(database, partial(overrides.drop, group=group), about="task_groups"),
    ]
    assert len(with_limit) == 2
    for statement in with_limit:
        (plan,) = explain(connection, statement)
        assert plan.key in ("PRIMARY", None)  # None: it was looked for, and is not there
        assert rows_read(connection, statement) <= SLACK


async def test_a_limit_of_its_own_is_set_by_its_id(
    are_many: bool, database: Database, connection: Connection
) -> None:
    group = Group("default", "group-1")
    put = partial(overrides.put, group=group, running=3, weight=2)
    sent = await sent_by(database, put, about="task_groups")
    found = [s for s in sent if not s.text.startswith("INSERT")]
    held, *locked = found
    (plan,) = explain(connection, held)
    assert plan.key in ("PRIMARY", None)  # None: it was looked for, and is not there
    assert len(locked) == 2
    for statement in locked:
        (plan,) = explain(connection, statement)
        assert plan.key == "PRIMARY"
        assert plan.access in ("range", "const", "eq_ref")


async def test_groups_that_wait_are_walked_through_along_their_queue(
    are_many: bool, database: Database, connection: Connection
) -> None:
    for after in (None, "group-5"):
        look = partial(adoption.look_at_groups, queue="default", after=after, limit=LIMIT)
        (statement,) = await sent_by(database, look, about="task_groups")
        assert_walks(connection, statement)


async def test_those_before_one_in_the_line_are_counted_along_it(
    are_many: bool, database: Database, connection: Connection
) -> None:
    """However many wait."""
    group = Group("default", "group-1")
    row = a_row(Status.TO_DO, claim_rank=None, sweep_at=NEVER, flags=NEEDS_GROUPS)
    task = row._replace(group_key=group.key, priority=Priority.LOW, id=10**9)
    standing = Standing(task, NOW, None, NOW, is_swept=True)
    if are_many:
        connection.execute(text(LINE), {"id": group.id, "at": NOW})
        row_of = "INSERT INTO task_groups (id, queue, group_key) VALUES (:id, 'default', 'group-1')"
        connection.execute(text(row_of), {"id": group.id})
        connection.commit()
    connection.execute(text("ANALYZE TABLE group_waits")).all()
    line = await database.read(partial(why._line, standing=standing))
    (statement,) = await sent_by(
        database, partial(why._line, standing=standing), about="group_waits"
    )
    plans = [plan for plan in explain(connection, statement) if plan.table == "group_waits"]
    assert {plan.key for plan in plans} <= {"ix_group_waits_turn"}
    assert rows_read(connection, statement) <= 3 * (2 * (AHEAD_LIMIT + 1) + SLACK)
    assert (line.ahead > AHEAD_LIMIT) is are_many
