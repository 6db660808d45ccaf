"""No read after an acknowledged write is stale, in whichever process and however it is read."""

from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest
import redis
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import claim_one, complete, get, submit
from tests.support.elapse import elapse_in_redis
from tests.support.factories import TaskFactory, lease_of
from tests.support.worker_calls import a_lease, heartbeat

Later = Callable[[float], None]

LISTS = ("/tasks", "/tasks?status=to_do", "/tasks?order=asc&limit=5&queue=default")

# (state before, method, path, body)
WRITES: dict[str, tuple[str, str, str, Any]] = {
    "patch": ("to_do", "PATCH", "/tasks/{id}", {"title": "new"}),
    "patch of tags": ("to_do", "PATCH", "/tasks/{id}", {"tags": ["new"]}),
    "delete": ("to_do", "DELETE", "/tasks/{id}", None),
    "claim": ("to_do", "POST", "/leases", {"worker": "w"}),
    "complete": ("in_progress", "POST", "/leases/{lease}/complete", {"result": 1}),
    "fail": ("in_progress", "POST", "/leases/{lease}/fail", {"error": "no"}),
    "release": ("in_progress", "POST", "/leases/{lease}/release", None),
    "finish": (
        "in_progress",
        "POST",
        "/leases/finish",
        {"items": [{"lease_id": "LEASE", "outcome": "complete"}]},
    ),
    "pause": ("to_do", "POST", "/admin/tasks/{id}/pause", None),
    "resume": ("paused", "POST", "/admin/tasks/{id}/resume", None),
    "cancel": ("in_progress", "POST", "/admin/tasks/{id}/cancel", None),
    "retry": ("failed", "POST", "/admin/tasks/{id}/retry", None),
    "cancel of many": ("to_do", "POST", "/admin/tasks/cancel?queue=default", None),
    "submit": ("done", "POST", "/tasks", {"title": "another"}),
    "submit of many": ("done", "POST", "/tasks/batch", {"tasks": [{"title": "another"}]}),
}


async def read(api: httpx.AsyncClient, task_id: int) -> list[Any]:
    paths = (f"/tasks/{task_id}", *LISTS)
    return [(await api.get(path)).json() for path in paths]


async def cached(connection: redis.Redis, api: httpx.AsyncClient, task_id: int) -> list[Any]:
    """Read until all of it comes from the cache."""
    await read(api, task_id)  # whoever reads first has all made void
    elapse_in_redis(connection, 3)  # tombstones are gone
    found = await read(api, task_id)
    stored = {
        key for key in connection.scan_iter("rowlock:*", _type="string") if connection.strlen(key)
    }
    assert f"rowlock:task:{task_id}".encode() in stored
    assert len([key for key in stored if key.startswith(b"rowlock:list:")]) == len(LISTS)
    return found


@pytest.mark.parametrize("write", WRITES)
async def test_a_write_is_seen_by_the_next_read_of_every_process(
    settings: Settings,
    api: httpx.AsyncClient,
    session: Session,
    redis_connection: redis.Redis,
    write: str,
) -> None:
    state, method, path, body = WRITES[write]
    task = TaskFactory(**({} if state == "to_do" else {state: True}))
    body = orjson.loads(orjson.dumps(body).replace(b"LEASE", lease_of(task).encode()))
    uncached = settings.model_copy(update={"redis_url": None})
    async with serving(settings) as other, serving(uncached) as truth:
        before = await cached(redis_connection, other, task.id)
        path = path.format(id=task.id, lease=lease_of(task))
        answer = await api.request(method, path, json=body)
        assert answer.status_code < 300, answer.text

        found = await read(other, task.id)
        assert found == await read(api, task.id)
        assert found == await read(truth, task.id)
    assert found[1:] != before[1:], "the write has to show"


async def test_what_the_sweep_did_is_seen_by_the_next_read(
    api: httpx.AsyncClient, session: Session, resources: Resources, redis_connection: redis.Redis
) -> None:
    task = TaskFactory(overdue=True)
    before = await cached(redis_connection, api, task.id)
    assert before[0]["status"] == "in_progress"
    await sweeping.time_out(resources)

    one, everything, *_ = await read(api, task.id)
    assert (one["status"], everything[0]["status"]) == ("retrying", "retrying")


@pytest.mark.parametrize("progress", ["more", None])
async def test_progress_is_what_the_last_heartbeat_said_though_the_one_before_is_cached(
    api: httpx.AsyncClient,
    other_api: httpx.AsyncClient,
    redis_connection: redis.Redis,
    progress: str | None,
) -> None:
    lease = await a_lease(api)
    task_id = lease["task"]["id"]
    await heartbeat(api, lease, "half")
    assert (await cached(redis_connection, other_api, task_id))[0]["progress"] == "half"
    await heartbeat(api, lease, progress)

    assert (await get(other_api, task_id))["progress"] == progress


async def test_an_end_told_twice_is_seen_though_the_first_teller_died_before_it_told_the_cache(
    api: httpx.AsyncClient, redis_connection: redis.Redis
) -> None:
    lease = await a_lease(api)
    task_id = lease["task"]["id"]
    assert (await cached(redis_connection, api, task_id))[0]["status"] == "in_progress"
    keys = (f"rowlock:task:{task_id}", "rowlock:cache")
    as_it_was = {key: redis_connection.dump(key) or b"" for key in keys}
    await complete(api, lease)
    for key, value in as_it_was.items():
        redis_connection.restore(key, 3000, value, replace=True)
    await complete(api, lease)

    one, everything, *_ = await read(api, task_id)
    assert (one["status"], everything[0]["status"]) == ("done", "done")


async def test_a_wait_for_the_end_answers_with_the_end_whatever_is_cached(
    api: httpx.AsyncClient, session: Session, redis_connection: redis.Redis, engine: Engine
) -> None:
    """Another process has committed the end, and not told the cache yet."""
    task = TaskFactory(in_progress=True, retry_limit=0)
    await cached(redis_connection, api, task.id)
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE tasks SET status = 'failed', lease_token = NULL, deadline_at = NULL, "
                "claimed_from = NULL, sweep_at = NULL"
            )
        )
    answer = await api.get(f"/tasks/{task.id}?wait_seconds=30")

    assert answer.json()["status"] == "failed"


async def test_a_cached_answer_costs_mysql_nothing_and_lasts_a_few_seconds(
    api: httpx.AsyncClient,
    other_api: httpx.AsyncClient,
    redis_connection: redis.Redis,
    engine: Engine,
) -> None:
    task = await submit(api, title="as cached")
    await read(other_api, task["id"])  # a process that begins voids what is there
    before = await cached(redis_connection, api, task["id"])
    with engine.begin() as connection:  # behind the service's back, so that nobody is told
        connection.execute(text("UPDATE tasks SET title = 'as stored'"))

    assert await read(other_api, task["id"]) == before, "it comes from the cache"
    elapse_in_redis(redis_connection, 3)
    one, *lists = await read(other_api, task["id"])
    assert one["title"] == "as stored"
    assert {listed[0]["title"] for listed in lists} == {"as stored"}


async def test_a_task_that_is_not_there_is_not_remembered_as_missing(
    api: httpx.AsyncClient, session: Session
) -> None:
    last = await submit(api)
    assert (await api.get(f"/tasks/{last['id'] + 1}")).status_code == 404
    task = await submit(api)

    assert await get(api, task["id"]) == task
    assert (await claim_one(api))["task"]["id"] == last["id"]
