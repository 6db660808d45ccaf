"""One key from two processes at once: one task, whoever is first."""

import asyncio
from collections import Counter

import httpx
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.settings import Settings
from tests.concurrency.ordering import until_blocked
from tests.conftest import serving
from tests.support.factories import TaskFactory

TASK = {"title": "once", "tags": ["shared"]}


async def submit(api: httpx.AsyncClient, key: str) -> httpx.Response:
    return await api.post("/tasks", json=TASK, headers={"Idempotency-Key": key})


async def test_two_processes_that_met_on_the_key_make_one_task(
    session: Session, engine: Engine, settings: Settings
) -> None:
    stranger = TaskFactory(title="another")

    async with serving(settings) as one, serving(settings) as two:
        # Both have looked for the key, found none, and stand before its insert.
        with engine.connect() as gate:
            gate.exec_driver_sql(
                "INSERT INTO idempotency_keys (idempotency_key, item, body_hash, task_id) "
                "VALUES ('k', 0, '', %s)",
                (stranger.id,),
            )
            calls = [asyncio.create_task(submit(process, "k")) for process in (one, two)]
            await until_blocked(engine, sessions=2)
            gate.rollback()
        answers = await asyncio.gather(*calls)

    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert answers[0].json() == answers[1].json()
    with engine.connect() as connection:
        made = connection.execute(text("SELECT id FROM tasks WHERE title = 'once'")).scalars()
        assert list(made) == [answers[0].json()["id"]]


async def test_a_process_that_finds_the_key_taken_answers_with_its_task(
    session: Session, engine: Engine, settings: Settings
) -> None:
    async with serving(settings) as one, serving(settings) as two:
        first = (await submit(one, "other-key")).json()
        with engine.connect() as gate:
            # The same call in yet another process, about to commit.
            gate.exec_driver_sql(
                "INSERT INTO idempotency_keys (idempotency_key, item, body_hash, task_id) "
                "SELECT 'k', 0, body_hash, task_id FROM idempotency_keys"
            )
            call = asyncio.create_task(submit(two, "k"))
            await until_blocked(engine)
            gate.commit()
        second = await call

    assert second.status_code == 200
    assert second.json()["id"] == first["id"]
    with engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM tasks")).scalar_one() == 1


async def test_many_calls_with_few_keys_make_one_task_a_key(
    engine: Engine, settings: Settings
) -> None:
    keys = [f"key-{number % 10}" for number in range(80)]

    async with serving(settings) as one, serving(settings) as two:
        answers = await asyncio.gather(
            *(submit(one if n % 3 else two, key) for n, key in enumerate(keys))
        )

    by_key = {(key, answer.json()["id"]) for key, answer in zip(keys, answers, strict=True)}
    assert len(by_key) == 10, "one task a key"
    assert Counter(answer.status_code for answer in answers) == {201: 10, 200: 70}
    with engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM tasks")).scalar_one() == 10
