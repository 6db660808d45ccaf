"""`GET /tasks/{id}/why`: each reason, made and asked for."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import factory
import httpx
import pytest
from sqlalchemy import Engine, text

from app.service import sweeping
from app.service.resources import Resources
from tests.integration.why.conftest import Ask, names, only
from tests.support.calls import Document, claim_one, complete, fail, problem, submit
from tests.support.elapse import moment
from tests.support.factories import TaskFactory, add_to_counters, now
from tests.support.worker_calls import act

HOURS_AGO = factory.LazyFunction(lambda: now() - timedelta(hours=5))

pytestmark = pytest.mark.usefixtures("well")


def forget(engine: Engine, table: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"DELETE FROM {table}"))


def seconds_until(when: str) -> float:
    return (moment(when) - now()).total_seconds()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {
                "done": True,
                "completed_at": factory.LazyFunction(lambda: now() - timedelta(hours=5)),
            },
            "It was done 5 h ago.",
        ),
        ({"failed": True}, "It has failed, and no retry is left; 3 of 3 retries were used."),
        (
            {"failed": True, "current_retry_count": 1},
            "It has failed for good, as its worker said; 1 of 3 retries were used.",
        ),
        ({"cancelled": True}, "It is cancelled."),
    ],
)
async def test_it_has_ended(ask: Ask, fields: Document, said: str) -> None:
    task = TaskFactory(**fields)
    found = await ask(task)
    assert (found["status"], found["is_claimable"]) == (task.status, False)
    reason = only(found)
    assert reason["reason"] == "ended"
    assert reason["detail"].startswith(said)
    assert moment(reason["since"]) == (task.completed_at or task.updated_at)


async def test_it_is_paused(ask: Ask) -> None:
    task = TaskFactory(paused=True, updated_at=now() - timedelta(minutes=5))
    found = await ask(task)
    assert (found["status"], found["is_claimable"]) == ("paused", False)
    assert only(found) == {
        "reason": "paused",
        "detail": "It is paused until it is resumed, and has been for at least 5 min.",
        "since": f"{task.updated_at.isoformat()}Z",
    }


async def test_its_time_has_not_come(ask: Ask) -> None:
    until = now() + timedelta(minutes=40)
    task = TaskFactory(available_at=until)
    found = await ask(task)
    assert not found["is_claimable"]
    assert only(found) == {
        "reason": "not_yet",
        "detail": "It may be claimed in 40 min.",
        "until": f"{until.isoformat()}Z",
        "retry": None,
        "retry_limit": None,
    }


async def test_it_waits_for_its_next_attempt(api: httpx.AsyncClient, ask: Ask) -> None:
    await submit(api, retry_delay_seconds=900, retry_backoff="fixed", retry_limit=7)
    task = await fail(api, await claim_one(api), error="it broke")
    reason = only(await ask(task["id"]))
    assert reason == {
        "reason": "not_yet",
        "detail": "It may be claimed in 15 min (retry 1 of 7).",
        "until": task["available_at"],
        "retry": 1,
        "retry_limit": 7,
    }


async def test_its_time_has_come_and_no_sweep_has_seen_it(
    api: httpx.AsyncClient, ask: Ask, later: Callable[[float], None]
) -> None:
    task = TaskFactory(available_at=now() + timedelta(seconds=60))
    later(60 + 300)
    found = await ask(task)
    assert not found["is_claimable"]
    said = only(found)["detail"]
    assert said == "Its time came 5 min ago; the next sweep makes it claimable."
    assert (await api.post("/leases", json={"worker": "w"})).json() == []


@pytest.mark.parametrize(
    ("silent_seconds", "said"),
    [(None, "No scheduler has run yet"), (600, "No scheduler has run for 10 min")],
)
async def test_no_scheduler_makes_it_claimable(
    ask: Ask, engine: Engine, swept: Callable[..., None], silent_seconds: float | None, said: str
) -> None:
    if silent_seconds is None:
        forget(engine, "sweep_reports")
    else:
        swept(silent_seconds)
    found = await ask(TaskFactory(delayed=True))
    assert names(found) == ["not_yet", "no_scheduler"]
    assert found["reasons"][1]["detail"].startswith(said)
    assert (found["reasons"][1]["last_run_at"] is None) == (silent_seconds is None)
    # Who could be claimed needs none.
    assert names(await ask(TaskFactory())) == ["due"]


async def test_its_queue_is_paused(
    api: httpx.AsyncClient, ask: Ask, later: Callable[[float], None]
) -> None:
    task = TaskFactory()
    await api.post("/admin/queues/default/pause")
    later(240)
    (queue,) = (await api.get("/stats?queue=default")).json()["queues"]
    found = await ask(task)
    assert not found["is_claimable"]
    assert only(found) == {
        "reason": "queue_paused",
        "detail": "The queue 'default' has been paused for 4 min.",
        "since": queue["paused_at"],
    }
    await api.post("/admin/queues/default/resume")
    assert names(await ask(task)) == ["due"]


@pytest.mark.parametrize(
    ("queues", "seconds_ago", "when"),
    [
        ('["default"]', 0, "lately"),
        ('["images.large"]', 0, "lately"),
        ('["images"]', 600, "for 10 min"),
        ('["default","images"]', 300, "for 5 min"),
        ('["default","images"]', 60, None),
    ],
)
async def test_no_worker_asks_its_queue(
    ask: Ask, polled: Callable[..., None], queues: str, seconds_ago: float, when: str | None
) -> None:
    polled(seconds_ago, queues)
    found = await ask(TaskFactory(queue="images"))
    assert found["is_claimable"]
    reason = only(found)
    assert reason["reason"] == ("due" if when is None else "no_worker")
    if when is not None:
        assert reason["detail"] == f"No worker has asked the queue 'images' for tasks {when}."
        assert (reason["last_poll_at"] is None) == (when == "lately")
        assert reason["in_progress"] == 0


async def test_the_workers_of_its_queue_may_be_busy(ask: Ask, polled: Callable[..., None]) -> None:
    polled(600)
    TaskFactory.create_batch(2, in_progress=True)
    TaskFactory(in_progress=True, queue="another")
    reason = only(await ask(TaskFactory()))
    assert (reason["reason"], reason["in_progress"]) == ("no_worker", 2)
    assert "2 tasks of it are in progress, so its workers may all be busy" in reason["detail"]


async def test_others_are_ahead_of_it(api: httpx.AsyncClient, ask: Ask) -> None:
    """In the order of claims: by priority, by turn, by id."""
    at = now() - timedelta(minutes=9)
    tasks = [
        *TaskFactory.create_batch(3, priority="高"),
        TaskFactory(created_at=at - timedelta(seconds=1)),
        *TaskFactory.create_batch(3, created_at=at),
        *TaskFactory.create_batch(2, priority="低", created_at=at - timedelta(hours=1)),
    ]
    for others in ({"queue": "another"}, {"in_progress": True}, {"delayed": True}):
        TaskFactory(priority="高", created_at=at - timedelta(days=1), **others)
    for place, task in enumerate(tasks):
        found = await ask(task)
        assert found["is_claimable"]
        if place == 0:
            assert names(found) == ["due"]
            continue
        reason = only(found)
        assert (reason["reason"], reason["tasks"], reason["at_least"]) == ("behind", place, False)
        assert (reason["ended_per_minute"], reason["expected_at"]) == (0, None)
        tasks_are = "1 task of the queue is" if place == 1 else f"{place} tasks of the queue are"
        assert reason["detail"] == (
            f"{tasks_are} ahead of it; no attempt has ended in the last 5 min."
        )
    claimed = [(await claim_one(api))["task"]["id"] for _ in tasks]
    assert claimed == [task.id for task in tasks]


async def test_when_its_turn_may_come(ask: Ask) -> None:
    ended = TaskFactory.create_batch(3, done=True, completed_at=now() - timedelta(minutes=1))
    TaskFactory(done=True, completed_at=now() - timedelta(minutes=9))  # too long ago
    TaskFactory(done=True, queue="another")
    at = (now() - timedelta(minutes=2)).isoformat(timespec="seconds")[:-1]
    add_to_counters({f"ended/default/{at}/failed": 2})  # type: ignore[arg-type]
    TaskFactory.create_batch(4, priority="高")
    reason = only(await ask(TaskFactory()))
    assert len(ended) + 2 == 5 * reason["ended_per_minute"]
    assert 200 < seconds_until(reason["expected_at"]) <= 240
    assert reason["detail"] == (
        "4 tasks of the queue are ahead of it; lately 1.0 attempts a minute have ended, so its "
        "turn may come in about 4 min."
    )


@pytest.mark.parametrize(("ahead", "tasks"), [(1000, 1000), (1001, 1000), (1200, 1000)])
async def test_those_ahead_are_counted_up_to_a_thousand(
    api: httpx.AsyncClient, ask: Ask, ahead: int, tasks: int
) -> None:
    TaskFactory(done=True)
    for count, priority in ((ahead // 2, "high"), (ahead - ahead // 2, "medium")):
        many = [{"title": "t", "priority": priority}] * count
        assert (await api.post("/tasks/batch", json={"tasks": many})).status_code == 201
    task = await submit(api)
    reason = only(await ask(task["id"]))
    assert (reason["tasks"], reason["at_least"]) == (tasks, ahead > 1000)
    assert reason["detail"].startswith("At least 1,000" if ahead > 1000 else "1,000 tasks")
    assert (reason["expected_at"] is None) == (ahead > 1000)


async def test_nothing_is_in_its_way(api: httpx.AsyncClient, ask: Ask) -> None:
    task = await submit(api)
    found = await ask(task["id"])
    assert (found["status"], found["is_claimable"]) == ("to_do", True)
    assert only(found) == {
        "reason": "due",
        "detail": "Nothing is in its way: the next worker that asks its queue gets it.",
        "since": task["created_at"],
    }
    # It is looked up each time.
    await act(api, task["id"], "pause")
    assert names(await ask(task["id"])) == ["paused"]
    resumed = await act(api, task["id"], "resume")
    assert only(await ask(task["id"]))["since"] == resumed["available_at"]


async def test_it_waits_for_other_tasks(
    api: httpx.AsyncClient, ask: Ask, engine: Engine, resources: Resources
) -> None:
    parents = [await submit(api) for _ in range(12)]
    child = await submit(api, depends_on=[task["id"] for task in parents])
    first = await claim_one(api)
    await complete(api, first)
    second = await claim_one(api)

    found = await ask(child["id"])
    reason = only(found)
    assert (found["status"], found["is_claimable"]) == ("to_do", False)
    assert (reason["reason"], reason["unmet"], reason["total"]) == ("waits_for_tasks", 11, 12)
    ids = [task["id"] for task in parents]
    assert reason["parents"][:2] == [
        {"id": second["task"]["id"], "status": "in_progress"},
        {"id": ids[2], "status": "to_do"},
    ]
    assert len(reason["parents"]) == 10
    assert reason["detail"].startswith(
        f"It waits for 11 of 12 tasks that it depends on: {ids[1]} (in_progress), {ids[2]} (to_do)"
    )

    with engine.begin() as stranger:
        stranger.exec_driver_sql("SELECT id FROM tasks WHERE id = %s FOR UPDATE", (child["id"],))
        await api.post("/admin/tasks/cancel", params={"id": ids[1:]})
    found = await ask(child["id"])
    assert only(found)["unmet"] == 0
    await sweeping.end_waits(resources)
    assert names(await ask(child["id"])) == ["ended"]


async def test_all_that_apply_are_there_the_most_decisive_first(
    api: httpx.AsyncClient, ask: Ask, engine: Engine, stranger: Any
) -> None:
    forget(engine, "sweep_reports")
    forget(engine, "workers")
    TaskFactory()
    task, delayed = TaskFactory(priority="低"), TaskFactory(priority="低", delayed=True)
    await api.post("/admin/queues/default/pause")
    stranger.exec_driver_sql("SELECT id FROM tasks WHERE priority = '低' FOR UPDATE")
    assert names(await ask(task)) == ["queue_paused", "row_locked", "no_worker", "behind"]
    assert names(await ask(delayed)) == [
        *("not_yet", "no_scheduler", "queue_paused", "row_locked", "no_worker")
    ]


async def test_a_task_that_is_not_there_has_no_reasons(api: httpx.AsyncClient) -> None:
    assert problem(await api.get("/tasks/404/why"), 404).title == "Task not found"
    problem(await api.get("/tasks/x/why"), 422, "task_id")
    problem(await api.get("/tasks/1/why?wait_seconds=1"), 422, "wait_seconds")
