"""`GET /stats/history`: what was submitted, started and ended, by minutes and by hours."""

import time
from datetime import UTC, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.mysql.connection import Connection
from app.queue.figures.history import HOUR, MINUTE
from app.service import sweeping
from app.service.resources import Resources
from tests.support.calls import Document, claim, claim_one, complete, fail, submit
from tests.support.elapse import elapse, moment, mysql_now
from tests.support.factories import TaskFactory

COUNTS = ("submitted", "started", "done", "failed", "retried")
TIMES = ("wait_p50", "wait_p95", "run_p50", "run_p95")
NOTHING = dict.fromkeys(COUNTS, 0) | dict.fromkeys(TIMES)


async def history(api: httpx.AsyncClient, **params: Any) -> Document:
    answer = await api.get("/stats/history", params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def totals(api: httpx.AsyncClient, **params: Any) -> tuple[int, ...]:
    """Over all buckets."""
    buckets = (await history(api, **params))["buckets"]
    return tuple(sum(bucket[name] for bucket in buckets) for name in COUNTS)


async def test_nothing_ever_happened(api: httpx.AsyncClient, engine: Engine) -> None:
    for minutes, size, length in ((60, MINUTE, 61), (1, MINUTE, 2), (20_160, HOUR, 337)):
        before = mysql_now(engine)
        found = await history(api, minutes=minutes)
        assert (found["queue"], found["bucket_seconds"]) == (None, size.total_seconds())
        begins = [moment(bucket.pop("begins_at")) for bucket in found["buckets"]]
        assert len(begins) == length
        assert begins == [begins[0] + n * size for n in range(length)]
        assert begins[-1] <= before + size
        assert before < begins[-1] + 2 * size
        complete = [bucket.pop("is_complete") for bucket in found["buckets"]]
        assert complete == [True] * (length - 1) + [False]
        assert found["buckets"] == [NOTHING] * length


@pytest.mark.parametrize("is_folded", [False, True], ids=["as it is", "folded"])
async def test_each_transition_counts_in_its_queue_and_in_all(
    api: httpx.AsyncClient, resources: Resources, is_folded: bool
) -> None:
    for n in range(7):
        await submit(api, queue="mail" if n % 2 else "default", retry_limit=1)
    for queue in ("mail", "default"):
        done, failed, retried, *_ = await claim(api, queues=[queue], limit=3)
        await complete(api, done)
        await fail(api, failed, retryable=False)
        await fail(api, retried)
    released = await claim_one(api)
    await api.post(f"/leases/{released['lease_id']}/release")
    again = await claim_one(api)
    await api.post(f"/admin/tasks/{again['task']['id']}/cancel")
    await api.post(f"/admin/tasks/{again['task']['id']}/retry")
    if is_folded:
        await sweeping.fold_counters(resources)
    assert await totals(api, queue="mail") == (3, 3, 1, 1, 1)
    assert await totals(api, queue="default") == (4, 5, 1, 1, 1)
    assert await totals(api, queue="none") == (0, 0, 0, 0, 0)
    assert await totals(api) == (7, 8, 2, 2, 2)
    # What is read is what was counted, by minutes and by hours.
    assert await totals(api, minutes=61) == (7, 8, 2, 2, 2)


async def test_what_is_sent_again_counts_once(api: httpx.AsyncClient) -> None:
    for _ in range(2):
        answer = await api.post("/tasks", json={"title": "x"}, headers={"Idempotency-Key": "k"})
        assert answer.is_success
    lease = await claim_one(api)
    await complete(api, lease)
    await complete(api, lease)
    assert await totals(api) == (1, 1, 1, 0, 0)


async def test_a_time_out_counts_as_what_it_leads_to(
    api: httpx.AsyncClient, resources: Resources, session: Session
) -> None:
    TaskFactory(overdue=True)
    TaskFactory(overdue=True, retry_limit=0)
    await sweeping.time_out(resources)
    assert await totals(api) == (0, 0, 0, 1, 1)


async def test_a_release_and_a_claim_at_once_change_no_counter_and_are_counted(
    api: httpx.AsyncClient,
) -> None:
    await submit(api)
    await submit(api)
    lease = await claim_one(api)
    swap = {
        "items": [{"lease_id": lease["lease_id"], "outcome": "release"}],
        "claim": {"worker": "w"},
    }
    assert len((await api.post("/leases/finish", json=swap)).json()["leases"]) == 1
    assert await totals(api) == (2, 2, 0, 0, 0)


async def test_waits_and_runs_are_told_within_their_error(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    began = time.monotonic()
    for _ in range(20):
        await submit(api)
    elapse(engine, 100)
    leases = await claim(api, limit=19)
    elapse(engine, 10)
    for lease in leases:
        await complete(api, lease)
    elapse(engine, 890)
    late = await claim_one(api)
    elapse(engine, 3000)
    await fail(api, late)
    for is_folded in (False, True):
        if is_folded:
            await sweeping.fold_counters(resources)
        # Two buckets, where the hour has just ended.
        *_, last = [b for b in (await history(api, minutes=61))["buckets"] if b["started"]]
        # Of the calls between, each takes its time.
        took = time.monotonic() - began
        for name, seconds in (("wait_p50", 100), ("wait_p95", 100), ("run_p50", 10)):
            assert seconds * 0.95 <= last[name] <= (seconds + took) * 1.05


async def test_a_retry_waits_from_when_it_may_be_claimed(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await submit(api, retry_delay_seconds=100, retry_backoff="fixed")
    elapse(engine, 1000)
    await fail(api, await claim_one(api))
    elapse(engine, 150)
    await sweeping.promote(resources)
    await claim_one(api)
    found = [b for b in (await history(api, minutes=61))["buckets"] if b["started"]]
    assert found[-1]["wait_p50"] == pytest.approx(50, abs=25)


async def test_times_below_a_millisecond_and_of_years_are_told(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await submit(api)
    elapse(engine, 100_000_000)
    await claim_one(api)
    (bucket,) = [b for b in (await history(api, minutes=61))["buckets"] if b["started"]]
    assert bucket["wait_p50"] == pytest.approx(1e8, rel=0.05)


async def test_what_happened_is_in_the_bucket_of_its_time(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    await submit(api)
    await sweeping.fold_counters(resources)
    now = mysql_now(engine)
    with engine.begin() as connection:
        for seconds, back in ((60, timedelta(minutes=30)), (3600, timedelta(hours=100))):
            connection.execute(
                text("UPDATE history SET at = at - INTERVAL :back SECOND WHERE seconds = :size"),
                {"back": back.total_seconds(), "size": seconds},
            )
    for minutes, size, back in (
        (60, MINUTE, timedelta(minutes=30)),
        (20_160, HOUR, timedelta(hours=100)),
    ):
        (bucket,) = [b for b in (await history(api, minutes=minutes))["buckets"] if b["submitted"]]
        begins_at = moment(bucket["begins_at"])
        assert bucket["is_complete"]
        assert begins_at <= now - back < begins_at + 2 * size
    assert await totals(api, minutes=29 - 1) == (0, 0, 0, 0, 0)
    assert await totals(api, minutes=99 * 60) == (0, 0, 0, 0, 0)


async def test_a_call_sends_no_statement_for_it(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as before there was a history."""
    await submit(api)
    await complete(api, await claim_one(api))
    sent: list[str] = []
    execute = Connection._execute

    async def watched(connection: Connection, statement: str, *args: Any) -> Any:
        sent.append(" ".join(statement.split()[:3]))
        return await execute(connection, statement, *args)

    monkeypatch.setattr("app.mysql.connection.CLOCK_CARRIED_SECONDS", 3600)
    monkeypatch.setattr(Connection, "_execute", watched)

    async def statements(call: Any) -> tuple[Any, list[str]]:
        sent.clear()
        answer = await call
        return answer, [one for one in sent if not one.startswith("SELECT UTC_TIMESTAMP")]

    delta = "INSERT INTO counter_deltas"
    _, submitting = await statements(submit(api))
    assert submitting == ["INSERT INTO tasks", delta]
    lease, claiming = await statements(claim_one(api))
    look, lock = "SELECT %s, %s,", "SELECT JSON_ARRAY(id, title,"
    assert claiming == [look, lock, "UPDATE tasks FORCE", delta]
    _, completing = await statements(complete(api, lease))
    assert completing == ["UPDATE tasks FORCE", delta]


async def test_times_are_mysqls_and_in_utc(api: httpx.AsyncClient, engine: Engine) -> None:
    await submit(api)
    (bucket,) = [b for b in (await history(api))["buckets"] if b["submitted"]]
    assert bucket["begins_at"].endswith(":00Z")
    begins_at = moment(bucket["begins_at"]).replace(tzinfo=UTC)
    assert timedelta(0) <= mysql_now(engine).replace(tzinfo=UTC) - begins_at < timedelta(minutes=2)
