"""The figures of `GET /stats` and `GET /tags` follow every change, before and after a fold."""

from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.queue.figures import counters
from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.support.calls import claim, claim_one, complete, fail, submit
from tests.support.factories import TaskFactory

TRUTH = """
SELECT queue, status, priority, COUNT(*) FROM tasks GROUP BY queue, status, priority
"""
TAG_TRUTH = """
SELECT name, COUNT(*) FROM task_tags JOIN tags ON tags.id = tag_id GROUP BY name ORDER BY name
"""


async def told(api: httpx.AsyncClient) -> tuple[set[Any], list[Any]]:
    """What the API says: (queue, status, priority, tasks), and (tag, tasks) where there are any."""
    queues = (await api.get("/stats")).json()["queues"]
    tags = (await api.get("/tags")).json()
    return (
        {
            (queue["queue"], status, priority, count)
            for queue in queues
            for status, by in queue["tasks"].items()
            for priority, count in by.items()
            if count
        },
        [(tag["name"], tag["tasks"]) for tag in tags if tag["tasks"]],
    )


def counted(engine: Engine) -> tuple[set[Any], list[Any]]:
    """The same, counted."""
    with engine.connect() as connection:
        tasks = {tuple(row) for row in connection.execute(text(TRUTH))}
        return tasks, [tuple(row) for row in connection.execute(text(TAG_TRUTH))]


async def one_of_everything(api: httpx.AsyncClient) -> None:
    """Every call that changes a task."""
    batch = [
        {"title": "t", "priority": priority, "tags": tags, "queue": queue}
        for priority in ("高", "中", "低")
        for tags in ([], ["a"], ["a", "核心/业务"])
        for queue in ("default", "mail")
    ]
    answer = await api.post("/tasks/batch", json={"tasks": batch})
    ids = [task["id"] for task in answer.json() if task["queue"] == "mail"]
    leases = await claim(api, limit=9)
    await complete(api, leases[0])
    await fail(api, leases[1])
    await fail(api, leases[2], retryable=False)
    await api.post(f"/leases/{leases[3]['lease_id']}/release")
    for lease, action in zip(leases[4:], ("cancel", "cancel"), strict=False):
        await api.post(f"/admin/tasks/{lease['task']['id']}/{action}")
    await api.post(f"/admin/tasks/{leases[4]['task']['id']}/retry")
    await api.post(f"/admin/tasks/{ids[0]}/pause")
    await api.post(f"/admin/tasks/{ids[1]}/pause")
    await api.post(f"/admin/tasks/{ids[1]}/resume")
    await api.patch(f"/tasks/{ids[2]}", json={"priority": "低", "tags": ["b"]})
    await api.patch(f"/tasks/{ids[3]}", json={"tags": None})
    await api.patch(f"/tasks/{ids[4]}", json={"title": "u"})
    for task_id in (ids[2], ids[5], leases[6]["task"]["id"]):
        assert (await api.delete(f"/tasks/{task_id}")).status_code == 204


async def test_the_figures_follow_every_change_and_a_fold_changes_none(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, settings: Settings
) -> None:
    await one_of_everything(api)
    assert await told(api) == counted(engine)
    await sweeping.fold_counters(resources)
    assert await told(api) == counted(engine)
    await one_of_everything(api)
    await sweeping.fold_counters(resources)
    await one_of_everything(api)
    assert await told(api) == counted(engine)
    assert await sweeping.recount(settings) == {}


async def test_what_is_too_much_for_one_fold_is_folded_by_several(
    api: httpx.AsyncClient,
    resources: Resources,
    engine: Engine,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Of each submission a counter, and a bucket of the history.
    monkeypatch.setattr(counters, "FOLDED_AT_ONCE", 5)
    for number in range(5):
        await submit(api, queue=f"q{number}")
    left = []
    for _ in range(3):
        await resources.database.transact(partial(counters.fold_once, limit=100))
        with engine.connect() as connection:
            left.append(connection.execute(text("SELECT COUNT(*) FROM counter_deltas")).scalar())
        assert await told(api) == counted(engine)
    assert left == [3, 1, 0]
    # What is too much by itself is folded all the same.
    await api.post("/tasks/batch", json={"tasks": [{"title": "t", "tags": [*"abcdefgh"]}]})
    await resources.database.transact(partial(counters.fold_once, limit=100))
    assert await told(api) == counted(engine)
    assert await sweeping.recount(settings) == {}


async def test_sweeps_are_counted(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    TaskFactory(overdue=True)
    TaskFactory(overdue=True, retry_limit=0)
    await sweeping.time_out(resources)
    assert await told(api) == counted(engine)
    (queue,) = (await api.get("/stats")).json()["queues"]
    assert queue["recent_failed_attempts"] == 2


async def test_a_fold_leaves_one_row_for_each_figure(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    for _ in range(3):
        await submit(api, tags=["a"])
        await complete(api, await claim_one(api))
    await sweeping.fold_counters(resources)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT COUNT(*) FROM counter_deltas")) == 0
        rows = connection.execute(
            text("SELECT name, value FROM counters WHERE name NOT LIKE 'ended/%'")
        )
        assert {row.name: row.value for row in rows if row.value} == {
            "queue/default/done/中": 3,
            "tag/a": 3,
        }


async def test_what_has_ended_long_ago_is_not_told_any_more(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    await submit(api)
    await complete(api, await claim_one(api))
    await sweeping.fold_counters(resources)
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE counters SET name = 'ended/default/2020-01-01T00:00:0/done' "
                "WHERE name LIKE 'ended/%'"
            )
        )
    (queue,) = (await api.get("/stats")).json()["queues"]
    assert queue["recent_done"] == 0


async def test_a_recount_sets_right_what_was_changed_by_hand(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, settings: Settings
) -> None:
    for tags in ([], ["a"], ["a", "b"]):
        await submit(api, tags=tags)
    await sweeping.fold_counters(resources)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM tasks ORDER BY id DESC LIMIT 1"))
        connection.execute(text("UPDATE counters SET value = value + 5 WHERE name = 'tag/a'"))
    assert await told(api) != counted(engine)
    assert await sweeping.recount(settings) == {
        "queue/default/to_do/中": -1,
        "tag/a": -6,
        "tag/b": -1,
    }
    assert await told(api) == counted(engine)
