"""Migrations over data: what there was is there afterwards, as the API shows it."""

from collections.abc import Mapping
from typing import Any, Final

import httpx
from sqlalchemy import Engine, text

from alembic import command
from app.domain.states import Status
from app.mysql import migration
from app.service.sweeping import recount
from app.settings import Settings
from tests.conftest import serving
from tests.drift import described
from tests.support.calls import Document, claim_one, complete, fail, submit
from tests.support.worker_calls import act, attempts, release

DUE: Final = "2026-02-03T23:59:59.999999Z"
BODY: Final = {"title": "with a key", "queue": "keyed", "tags": ["key"]}
BATCH: Final = {"tasks": [BODY, {"title": "its neighbour", "queue": "keyed"}]}
LISTS: Final = (
    *(f"status={status}" for status in Status),
    "tag=all",
    "tag=all&tag=failed&order=asc",
    "tag=all&due_after=2026-02-03T00:00:00Z&due_before=2026-02-04T00:00:00Z",
    "due_after=2026-02-03T00:00:00Z&order=asc",
    "queue=done&queue=paused&priority=高",
    "title=task",
)


async def send(api: httpx.AsyncClient, path: str, key: str, body: Any) -> httpx.Response:
    return await api.post(path, json=body, headers={"Idempotency-Key": key})


async def make_data(api: httpx.AsyncClient) -> dict[str, Document]:
    """Tasks in every state with all that belongs to them; the leases in progress, by name."""

    async def waiting(name: str, **fields: Any) -> Document:
        given = {"title": f"a task {name}", "queue": name, "due_date": DUE, "priority": "高"}
        return await submit(api, **given | {"tags": ["all", name]} | fields)

    async def claimed(name: str, **fields: Any) -> Document:
        await waiting(name, **fields)
        return await claim_one(api, queues=[name], worker=f"worker of {name}", lease_seconds=3600)

    await waiting("to_do", description="核心 😀", payload={"n": [1, None]})
    await waiting("delayed", available_at="2999-01-01T00:00:00Z", due_date=None)
    await release(api, await claimed("released", tags=[]))
    await complete(api, await claimed("done"), {"answer": 42})
    await fail(api, await claimed("retrying"), error="it broke", retry_after_seconds=0)
    await fail(api, await claimed("backing_off"), error="it broke", retry_after_seconds=86_400)
    await fail(api, await claimed("failed"), error="it broke", retryable=False)
    await act(api, (await waiting("paused"))["id"], "pause")
    await act(api, (await claimed("cancelled"))["task"]["id"], "cancel")
    leases = {"promised": await claimed("promised")}
    await waiting("in_progress")
    leases["in_progress"] = await claim_one(api, queues=["in_progress"])
    await api.delete(f"/tasks/{(await waiting('deleted', tags=['unused']))['id']}")
    (await api.post("/admin/queues/to_do/pause")).raise_for_status()
    assert (await send(api, "/tasks", "one", BODY)).status_code == 201
    assert (await send(api, "/tasks/batch", "many", BATCH)).status_code == 201
    return leases


async def shown(api: httpx.AsyncClient) -> Document:
    """All that the API tells."""
    tasks = (await api.get("/tasks", params={"limit": 1000})).json()
    found: Document = {
        "tasks": tasks,
        "attempts": [await attempts(api, task["id"]) for task in tasks],
    }
    for path in ("/tags", *(f"/tasks?{query}" for query in LISTS)):
        answer = await api.get(path)
        assert answer.is_success, answer.text
        assert answer.json(), f"{path} shows nothing"
        found[path] = answer.json()
    # Without ages; and the figures of the last minutes begin anew.
    kept = ("queue", "paused", "paused_at", "tasks", "waiting", "in_progress")
    stats = (await api.get("/stats")).json()["queues"]
    found["/stats"] = [{name: queue[name] for name in kept} for queue in stats]
    return found


async def goes_on(api: httpx.AsyncClient, leases: Mapping[str, Document]) -> None:
    """Whoever was in the midst of something ends it."""
    for path, key, body in (("/tasks", "one", BODY), ("/tasks/batch", "many", BATCH)):
        again = await send(api, path, key, body)
        assert again.status_code == 200, again.text
        other = await send(api, path, key, {**body, "title": "another"})
        assert other.status_code == 422
    for name, lease in leases.items():
        task = await complete(api, lease, name)
        assert (task["status"], task["result"]) == ("done", name)
    assert (await api.post("/leases", json={"worker": "w", "queues": ["to_do"]})).json() == []
    (await api.post("/admin/queues/to_do/resume")).raise_for_status()
    for queue in ("to_do", "released", "retrying", "keyed"):
        await complete(api, await claim_one(api, queues=[queue]))
    for action, name in (("resume", "paused"), ("retry", "failed"), ("cancel", "backing_off")):
        (found,) = (await api.get("/tasks", params={"queue": name})).json()
        await act(api, found["id"], action)


async def test_data_in_every_state_stands_an_upgrade_and_the_way_back(
    fresh: Settings, fresh_engine: Engine
) -> None:
    config = migration.config_for(fresh)
    command.upgrade(config, "0001")
    first = described(fresh_engine)
    migration.upgrade(fresh)
    async with serving(fresh) as api:
        leases = await make_data(api)
        before = await shown(api)
    assert {task["status"] for task in before["tasks"]} == set(Status)

    for _ in range(2):
        command.downgrade(config, "0001")
        assert described(fresh_engine) == first
        migration.upgrade(fresh)
        with fresh_engine.begin() as connection:  # as when it was interrupted at the very end
            connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        migration.upgrade(fresh)
        async with serving(fresh) as api:
            assert await shown(api) == before

    async with serving(fresh) as api:
        await goes_on(api, leases)
    assert await recount(fresh) == {}


OLD: Final = """
INSERT INTO tasks (title, status, priority, queue, timeout_seconds, retry_limit,
    retry_delay_seconds, retry_backoff, current_retry_count, created_at, updated_at, claim_rank,
    attempt)
VALUES (:title, :status, '中', 'old', 60, 0, 5, 'fixed', 0, :created_at, :created_at, :rank, 0)
"""


async def test_tasks_from_before_claims_had_turns_come_in_the_order_of_their_age(
    fresh: Settings, fresh_engine: Engine
) -> None:
    """Those that a version before submits beside this one too."""

    def store(title: str, second: int, status: str = "to_do") -> None:
        rank = 1 if status == "to_do" else None
        created_at = f"2026-01-01 00:00:{second:02}"
        values = {"title": title, "status": status, "created_at": created_at, "rank": rank}
        with fresh_engine.begin() as connection:
            connection.execute(text(OLD), values)

    command.upgrade(migration.config_for(fresh), "0003")
    store("paused", 0, status="paused")
    store("second", 2)
    store("first", 1)
    store("given up, and taken up again", 3, status="cancelled")
    migration.upgrade(fresh)
    store("by the version before", 4)
    async with serving(fresh) as api:
        (paused,) = (await api.get("/tasks", params={"status": "paused"})).json()
        await act(api, paused["id"], "resume")
        (cancelled,) = (await api.get("/tasks", params={"status": "cancelled"})).json()
        await submit(api, title="by this one", queue="old")
        await act(api, cancelled["id"], "retry")
        claim = {"worker": "w", "queues": ["old"], "limit": 9}
        leases = (await api.post("/leases", json=claim)).json()

    assert [lease["task"]["title"] for lease in leases] == [
        "paused",
        "first",
        "second",
        "given up, and taken up again",
        "by the version before",
        "by this one",
    ]
