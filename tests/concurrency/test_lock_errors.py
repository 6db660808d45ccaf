"""Deadlocks and lock waits that a stranger brings about: the caller never hears of them."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.mysql.connection import Connection
from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.concurrency.ordering import deadlocks, until_blocked
from tests.concurrency.steps import row
from tests.concurrency.writes import BUSY, KINDS, Write
from tests.conftest import serving
from tests.support.factories import TaskFactory, lease_of

LOCK = "SELECT id FROM tasks WHERE id = %s FOR UPDATE"
LOCK_KEY = "SELECT item FROM idempotency_keys WHERE idempotency_key = %s FOR UPDATE"
# A lock is waited for a second or two, and a busy machine adds to it. Without a bound twenty held
# rows kept all others waiting for a minute.
ANSWERED_SECONDS = 30.0
# A promotion adds nothing to the counters: it needs no more than its task, or skips it.
ADDING = [kind for kind in KINDS if kind != "promote"]


async def test_a_call_that_was_the_victim_of_a_deadlock_succeeds(
    session: Session, engine: Engine, api: httpx.AsyncClient
) -> None:
    first, second = TaskFactory.create_batch(2, in_progress=True)
    items = [{"lease_id": lease_of(task), "outcome": "complete"} for task in (first, second)]

    with engine.connect() as stranger:
        # What it has written makes the stranger the heavier one, and InnoDB spares it.
        stranger.execute(text("INSERT INTO tags (name) VALUES ('a'), ('b'), ('c'), ('d')"))
        stranger.exec_driver_sql(LOCK, (second.id,))
        call = asyncio.create_task(api.post("/leases/finish", json={"items": items}))
        await until_blocked(engine)
        # The call holds this row, so that to get it is proof: the call was rolled back.
        stranger.exec_driver_sql(LOCK, (first.id,))
        stranger.rollback()
    answer = await call

    assert answer.status_code == 200
    assert [item["status"] for item in answer.json()["items"]] == [200, 200]
    assert {row(engine, task.id)["status"] for task in (first, second)} == {"done"}


async def test_a_transaction_that_waited_too_long_for_a_lock_is_run_again_from_its_start(
    session: Session, engine: Engine, other: Resources
) -> None:
    task = TaskFactory()
    tries: list[str] = []

    with engine.connect() as stranger:
        stranger.exec_driver_sql(LOCK, (task.id,))

        async def work(connection: Connection) -> None:
            tries.append(f"try {len(tries) + 1}")
            await connection.execute("INSERT INTO tags (name) VALUES (%s)", (tries[-1],))
            if len(tries) == 2:
                stranger.rollback()
            await connection.execute("SET innodb_lock_wait_timeout = 1")
            await connection.fetch(LOCK, (task.id,))

        await other.database.transact(work)

    assert tries == ["try 1", "try 2"]
    with engine.connect() as connection:
        # Error 1205 undoes its statement only; the rest of the first try must not stay.
        assert list(connection.execute(text("SELECT name FROM tags")).scalars()) == ["try 2"]


async def test_a_call_whose_row_stays_locked_is_answered_in_time_and_works_later(
    session: Session, engine: Engine, settings: Settings
) -> None:
    task = TaskFactory(in_progress=True)
    lease = lease_of(task)
    impatient = settings.model_copy(update={"database_timeout_seconds": 0.5})

    async with serving(impatient) as api:
        with engine.connect() as stranger:
            stranger.exec_driver_sql(LOCK, (task.id,))
            answer = await api.post(f"/leases/{lease}/complete")
            assert answer.status_code == 503
            assert answer.headers["retry-after"]
            stranger.rollback()

        assert (await api.post(f"/leases/{lease}/complete")).status_code == 200


async def test_a_row_that_stays_locked_is_busy_for_its_own_call_and_for_no_neighbour(
    session: Session, engine: Engine, api: httpx.AsyncClient
) -> None:
    held, free = TaskFactory.create_batch(2, in_progress=True)

    with engine.connect() as stranger:
        stranger.exec_driver_sql(LOCK, (held.id,))
        stuck = asyncio.create_task(api.post(f"/leases/{lease_of(held)}/complete"))
        await until_blocked(engine)
        neighbours = await asyncio.gather(
            api.post(f"/leases/{lease_of(free)}/complete"),
            api.post("/leases", json={"worker": "w", "queues": ["other"]}),
        )
        answer = await stuck
        stranger.rollback()

    assert [neighbour.status_code for neighbour in neighbours] == [200, 200]
    assert (answer.status_code, answer.json()["title"]) == (503, "Row busy")
    assert answer.headers["retry-after"]


async def test_rows_that_stay_locked_hold_up_nobody_else_and_nobody_for_long(
    session: Session, engine: Engine, api: httpx.AsyncClient
) -> None:
    held = TaskFactory.create_batch(20, in_progress=True)
    free = TaskFactory.create_batch(20, in_progress=True)
    with engine.connect() as stranger:
        for task in held:
            stranger.exec_driver_sql(LOCK, (task.id,))
        began = time.monotonic()
        answers = await asyncio.gather(
            *(
                api.post(f"/leases/{lease_of(task)}/complete")
                for pair in zip(held, free, strict=True)
                for task in pair
            )
        )
        assert time.monotonic() - began < ANSWERED_SECONDS
        stranger.rollback()
    assert [answer.status_code for answer in answers] == [BUSY, 200] * 20
    for answer in answers[::2]:
        assert answer.headers["retry-after"]


@contextmanager
def nobody_commits(engine: Engine) -> Iterator[SqlConnection]:
    """A stranger has what every write needs at its end: room for what it adds to the counters."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as stranger:
        # What it has written makes the stranger the heavier one, and InnoDB spares it.
        rows = ", ".join(f"('{number}')" for number in range(100))
        stranger.exec_driver_sql(f"INSERT INTO tags (name) VALUES {rows}")
        stranger.exec_driver_sql("SELECT id FROM counter_deltas FOR UPDATE")
        yield stranger
        stranger.rollback()


