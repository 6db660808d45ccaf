"""Every transition is in the history once, whoever folds and whatever is killed."""

import asyncio
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from app.domain.errors import RowlockError
from app.queue.figures import counters, history
from app.service import sweeping
from app.service.resources import Resources
from tests.concurrency.killer import Killer
from tests.concurrency.ordering import deadlocks, held_open
from tests.support.calls import claim, claim_one, submit

TRUTH = """
SELECT COUNT(*), SUM(attempt), SUM(status = 'done'), SUM(status = 'failed'),
    SUM(current_retry_count) FROM tasks
"""

# The rows of the last minute, and of the last hour, of all queues.
LAST = text(
    "SELECT COUNT(*) FROM history JOIN (SELECT seconds, MAX(at) AS at FROM history GROUP BY 1) "
    "AS last USING (seconds, at) WHERE queue = '' GROUP BY seconds"
)


async def told(api: httpx.AsyncClient, **params: Any) -> tuple[int, ...]:
    """Submitted, started, done, failed, retried."""
    answer = await api.get("/stats/history", params={"minutes": 60, **params})
    buckets = answer.json()["buckets"]
    names = ("submitted", "started", "done", "failed", "retried")
    return tuple(sum(bucket[name] for bucket in buckets) for name in names)


def true(engine: Engine) -> tuple[int, ...]:
    """The same, of the tasks."""
    with engine.connect() as connection:
        return tuple(int(n) for n in connection.execute(text(TRUTH)).one())


async def test_folds_at_once_do_not_wait_and_count_each_delta_once(
    api: httpx.AsyncClient, other: Resources, resources: Resources, engine: Engine
) -> None:
    # Of different counters, but the same minute of all queues.
    for queue in ("a", "b"):
        for _ in range(3):
            await submit(api, queue=queue)
    before = deadlocks(engine)
    async with held_open(other.database, partial(counters.fold_once, limit=3)):
        assert await resources.database.transact(partial(counters.fold_once, limit=3)) == 3
        assert await told(api) == (6, 0, 0, 0, 0)
    assert await told(api) == (6, 0, 0, 0, 0)
    assert await told(api, queue="a") == (3, 0, 0, 0, 0)
    assert deadlocks(engine) == before


async def test_many_folds_at_once_leave_one_row_of_a_bucket(
    api: httpx.AsyncClient, other: Resources, resources: Resources, engine: Engine
) -> None:
    before = deadlocks(engine)
    for _ in range(5):
        for n in range(20):
            await submit(api, queue=f"q{n % 4}")
        await asyncio.gather(
            *(
                process.database.transact(partial(counters.fold_once, limit=5))
                for _ in range(4)
                for process in (other, resources)
            )
        )
    await submit(api)
    await sweeping.fold_counters(resources)
    assert await told(api) == (101, 0, 0, 0, 0)
    # Who is alone makes one of what others have left; a minute or an hour may have ended before.
    with engine.connect() as connection:
        assert list(connection.execute(LAST).scalars()) == [1, 1]
    assert deadlocks(engine) == before


async def test_a_fold_that_is_killed_at_any_statement_is_done_once(
    api: httpx.AsyncClient, resources: Resources, killer: Killer
) -> None:
    struck: list[str] = []
    submitted = 0
    while True:
        for _ in range(3):
            await submit(api)
        submitted += 3
        killer.strike_before(len(struck) + 1)
        try:
            await sweeping.fold_counters(resources)
        except RowlockError:
            assert killer.struck == "commit"
        if killer.struck is None:
            break
        struck.append(killer.struck)
        assert await told(api) == (submitted, 0, 0, 0, 0)
    assert await told(api) == (submitted, 0, 0, 0, 0)
    assert "commit" in struck
    # Its deltas, counters, what there is of the history, what is of it now, and what is folded.
    assert len(struck) >= 6


@pytest.mark.parametrize("is_after_commit", [False, True], ids=["before", "after the commit"])
async def test_a_call_that_is_killed_counts_as_often_as_it_was_done(
    api: httpx.AsyncClient,
    resources: Resources,
    engine: Engine,
    killer: Killer,
    is_after_commit: bool,
) -> None:
    for _ in range(30):
        await submit(api, retry_limit=1, retry_delay_seconds=0)
    for n in range(1, 8):
        for outcome in ("complete", "fail"):
            leases = await claim(api)
            if not leases:
                continue
            items = [{"lease_id": leases[0]["lease_id"], "outcome": outcome}]
            body = {"items": items, "claim": {"worker": "w"}}
            if is_after_commit:
                killer.strike_after_commit()
            else:
                killer.strike_before(n)
            await api.post("/leases/finish", json=body)
            killer.strike_before(n)
            await api.post("/tasks", json={"title": "t"})
            killer.strike_before(0)
    await resources.after_commit.close()
    async with asyncio.timeout(30):
        # What nobody heard of is given back meanwhile, and MySQL sends no event.
        while await told(api) != true(engine):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await sweeping.fold_counters(resources)
    assert await told(api) == true(engine)


async def test_a_row_that_somebody_else_deletes_is_not_waited_for(
    api: httpx.AsyncClient, other: Resources, resources: Resources, engine: Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO history (queue, seconds, at, figures) VALUES "
                "('a', 60, '2020-01-01', '{}'), ('a', 60, '2020-01-02', '{}')"
            )
        )
    async with held_open(other.database, partial(history.delete_old, limit=1)) as first:
        assert await resources.database.transact(partial(history.delete_old, limit=5)) == 1
        await submit(api)
        await claim_one(api)
        await sweeping.fold_counters(resources)
    assert first == 1
