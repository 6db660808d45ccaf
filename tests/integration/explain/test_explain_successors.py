"""How MySQL finds what the ends of attempts have stored: by their keys, however many there are."""

from functools import partial
from typing import Final

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from app.domain.task import Lease
from app.mysql.database import Database
from app.queue import successors
from tests.support.explaining import NUMBERS, explain, rows_read, sent_by
from tests.support.factories import TaskFactory

EACH: Final = 3
LEASES: Final = [Lease(task_id, "0" * 32) for task_id in (5, 50, 500)]
SLACK: Final = 4
FILL: Final = (
    "INSERT INTO idempotency_keys (idempotency_key, item, body_hash, task_id) "
    f"{NUMBERS} SELECT CONCAT('{successors.KEY.format('')}', n DIV :each, '.', REPEAT('0', 32)), "
    "n % :each, '', :task FROM numbers WHERE n < :count OR n DIV :each IN (5, 50, 500)"
)


@pytest.mark.parametrize("count", [0, 20_000], ids=["few", "many"])
async def test_they_are_read_by_key_in_order(
    session: Session, engine: Engine, database: Database, connection: Connection, count: int
) -> None:
    values = {"each": EACH, "task": TaskFactory().id, "count": count}
    with engine.begin() as filling:
        filling.execute(text(FILL), values)
        filling.execute(text("ANALYZE TABLE idempotency_keys")).all()
    work = partial(successors.submitted_by, leases=LEASES)
    (statement,) = await sent_by(database, work, "idempotency_keys")
    (plan,) = explain(connection, statement)
    assert (plan.key, plan.access) == ("PRIMARY", "range")
    assert "filesort" not in plan.extra
    assert rows_read(connection, statement) <= len(LEASES) * (EACH + 1) + SLACK
