"""`GET /tags` and `GET /stats`: figures that are right."""

from collections import Counter
from datetime import timedelta

import httpx
import pytest
from sqlalchemy.orm import Session

from app.domain.states import Priority, Status
from app.queue.figures.counters import ended
from app.service.resources import Resources
from app.service.sweeping import promote
from tests.support.calls import Document, claim_one, complete, fail, submit
from tests.support.factories import TaskFactory, add_to_counters, now
from tests.support.worker_calls import act


async def stats_of(api: httpx.AsyncClient, queue: str = "default") -> Document:
    answer = await api.get("/stats")
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["queues"]
    (found,) = [stats for stats in answer.json()["queues"] if stats["queue"] == queue]
    return dict(found)


def failed_attempt(queue: str, minutes_ago: float) -> None:
    """An attempt failed then."""
    then = now() - timedelta(minutes=minutes_ago)
    add_to_counters(Counter({ended(queue, then, "failed"): 1}))


async def test_tags_are_told_by_name_with_their_tasks(api: httpx.AsyncClient) -> None:
    assert (await api.get("/tags")).json() == []
    for tags in (["b", "核心业务"], ["b", "😀"], ["B"], [], ["b"]):
        await submit(api, tags=tags)
    await claim_one(api, limit=1)
    assert (await api.get("/tags")).json() == [
        {"name": "B", "tasks": 1},
        {"name": "b", "tasks": 3},
        {"name": "核心业务", "tasks": 1},
        {"name": "😀", "tasks": 1},
    ]


async def test_a_platform_without_tasks_has_no_stats(api: httpx.AsyncClient) -> None:
    assert (await api.get("/stats")).json() == {"queues": []}


async def test_tasks_are_counted_by_queue_status_and_priority(
    api: httpx.AsyncClient, session: Session
) -> None:
    expected = {}
    for place, status in enumerate(Status):
        expected[status] = dict.fromkeys(Priority, 0)
        for rank, priority in enumerate(Priority):
            count = (place + rank) % 3
            expected[status][priority] = count
            for _ in range(count):
                trait = {} if status is Status.TO_DO else {str(status): True}
                TaskFactory(priority=priority, queue="images", **trait)
    TaskFactory(queue="mail")

    images = await stats_of(api, "images")

    assert images["tasks"] == expected
    assert images["waiting"] == sum(
        sum(expected[status].values()) for status in (Status.TO_DO, Status.RETRYING)
    )
    assert images["in_progress"] == sum(expected[Status.IN_PROGRESS].values())
    mail = await stats_of(api, "mail")
    assert mail["tasks"]["to_do"] == {"高": 0, "中": 1, "低": 0}
    assert sum(count for by in mail["tasks"].values() for count in by.values()) == 1
    queues = [stats["queue"] for stats in (await api.get("/stats")).json()["queues"]]
    assert queues == ["images", "mail"]


async def test_a_task_that_moves_moves_in_the_figures(api: httpx.AsyncClient) -> None:
    await submit(api, priority="高", retry_limit=0)
    await submit(api, priority="低")
    await fail(api, await claim_one(api))
    await complete(api, await claim_one(api))
    stats = await stats_of(api)
    assert {status: by for status, by in stats["tasks"].items() if any(by.values())} == {
        "failed": {"高": 1, "中": 0, "低": 0},
        "done": {"高": 0, "中": 0, "低": 1},
    }
    assert (stats["recent_done"], stats["recent_failed_attempts"]) == (1, 1)
    assert stats["oldest_waiting_seconds"] is None


@pytest.mark.parametrize("priority", ["高", "中", "低"])
async def test_the_oldest_that_waits_is_told_whatever_its_priority(
    api: httpx.AsyncClient, session: Session, priority: str
) -> None:
    for each in Priority:
        TaskFactory(priority=each)
    TaskFactory(priority=priority, created_at=now() - timedelta(hours=1))
    # Older ones that nobody could claim now.
    long_ago = now() - timedelta(days=1)
    for trait in ("in_progress", "done", "failed", "paused", "cancelled", "delayed"):
        TaskFactory(**{trait: True}, created_at=long_ago)
    TaskFactory(queue="images", created_at=long_ago)

    assert (await stats_of(api))["oldest_waiting_seconds"] == pytest.approx(3600, abs=30)
    assert (await stats_of(api, "images"))["oldest_waiting_seconds"] == pytest.approx(86400, abs=30)


