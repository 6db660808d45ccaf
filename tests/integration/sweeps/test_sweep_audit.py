"""Structures beside the tasks are compared with them; what is wrong is set right, and counted."""

import asyncio

import httpx
import pytest
from sqlalchemy import Engine, text

from app.api import ops
from app.domain.findings import Finding
from app.mysql.connection import Connection
from app.processes.doctor import examine
from app.queue.sweeps import audit
from app.queue.unique_keys import Changes, write_last
from app.service import auditing, sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.support.calls import claim_one, complete, fail, submit


def rows(engine: Engine, statement: str) -> list[str]:
    with engine.connect() as connection:
        return sorted(str(found) for found in connection.execute(text(statement)).scalars())


async def test_unique_keys_that_no_task_holds_go_and_no_other(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "AUDIT_BATCH", 3)
    held = [
        await submit(api, unique={"key": str(n), "while": ("waiting", "active")[n % 2]})
        for n in range(10)
    ]
    await claim_one(api, queues=["default"])
    running = await submit(api, queue="other", unique={"key": "k", "while": "active"})
    await claim_one(api, queues=["other"])
    ids = [task["id"] for task in held]
    gone = {
        ids[1]: "DELETE FROM tasks WHERE id = :id",
        ids[2]: "UPDATE tasks SET flags = 0 WHERE id = :id",
        ids[4]: "UPDATE tasks SET attempt = 1 WHERE id = :id",
        ids[5]: "UPDATE tasks SET status = 'cancelled', claim_rank = NULL WHERE id = :id",
    }
    with engine.begin() as connection:
        for task_id, statement in gone.items():
            connection.execute(text(statement), {"id": task_id})
    all_keys = rows(engine, "SELECT task_id FROM unique_keys")
    assert all_keys == sorted(map(str, [*ids[1:], running["id"]]))

    sweeper = sweeping.Sweeper(resources)
    assert [await sweeper.run("audit_unique_keys") for _ in range(2)] == [len(gone), 0]
    await sweeper.report()

    left = set(ids[1:]) - gone.keys() | {running["id"]}
    assert rows(engine, "SELECT task_id FROM unique_keys") == sorted(map(str, left))
    metrics = (await api.get("/metrics")).text
    assert f'rowlock_repairs_total{{what="unique_keys"}} {len(gone)}.0' in metrics
    assert 'rowlock_swept_tasks_total{sweep="audit_unique_keys"}' not in metrics


async def test_nothing_is_set_right_where_only_this_version_has_written(
    api: httpx.AsyncClient, resources: Resources
) -> None:
    for n in range(6):
        unique = {"key": str(n), "while": ("waiting", "active")[n % 2]}
        await submit(api, unique=unique, retry_limit=0)
    first, second, *_ = [await claim_one(api) for _ in range(4)]
    await complete(api, first)
    await fail(api, second)
    sweeper = sweeping.Sweeper(resources)
    await sweeper.run("audit_unique_keys")
    await sweeper.report()
    assert 'rowlock_repairs_total{what="unique_keys"} 0.0' in (await api.get("/metrics")).text


async def test_a_key_that_was_taken_over_meanwhile_stays(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = await submit(api, unique={"key": "k"})
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM tasks WHERE id = :id"), {"id": gone["id"]})
    taken = []

    async def write_late(connection: Connection, changes: Changes) -> None:
        taken.append((await submit(api, unique={"key": "k"}))["id"])
        await write_last(connection, changes)

    monkeypatch.setattr(audit, "write_last", write_late)
    await sweeping.SWEEPS["audit_unique_keys"](resources)

    assert rows(engine, "SELECT task_id FROM unique_keys") == [str(id_) for id_ in taken]


@pytest.fixture(autouse=True)
def _are_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures of `/metrics` that MySQL has."""
    monkeypatch.setattr(ops, "QUEUES_SHOWN_FOR_SECONDS", -1.0)


async def findings(settings: Settings) -> dict[str, Finding]:
    return {found.what: found for found in await asyncio.to_thread(examine, settings)}


async def test_the_doctor_tells_what_was_set_right(
    engine: Engine, resources: Resources, api: httpx.AsyncClient, settings: Settings
) -> None:
    sweeper = sweeping.Sweeper(resources)
    await sweeper.run("audit_unique_keys")
    await sweeper.report()
    assert "unique_keys" not in await findings(settings)
    gone = await submit(api, unique={"key": "k"})
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM tasks WHERE id = :id"), {"id": gone["id"]})
    await sweeper.run("audit_unique_keys")
    await sweeper.report()

    finding = (await findings(settings))["unique_keys"]

    assert (finding.verdict, finding.detail.split(":")[0]) == ("note", "1 had to be set right")
    assert finding.fix is not None
    with engine.begin() as connection:
        connection.exec_driver_sql(finding.fix)
    assert "unique_keys" not in await findings(settings)
