"""How MySQL runs the statements of the hot path: on their index, in its order, few rows each.

A filesort under FOR UPDATE would lock every candidate, and a scan would grow with history.
Held on an empty table and on 200,000 tasks, most of them done.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import product

import pytest
from sqlalchemy import Connection, Engine, text

from app.domain.states import WAITING, Priority, Status
from app.mysql.connection import CLOCK
from app.mysql.connection import Connection as Queries
from app.mysql.database import Database
from app.queue import statements
from app.queue.attempts import claim_looks, lifecycle, poll_checks
from app.queue.attempts.claim_marks import BEGINNING, Look, Mark
from app.queue.attempts.claim_memory import ClaimMemory
from app.queue.deletion import delete_by_key
from app.queue.figures import stats
from app.queue.requests import Claim, LeaseCall
from app.queue.statements import CLAIM
from app.queue.sweeps import deadlines, retention
from app.settings import Settings
from tests.support.explaining import NUMBERS, Plan, Statement, explain, rows_read, sent_by
from tests.support.rows import a_row

LIMIT = 10
SLACK = 3  # the look past the end of a range, and the like

# Of 100 tasks 6 can be claimed, 2 wait out a delay, 2 run, one of them too long; 80 are done.
FILL = f"""
INSERT INTO tasks (
    title, status, priority, queue, timeout_seconds, retry_limit, retry_delay_seconds,
    retry_backoff, current_retry_count, created_at, updated_at, attempt, claim_rank, sweep_at,
    completed_at, finish_token, lease_token, claimed_from, started_at, deadline_at
)
{NUMBERS},
drawn AS (
    SELECT n, ELT(1 + n % 3, '高', '中', '低') AS priority,
        CASE WHEN n % 100 < 6 THEN 'to_do' WHEN n % 100 < 8 THEN 'retrying'
             WHEN n % 100 < 10 THEN 'in_progress' WHEN n % 100 < 14 THEN 'failed'
             WHEN n % 100 < 18 THEN 'cancelled' WHEN n % 100 < 20 THEN 'paused'
             ELSE 'done' END AS status,
        UTC_TIMESTAMP(6) - INTERVAL n SECOND AS created_at,
        UTC_TIMESTAMP(6) + INTERVAL IF(n % 2, 1, -1) HOUR AS due_at
    FROM numbers
)
SELECT
    CONCAT('task ', n), status, priority, 'default', 300, 3, 5, 'fixed', 0, created_at,
    created_at, 1, IF(status = 'to_do', n % 3, NULL),
    CASE status WHEN 'retrying' THEN due_at WHEN 'in_progress' THEN due_at END,
    IF(status = 'done', created_at, NULL), IF(status = 'done', LPAD(n, 32, '0'), NULL),
    IF(status = 'in_progress', LPAD(n, 32, '0'), NULL), IF(status = 'in_progress', 'to_do', NULL),
    created_at, IF(status = 'in_progress', due_at, NULL)