async def waiting_seconds(api: httpx.AsyncClient) -> float:
    return float((await stats_of(api))["oldest_waiting_seconds"])


async def test_a_delayed_task_waits_since_it_could_be_claimed(
    api: httpx.AsyncClient, session: Session, resources: Resources
) -> None:
    due = now() - timedelta(seconds=100)
    created = due - timedelta(days=1)
    TaskFactory(created_at=created, available_at=due, claim_rank=None, sweep_at=due)
    assert (await stats_of(api))["oldest_waiting_seconds"] is None
    await promote(resources)
    assert await waiting_seconds(api) == pytest.approx(100, abs=30)


@pytest.mark.parametrize(
    ("state", "action"), [("failed", "retry"), ("cancelled", "retry"), ("paused", "resume")]
)
async def test_a_task_that_management_brings_back_waits_since_then(
    api: httpx.AsyncClient, session: Session, state: str, action: str
) -> None:
    task = TaskFactory(created_at=now() - timedelta(days=3), **{state: True})
    await act(api, task.id, action)
    assert 0 <= await waiting_seconds(api) < 60


async def test_a_task_that_was_given_back_waits_since_then(
    api: httpx.AsyncClient, session: Session
) -> None:
    TaskFactory(created_at=now() - timedelta(days=3))
    lease = await claim_one(api)
    await api.post(f"/leases/{lease['lease_id']}/release")
    assert 0 <= await waiting_seconds(api) < 60


async def test_one_that_waits_behind_a_retry_is_not_overlooked(
    api: httpx.AsyncClient, session: Session
) -> None:
    old = now() - timedelta(days=1)
    TaskFactory.create_batch(5, created_at=old, retrying=True, available_at=now())
    TaskFactory(created_at=now() - timedelta(hours=1))
    assert await waiting_seconds(api) == pytest.approx(3600, abs=30)


async def test_a_queue_where_nobody_waits_has_no_oldest(
    api: httpx.AsyncClient, session: Session
) -> None:
    TaskFactory(done=True)
    stats = await stats_of(api)
    assert stats["oldest_waiting_seconds"] is None
    assert stats["waiting"] == 0


async def test_what_happened_in_the_last_minutes_is_told(
    api: httpx.AsyncClient, session: Session
) -> None:
    TaskFactory()
    minutes = (await stats_of(api))["recent_minutes"]
    for ago in (0, 1, minutes - 0.5, minutes + 0.5, 600):
        finished = now() - timedelta(minutes=ago)
        TaskFactory(done=True, started_at=finished, completed_at=finished)
    for ago in (0, 1, 2, minutes + 0.5):
        failed_attempt("default", ago)
    TaskFactory(queue="images")
    failed_attempt("images", 1)

    stats = await stats_of(api)

    assert stats["recent_done"] == 3
    assert stats["recent_failed_attempts"] == 3
    assert stats["done_per_minute"] == pytest.approx(3 / minutes)
    assert stats["failure_rate"] == pytest.approx(0.5)
    assert (await stats_of(api, "images"))["failure_rate"] == 1


async def test_where_nothing_happened_lately_there_is_no_rate(
    api: httpx.AsyncClient, session: Session
) -> None:
    TaskFactory()
    stats = await stats_of(api)
    assert (stats["recent_done"], stats["done_per_minute"], stats["failure_rate"]) == (0, 0, None)


async def test_a_paused_queue_says_since_when(api: httpx.AsyncClient, session: Session) -> None:
    TaskFactory()
    assert (await stats_of(api))["paused_at"] is None
    paused = (await api.post("/admin/queues/default/pause")).json()
    stats = await stats_of(api)
    assert (stats["paused"], stats["paused_at"]) == (True, paused["paused_at"])
    assert stats["waiting"] == 1
