"""Is it alive, is it ready, how is it going: what whoever runs the platform looks at."""

import asyncio

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.api import ops
from app.domain.findings import Finding
from app.processes.doctor import examine
from app.runtime import metrics
from app.service.resources import Resources
from app.service.sweeping import SWEEPS, Sweeper
from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import claim, claim_one, complete, fail, submit
from tests.support.factories import TaskFactory

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(autouse=True)
def _queues_are_looked_at_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops, "QUEUES_SHOWN_FOR_SECONDS", -1.0)


async def figures(api: httpx.AsyncClient) -> Figures:
    """What `/metrics` says, as Prometheus reads it."""
    answer = await api.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def figure(found: Figures, name: str, **labels: str) -> float:
    return found.get((f"rowlock_{name}", tuple(sorted(labels.items()))), 0)


async def test_a_process_that_lives_says_so(api: httpx.AsyncClient) -> None:
    answer = await api.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def scheduled(engine: Engine, *, seconds_ago: int) -> None:
    """A scheduler has told of a sweep then."""
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "REPLACE INTO sweep_reports (sweep, runs, moved, last_run_at) "
            f"VALUES ('promote', 1, 0, UTC_TIMESTAMP(6) - INTERVAL {seconds_ago} SECOND)"
        )


async def test_that_no_scheduler_runs_is_told_everywhere_and_stops_nobody(
    api: httpx.AsyncClient, engine: Engine, settings: Settings
) -> None:
    async def findings() -> dict[str, Finding]:
        found = await asyncio.to_thread(examine, settings)
        return {finding.what: finding for finding in found}

    async def ready() -> str:
        answer = await api.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "ready")
        return str(answer.json()["parts"]["scheduler"])

    assert await ready() == "no scheduler has run yet: run `rowlock scheduler`"
    assert figure(await figures(api), "scheduler_up") == 0
    assert (await findings())["scheduler"].verdict == "note"
    scheduled(engine, seconds_ago=5)
    assert await ready() == "ok"
    assert figure(await figures(api), "scheduler_up") == 1
    assert (await findings())["scheduler"] == Finding("ok", "scheduler", "ok")
    scheduled(engine, seconds_ago=3600)
    assert (await ready()).startswith("no scheduler has run for 36")
    assert figure(await figures(api), "scheduler_up") == 0
    assert (await findings())["scheduler"].detail.startswith("no scheduler has run for 36")


async def test_it_is_ready_with_all_its_parts(api: httpx.AsyncClient, engine: Engine) -> None:
    scheduled(engine, seconds_ago=5)
    answer = await api.get("/readyz")
    parts = {"mysql": "ok", "schema": "ok", "redis": "ok", "scheduler": "ok"}
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "parts": parts})


async def test_it_is_ready_without_redis_and_says_that_it_is_slower(
    without_redis: Settings, redis_away: Settings
) -> None:
    for settings, state in ((without_redis, "absent"), (redis_away, "degraded")):
        async with serving(settings) as api:
            answer = await api.get("/readyz")
            assert answer.status_code == 200
            assert answer.json()["parts"]["redis"] == state


async def test_requests_are_counted_by_route_and_not_by_id(api: httpx.AsyncClient) -> None:
    labels = {"method": "GET", "route": "/tasks/{task_id}", "status": "404"}
    before = await figures(api)
    for task_id in (2**62, 2**62 + 1, 2**62 + 2):
        await api.get(f"/tasks/{task_id}")
    await api.get("/a-path-that-is-not-there")
    await api.request("BREW", "/tasks")
    after = await figures(api)

    assert (
        figure(after, "requests_total", **labels) - figure(before, "requests_total", **labels) == 3
    )
    seconds = {"route": "/tasks/{task_id}"}
    assert figure(after, "request_seconds_count", **seconds) >= 3
    routes = {dict(labels)["route"] for (name, labels) in after if name == "rowlock_requests_total"}
    assert not any(str(2**62) in route or "a-path" in route for route in routes)
    methods = {dict(labels)["method"] for (n, labels) in after if n == "rowlock_requests_total"}
    assert "BREW" not in methods


