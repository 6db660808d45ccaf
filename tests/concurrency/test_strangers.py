"""Strangers in the database: one who holds a row, and one who holds a table."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import claim, problem
from tests.support.factories import TaskFactory

LOCK = "SELECT id FROM tasks WHERE id = %s FOR UPDATE"


@pytest.fixture
async def impatient_api(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    given = {"database_timeout_seconds": 2.0, "redis_url": None}
    async with serving(settings.model_copy(update=given)) as api:
        yield api


async def test_changes_of_one_row_that_is_held_leave_room_for_everybody_else(
    session: Session, engine: Engine, api: httpx.AsyncClient
) -> None:
    held = TaskFactory()
    with engine.connect() as stranger:
        stranger.exec_driver_sql(LOCK, (held.id,))
        changes = [
            asyncio.create_task(api.patch(f"/tasks/{held.id}", json={"title": str(number)}))
            for number in range(40)
        ]
        await asyncio.sleep(0)
        for number in range(20):
            answer = await api.post("/tasks", json={"title": "t", "tags": [str(number % 3)]})
            assert answer.status_code == 201
            assert len(await claim(api)) == 1
        for answer in await asyncio.gather(*changes):
            assert problem(answer, 503).title in ("Row busy", "Database busy")
            assert answer.headers["retry-after"] == "1"
        stranger.rollback()
    assert (await api.patch(f"/tasks/{held.id}", json={"title": "free"})).status_code == 200


def waiting_for_a_table(connection: Connection) -> int:
    found = connection.execute(
        text(
            "SELECT COUNT(*) FROM information_schema.processlist "
            "WHERE db = DATABASE() AND state LIKE 'Waiting for table %'"
        )
    )
    return int(found.scalar_one())


async def test_who_gave_up_waiting_for_a_table_leaves_no_session_behind(
    session: Session, engine: Engine, impatient_api: httpx.AsyncClient
) -> None:
    task_id = TaskFactory().id
    session.close()
    with engine.connect() as stranger, engine.connect() as watching:
        stranger.exec_driver_sql("LOCK TABLES tasks WRITE")
        stranger.detach()  # should this fail, its lock ends with it
        calls = [
            *(impatient_api.get(f"/tasks/{task_id}") for _ in range(10)),
            *(impatient_api.get(f"/tasks?title={number}") for number in range(10)),
            *(impatient_api.post("/tasks", json={"title": "t"}) for _ in range(10)),
            *(impatient_api.post("/leases", json={"worker": "w"}) for _ in range(10)),
            *(impatient_api.patch(f"/tasks/{task_id}", json={"title": "t"}) for _ in range(10)),
        ]
        for answer in await asyncio.gather(*calls):
            assert answer.status_code == 503, answer.text
        async with asyncio.timeout(20):
            # The table is held still, and nobody waits for it any more.
            while waiting_for_a_table(watching):  # noqa: ASYNC110  (MySQL sends no event)
                await asyncio.sleep(0.05)
        stranger.exec_driver_sql("UNLOCK TABLES")
    assert (await impatient_api.get(f"/tasks/{task_id}")).status_code == 200
