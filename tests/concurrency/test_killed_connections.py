"""Connections killed in mid-transaction: nothing is half done, and nothing done twice."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.concurrency.killer import Killer
from tests.concurrency.ordering import until_blocked
from tests.concurrency.steps import row
from tests.concurrency.writes import BUSY, KINDS, Write
from tests.support.calls import claim_one, complete
from tests.support.factories import TaskFactory, lease_of
from tests.support.worker_calls import attempts

LOCK = "SELECT id FROM tasks WHERE id = %s FOR UPDATE"

# Who claims again is given what there is then: what nobody heard of goes back.
SENT_AGAIN = [kind for kind in KINDS if not kind.startswith("claim")]

Prepare = Callable[[], Write]


@pytest.fixture(params=KINDS)
def prepare(
    request: pytest.FixtureRequest,
    session: Session,
    engine: Engine,
    api: httpx.AsyncClient,
    resources: Resources,
) -> Prepare:
    """Makes another write of a kind, with all that it needs."""
    return lambda: Write(request.param, api=api, resources=resources, engine=engine)


async def done_as_usual(prepare: Prepare) -> tuple[Any, ...]:
    """What is stored after a write that nothing befalls."""
    write = prepare()
    assert await write.send() < 300
    assert write.look() != write.before
    return write.look()


async def test_killed_before_any_of_its_statements_a_write_is_done_once_or_not_at_all(
    prepare: Prepare, killer: Killer, settings: Settings
) -> None:
    done = await done_as_usual(prepare)
    struck: list[str] = []
    while True:
        write = prepare()
        killer.strike_before(len(struck) + 1)
        status = await write.send()
        if killer.struck is None:
            break
        struck.append(killer.struck)
        if status == BUSY:
            assert killer.struck == "commit", "before it, it is run again unnoticed"
            assert write.look() in (write.before, done)
            assert await write.send() < 300
        if write.kind.path == "/leases":
            # Run again it skips its row for as long as MySQL keeps it for the killed connection.
            async with asyncio.timeout(30):
                while write.look() == write.before:
                    assert await write.send() < 300
        assert write.look() == done
    assert "commit" in struck
    assert len(struck) > 1
    assert await sweeping.recount(settings) == {}


@pytest.mark.parametrize("prepare", SENT_AGAIN, indirect=True)
async def test_a_write_whose_answer_is_lost_after_the_commit_is_done_once_though_sent_again(
    prepare: Prepare, killer: Killer, settings: Settings
) -> None:
    done = await done_as_usual(prepare)
    write = prepare()
    killer.strike_after_commit()
    assert await write.send() == BUSY
    assert killer.struck
    first = write.look()
    assert await write.send() != BUSY
    assert (first, write.look()) == (done, done)
    assert await sweeping.recount(settings) == {}


async def test_a_claim_whose_commit_was_not_heard_of_costs_the_task_nothing(
    killer: Killer, session: Session, engine: Engine, api: httpx.AsyncClient, settings: Settings
) -> None:
    task = TaskFactory(retry_limit=0)
    killer.strike_after_commit()
    answer = await api.post("/leases", json={"worker": "w"})
    assert (answer.status_code, killer.struck) == (BUSY, "after commit")

    async with asyncio.timeout(30):
        # It is given back without anybody asking for it.
        while row(engine, task.id)["claim_rank"] is None:  # noqa: ASYNC110  (MySQL sends no event)
            await asyncio.sleep(0.01)
    (attempt,) = await attempts(api, task.id)
    assert (attempt["attempt"], attempt["outcome"]) == (1, "released")
    lease = await claim_one(api)
    assert (lease["attempt"], lease["task"]["current_retry_count"]) == (2, 0)
    assert (await complete(api, lease))["status"] == "done"
    assert await sweeping.recount(settings) == {}


@pytest.mark.parametrize("what", ["CONNECTION", "QUERY"])
async def test_killed_while_it_waits_for_a_row_a_call_is_answered_and_works_later(
    session: Session, engine: Engine, api: httpx.AsyncClient, what: str
) -> None:
    """The connection: it waits again by another one. The query: somebody has told it to stop."""
    task = TaskFactory(in_progress=True)
    with engine.connect() as stranger, engine.connect() as killer:
        stranger.exec_driver_sql(LOCK, (task.id,))
        call = asyncio.create_task(api.post(f"/leases/{lease_of(task)}/complete"))
        await until_blocked(engine)
        blocked = killer.execute(
            text("SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT%UPDATE'")
        ).scalars()
        for number in blocked:
            killer.exec_driver_sql(f"KILL {what} {number}")
        if what == "CONNECTION":
            await until_blocked(engine)
        stranger.rollback()
        answer = await call
    if what == "QUERY":
        assert answer.status_code == BUSY
        assert answer.headers["retry-after"]
        answer = await api.post(f"/leases/{lease_of(task)}/complete")
    assert answer.status_code == 200