@pytest.mark.parametrize("kind", ADDING)
async def test_whatever_is_written_a_deadlock_is_hidden(
    session: Session, engine: Engine, api: httpx.AsyncClient, resources: Resources, kind: str
) -> None:
    usual = Write(kind, api=api, resources=resources, engine=engine)
    assert await usual.send() < 300
    assert usual.look() != usual.before
    write = Write(kind, api=api, resources=resources, engine=engine)
    before = deadlocks(engine)
    with nobody_commits(engine) as stranger:
        call = asyncio.create_task(write.send())
        await until_blocked(engine)
        if write.task_id:
            stranger.exec_driver_sql(LOCK, (write.task_id,))
        else:
            stranger.exec_driver_sql(LOCK_KEY, (write.queue,))
    assert await call < 300
    assert write.look() == usual.look()
    assert deadlocks(engine) == before + 1


async def test_whatever_is_written_a_lock_that_stays_is_told_in_time_and_nothing_is_half_done(
    session: Session, engine: Engine, settings: Settings
) -> None:
    own = settings.model_copy(update={"database_pool_size": 32})
    resources = Resources(own)
    async with serving(own) as api:
        writes = [Write(kind, api=api, resources=resources, engine=engine) for kind in ADDING]
        with nobody_commits(engine):
            began = time.monotonic()
            assert await asyncio.gather(*(write.send() for write in writes)) == [BUSY] * len(ADDING)
            assert time.monotonic() - began < ANSWERED_SECONDS
            for write in writes:
                assert write.look() == write.before
        for write in writes:
            assert await write.send() < 300
            assert write.look() != write.before
    await resources.close()
    assert await sweeping.recount(settings) == {}