FROM drawn
"""


@pytest.fixture(scope="module", params=[0, 200_000], ids=["empty", "200,000 tasks"])
def tasks(request: pytest.FixtureRequest, engine: Engine) -> Iterator[int]:
    """How many tasks there are."""
    with engine.connect() as connection:
        if request.param:
            connection.execute(text(FILL))
            connection.commit()
        connection.execute(text("ANALYZE TABLE tasks")).all()
        found = connection.execute(text("SELECT COUNT(*) FROM tasks")).scalar_one()
        assert found == request.param
        yield found
        connection.rollback()
        connection.execute(text("DELETE FROM tasks"))
        connection.commit()
        connection.execute(text("ANALYZE TABLE tasks")).all()


def only(plans: list[Plan]) -> Plan:
    (plan,) = plans
    return plan


def sorts(plan: Plan) -> bool:
    return "filesort" in plan.extra or "temporary" in plan.extra


async def claim_statement(database: Database) -> Statement:
    call = LeaseCall(claim=Claim("w", ("default",), LIMIT))
    sent = await sent_by(
        database,
        partial(lifecycle.finish_and_claim, calls=[call], memory=ClaimMemory(), given_out=[]),
    )
    claims = [statement for statement in sent if statement.text == CLAIM]
    # Nothing is locked where there is nothing: what doctor explains is what would be sent.
    return claims[0] if claims else Statement(CLAIM, ("default", 0, BEGINNING, "default", LIMIT))


async def test_the_claim_is_on_its_index_and_sorts_nothing(
    tasks: int, database: Database, connection: Connection
) -> None:
    claim, *_paused = explain(connection, await claim_statement(database))

    assert (claim.access, claim.key) == ("range", "ix_tasks_claim")
    assert not sorts(claim)


async def test_the_claim_reads_no_more_rows_than_it_hands_out(
    tasks: int, database: Database, connection: Connection
) -> None:
    read = rows_read(connection, await claim_statement(database))

    assert min(tasks, LIMIT) <= read <= LIMIT + SLACK


@pytest.mark.parametrize("is_newest_first", [False, True], ids=["oldest first", "newest first"])
@pytest.mark.parametrize("status", [Status.TO_DO, Status.RETRYING])
async def test_the_promotion_is_on_its_index_and_sorts_nothing(
    tasks: int, database: Database, connection: Connection, status: Status, is_newest_first: bool
) -> None:
    promote = partial(
        deadlines.promote_once, status=status, limit=LIMIT, is_newest_first=is_newest_first
    )
    sent = await sent_by(database, promote)
    plan = only(explain(connection, sent[0]))

    assert (plan.access, plan.key) == ("range", "ix_tasks_sweep")
    assert not sorts(plan)
    assert rows_read(connection, sent[0]) <= LIMIT + SLACK


async def test_the_sweep_of_overdue_attempts_is_on_its_index_and_sorts_nothing(
    tasks: int, database: Database, connection: Connection
) -> None:
    sent = await sent_by(database, partial(deadlines.time_out_once, limit=LIMIT))
    plan = only(explain(connection, sent[0]))

    assert (plan.access, plan.key) == ("range", "ix_tasks_sweep")
    assert not sorts(plan)
    assert rows_read(connection, sent[0]) <= LIMIT + SLACK


async def test_the_look_for_silent_workers_is_on_its_index_and_sorts_nothing(
    tasks: int, database: Database, connection: Connection
) -> None:
    (statement,) = await sent_by(database, partial(deadlines.due_leases, limit=LIMIT))
    plan = only(explain(connection, statement))

    assert (plan.access, plan.key) == ("range", "ix_tasks_sweep")
    assert not sorts(plan)


async def test_a_move_of_many_tasks_goes_by_primary_key(
    tasks: int, database: Database, connection: Connection, engine: Engine
) -> None:
    first = connection.execute(text("SELECT COALESCE(MIN(id), 1) FROM tasks")).scalar_one()
    moves = [
        (a_row(Status.TO_DO, id=task_id), a_row(Status.IN_PROGRESS, id=task_id))
        for task_id in range(first, first + 100)
    ]

    async def move(connection: Queries) -> None:
        await statements.move(connection, moves)

    (statement,) = await sent_by(database, move)
    plan = only(explain(connection, statement))

    assert (plan.access, plan.key) == ("range", "PRIMARY")
    assert not sorts(plan)


async def test_a_finisher_locks_its_tasks_by_primary_key(
    tasks: int, database: Database, connection: Connection
) -> None:
    ids = connection.execute(text("SELECT id FROM tasks LIMIT 100")).scalars().all() or range(1, 9)
    (statement,) = await sent_by(database, partial(statements.lock_tasks, ids=ids))
    plan = only(explain(connection, statement))

    assert (plan.access, plan.key) == ("range", "PRIMARY")
    assert not sorts(plan)
    assert rows_read(connection, statement) <= len(ids) + SLACK


async def test_the_look_for_those_who_wait_counts_no_further_than_it_has_to(
    tasks: int, database: Database, connection: Connection
) -> None:
    wanted = {"default": LIMIT, "another": LIMIT}
    anew = dict.fromkeys(wanted, Look.from_the_beginning())
    work = partial(poll_checks.claimable, wanted=wanted, looks=anew)
    (statement,) = await sent_by(database, work)
    looks = [plan for plan in explain(connection, statement) if plan.table == "tasks"]

    assert [plan.key for plan in looks] == ["ix_tasks_claim"] * len(looks)
    assert not any(sorts(plan) for plan in looks)
    # Each task is read once, and once more from the derived table that is counted.
    assert rows_read(connection, statement) <= 2 * LIMIT + 4 * SLACK


async def test_the_look_before_a_claim_counts_no_further_than_is_wanted(
    tasks: int, database: Database, connection: Connection
) -> None:
    places = [(queue, rank) for queue in ("default", "another") for rank in (0, 1, 2)]
    anew = dict.fromkeys(("default", "another"), Look.from_the_beginning())
    work = partial(claim_looks.fronts, looks=anew, places=places, limit=LIMIT)
    (statement,) = await sent_by(database, work)
    looks = [plan for plan in explain(connection, statement) if plan.table == "tasks"]

    assert [plan.key for plan in looks] == ["ix_tasks_claim"] * len(looks)
    assert not any(sorts(plan) for plan in looks)
    # Of three ranks each task is read once, and once more from the derived table.
    assert rows_read(connection, statement) <= 3 * 2 * LIMIT + 7 * SLACK


@pytest.mark.parametrize("begins", [[BEGINNING] * 3, [BEGINNING, None, BEGINNING]])
async def test_the_look_at_turns_reads_no_more_of_each_rank_than_is_wanted(
    tasks: int, database: Database, connection: Connection, begins: list[datetime | None]
) -> None:
    work = partial(claim_looks.first_turns, queue="default", begins=begins, limit=LIMIT)
    (statement,) = await sent_by(database, work)
    looks = [plan for plan in explain(connection, statement) if plan.table == "tasks"]

    ranks = 3 - begins.count(None)
    assert [plan.key for plan in looks] == ["ix_tasks_claim"] * ranks
    # Of an empty table MySQL may as well read all.
    assert not tasks or {plan.access for plan in looks} == {"range"}
    assert not any(sorts(plan) for plan in looks)
    assert all("Using index" in plan.extra for plan in looks)
    # Each turn is read once, and with some servers once more from where the ranks come together.
    assert rows_read(connection, statement) <= ranks * (2 * LIMIT + 2 * SLACK)


async def test_the_clock_reads_one_row_by_its_key(
    tasks: int, database: Database, connection: Connection
) -> None:
    clock = Statement(CLOCK, ())
    before = rows_read(connection, clock)
    connection.execute(text("REPLACE INTO settings_version (id, version) VALUES (1, 1)"))
    (version,) = [p for p in explain(connection, clock) if p.table == "settings_version"]

    assert (version.access, version.key) == ("const", "PRIMARY")
    assert before <= 1
    assert rows_read(connection, clock) <= 1


@pytest.mark.parametrize("begins_at", [BEGINNING, BEGINNING + timedelta(days=1)])
async def test_which_of_many_queues_have_tasks_is_seen_at_their_beginnings(
    tasks: int, database: Database, connection: Connection, begins_at: datetime
) -> None:
    queues = ["default", "another", *(f"q{number}" for number in range(62))]
    look = Look.from_the_beginning()._replace(marks=(Mark(begins_at),) * 3)
    (statement,) = await sent_by(
        database, partial(claim_looks.present, looks=dict.fromkeys(queues, look))
    )
    looks = [plan for plan in explain(connection, statement) if plan.table == "tasks"]

    assert [plan.key for plan in looks] == ["ix_tasks_claim"] * len(queues)
    assert not any(sorts(plan) for plan in looks)
    assert rows_read(connection, statement) <= 3 * len(queues)


async def test_the_names_of_queues_are_skipped_through(
    tasks: int, database: Database, connection: Connection
) -> None:
    work = partial(stats.queues, wanted=(), after="", limit=LIMIT)
    names, *_heads = await sent_by(database, work)

    assert "DISTINCT queue" in names.text
    # Of the one queue the first and the last entry, and what is made of it.
    assert rows_read(connection, names) <= 6 * SLACK


async def test_of_each_rank_no_more_than_its_head_is_read(
    tasks: int, database: Database, connection: Connection, settings: Settings
) -> None:
    async def work(connection: Queries) -> None:
        waiting = {(str(s), str(p)): 1 for s, p in product(WAITING, Priority)}
        await stats.oldest_waiting_seconds(connection, {"default": waiting, "none": waiting})

    (statement,) = await sent_by(database, work)
    heads = [plan for plan in explain(connection, statement) if plan.table == "tasks"]

    assert [plan.key for plan in heads] == ["ix_tasks_claim"] * 6
    assert not any(sorts(plan) for plan in heads)
    # Each task is read once, and once more from the derived table.
    assert rows_read(connection, statement) <= 3 * 2 * stats.HEAD_TASKS + 12 * SLACK


async def test_tasks_are_deleted_by_primary_key(
    tasks: int, database: Database, connection: Connection
) -> None:
    ids = connection.execute(text("SELECT id FROM tasks LIMIT 100")).scalars().all() or range(1, 9)

    async def work(connection: Queries) -> None:
        await delete_by_key(connection, table="tasks", key="id", values=ids)

    (statement,) = await sent_by(database, work)
    (plan,) = [plan for plan in explain(connection, statement) if plan.table == "tasks"]

    assert (plan.access, plan.key) == ("eq_ref", "PRIMARY")


async def test_the_look_for_old_tasks_goes_along_their_creation(
    tasks: int, database: Database, connection: Connection
) -> None:
    after = retention.Place(BEGINNING + timedelta(days=1), 5)
    (statement,) = await sent_by(
        database, partial(retention.look, days=1, after=after, limit=LIMIT)
    )
    plan = only(explain(connection, statement))

    assert (plan.access, plan.key) == ("range", "ix_tasks_created")
    assert not sorts(plan)
    assert rows_read(connection, statement) <= LIMIT + SLACK
