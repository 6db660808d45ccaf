"""Who moves many tasks waits for none but those, however small the table is and whatever the
statistics say: a scan would stop at the first row that somebody else holds."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.mysql.connection import Connection
from app.queue import deletion
from app.queue.sweeps import retention
from app.service import sweeping
from app.service.resources import Resources
from tests.support.factories import TaskFactory, lease_of, now

MANY = 30


@pytest.fixture
def bystanders(session: Session, engine: Engine) -> Iterator[None]:
    """Tasks of another queue in several states, all locked by a stranger's session."""
    with engine.connect() as connection:
        # As on a fresh installation: the statistics know of no rows yet.
        connection.execute(text("ANALYZE TABLE tasks")).all()
    for trait in ("in_progress", "done", "retrying", "failed"):
        TaskFactory(queue="another", **{trait: True})
    TaskFactory(queue="another")
    with engine.connect() as stranger:
        held = stranger.exec_driver_sql("SELECT id FROM tasks FOR UPDATE").all()
        assert len(held) == 5
        yield


async def test_finishing_many_tasks_does_not_wait_for_others(
    bystanders: None, api: httpx.AsyncClient
) -> None:
    tasks = TaskFactory.create_batch(MANY, in_progress=True)
    items = [{"lease_id": lease_of(task), "outcome": "complete"} for task in tasks]

    answer = await api.post("/leases/finish", json={"items": items})

    assert answer.status_code == 200, answer.text
    assert {item["status"] for item in answer.json()["items"]} == {200}


async def test_claiming_many_tasks_does_not_wait_for_others(
    bystanders: None, api: httpx.AsyncClient
) -> None:
    TaskFactory.create_batch(MANY)

    answer = await api.post("/leases", json={"worker": "w", "limit": MANY})

    assert answer.status_code == 200, answer.text
    assert len(answer.json()) == MANY


async def test_sweeping_many_tasks_does_not_wait_for_others(
    bystanders: None, resources: Resources
) -> None:
    TaskFactory.create_batch(MANY, overdue=True)

    assert await sweeping.time_out(resources) == MANY


async def test_cancelling_many_tasks_does_not_wait_for_others(
    bystanders: None, api: httpx.AsyncClient
) -> None:
    TaskFactory.create_batch(MANY // 2)
    TaskFactory.create_batch(MANY // 2, in_progress=True)

    answer = await api.post("/admin/tasks/cancel", params={"queue": "default"})

    assert answer.json() == {"matched": MANY, "changed": MANY, "next": None}


async def test_deleting_many_tasks_does_not_wait_for_others(
    bystanders: None, resources: Resources, engine: Engine
) -> None:
    tasks = TaskFactory.create_batch(MANY, done=True, created_at=now() - timedelta(days=9))
    ids = [task.id for task in tasks]

    gone = await resources.database.transact(partial(retention.delete_ended, ids=ids, days=7))

    assert len(gone) == MANY
    with engine.connect() as connection:
        found = connection.execute(text("SELECT COUNT(*) FROM tasks WHERE queue = 'default'"))
        assert found.scalar_one() == 0


@pytest.mark.parametrize(
    ("table", "columns", "row"),
    [
        ("counter_deltas", "id, deltas", "({0}, '{{}}')"),
        ("counters", "name, value", "('tag/{0:02}', 0)"),
        ("tags", "id, name", "({0}, 'tag {0}')"),
    ],
)
async def test_rows_of_a_list_are_deleted_beside_rows_that_others_hold(
    resources: Resources, engine: Engine, table: str, columns: str, row: str
) -> None:
    key = columns.partition(",")[0]
    rows = ", ".join(row.format(n) for n in range(1, 10))
    with engine.begin() as connection:
        connection.execute(text(f"ANALYZE TABLE {table}")).all()
        connection.exec_driver_sql(f"INSERT INTO {table} ({columns}) VALUES {rows}")
        keys = list(connection.execute(text(f"SELECT {key} FROM {table} ORDER BY {key}")).scalars())

    async def delete(connection: Connection) -> int:
        wanted = keys[1:-1:2]
        return await deletion.delete_by_key(connection, table=table, key=key, values=wanted)

    with engine.connect() as stranger:
        held = keys[0::2]
        marks = ", ".join(["%s"] * len(held))
        stranger.exec_driver_sql(
            f"SELECT 1 FROM {table} FORCE INDEX (PRIMARY) WHERE {key} IN ({marks}) FOR UPDATE",
            tuple(held),
        ).all()
        assert await resources.database.transact(delete) == 4
        stranger.rollback()