async def test_claims_and_transitions_are_counted(api: httpx.AsyncClient) -> None:
    before = await figures(api)
    for _ in range(3):
        await submit(api, queue="figures", retry_limit=1)
    first, second, third = await claim(api, queues=["figures"], limit=3)
    await complete(api, first)
    await fail(api, second)
    await api.post(f"/admin/tasks/{third['task']['id']}/cancel")
    after = await figures(api)

    def grown(name: str, **labels: str) -> float:
        return figure(after, name, **labels) - figure(before, name, **labels)

    assert grown("claims_total", queue="figures") == 3
    assert grown("transitions_total", source="to_do", target="in_progress") == 3
    for target in ("done", "retrying", "cancelled"):
        assert grown("transitions_total", source="in_progress", target=target) == 1


async def test_what_waits_and_runs_is_shown_by_queue(
    api: httpx.AsyncClient, session: Session
) -> None:
    for trait in ("in_progress", "in_progress", "retrying", "delayed", "done", "paused"):
        TaskFactory(**{trait: True}, queue="images")
    TaskFactory(queue="mail")
    found = await figures(api)
    assert figure(found, "waiting_tasks", queue="images") == 2
    assert figure(found, "running_tasks", queue="images") == 2
    assert figure(found, "waiting_tasks", queue="mail") == 1
    assert 60 <= figure(found, "oldest_waiting_seconds", queue="mail") < 120

    lease = await claim_one(api, queues=["mail"])
    await api.delete(f"/tasks/{lease['task']['id']}")
    labels = {dict(labels).get("queue") for name, labels in await figures(api) if "waiting" in name}
    assert "mail" not in labels, "a queue that is no more leaves no figure behind"


async def test_calls_that_share_a_batch_are_counted(api: httpx.AsyncClient) -> None:
    before = await figures(api)
    task = await submit(api)
    lease = await claim_one(api)
    await api.post(f"/leases/{lease['lease_id']}/heartbeat")
    await api.get(f"/tasks/{task['id']}")
    after = await figures(api)
    for kind in ("submit", "leases", "heartbeats", "read"):
        for name in ("batch_calls_count", "batch_calls_sum"):
            assert figure(after, name, kind=kind) - figure(before, name, kind=kind) == 1, kind


async def test_what_the_schedulers_do_is_shown(
    api: httpx.AsyncClient, resources: Resources, session: Session
) -> None:
    TaskFactory(overdue=True)
    sweeper = Sweeper(resources)
    for _ in range(2):
        for name in SWEEPS:
            await sweeper.run(name)
    await sweeper.report()

    found = await figures(api)

    for name in ("promote", "time_out", "lost_leases"):
        assert figure(found, "sweep_runs_total", sweep=name) == 2
        assert figure(found, "sweep_age_seconds", sweep=name) < 60
    assert figure(found, "swept_tasks_total", sweep="time_out") == 1


async def test_the_state_of_redis_is_shown(api: httpx.AsyncClient, redis_away: Settings) -> None:
    await api.get("/tasks")
    assert figure(await figures(api), "redis_up") == 1
    async with serving(redis_away) as other:
        await other.get("/tasks")
        assert figure(await figures(other), "redis_up") == 0
    await api.get("/tasks")
    assert figure(await figures(api), "redis_up") == 1


async def test_claims_of_too_many_queues_are_counted_together(
    api: httpx.AsyncClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever names queues as they like fills neither our memory nor Prometheus'."""
    monkeypatch.setattr(metrics, "MOST_QUEUES", 3)
    monkeypatch.setattr(metrics, "_queues", set())
    before = figure(await figures(api), "claims_total", queue="(other)")
    for queue in ("one", "two", "three", "four", "five", "one"):
        TaskFactory(queue=queue)
        await claim(api, queues=[queue])
    found = await figures(api)
    shown = {dict(labels)["queue"] for name, labels in found if name == "rowlock_claims_total"}
    assert {"one", "two", "three"} <= shown
    assert shown.isdisjoint({"four", "five"})
    assert figure(found, "claims_total", queue="(other)") == before + 2
