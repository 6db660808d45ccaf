"""Who moves many tasks waits for none but those, however small the table is and whatever the
statistics say: a scan would stop at the first row that somebody else holds."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.service import sweeping
from app.service.platform import Platform
from tests.factories import TaskFactory, lease_of

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
    bystanders: None, platform: Platform
) -> None:
    TaskFactory.create_batch(MANY, overdue=True)

    assert await sweeping.time_out(platform) == MANY


async def test_cancelling_many_tasks_does_not_wait_for_others(
    bystanders: None, api: httpx.AsyncClient
) -> None:
    TaskFactory.create_batch(MANY // 2)
    TaskFactory.create_batch(MANY // 2, in_progress=True)

    answer = await api.post("/admin/tasks/cancel", params={"queue": "default"})

    assert answer.json() == {"matched": MANY, "changed": MANY}
