"""One unique key from several processes at once: one task holds it, whoever is first."""

import asyncio
from collections import Counter
from contextlib import suppress
from itertools import chain
from random import Random
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from app.domain.states import Event
from app.domain.unique import hash_of
from app.service.resources import Resources
from app.settings import Settings
from tests.concurrency import steps
from tests.concurrency.ordering import deadlocks, held_open, until_blocked
from tests.conftest import serving
from tests.support import calls

HASH = hash_of("default", "k")
WAYS = (
    *("keep", "replace", "debounce", "batch", "patch", "delete"),
    *("cancel", "pause", "resume", "cancel all", "claim"),
)
# The holders of each key by their rows and by the table, in one snapshot.
HOLDERS = """
SELECT 'row', queue, unique_key, id FROM tasks
WHERE flags & 128 AND status IN ('to_do', 'paused') AND attempt = 0
    OR flags & 256 AND status IN ('to_do', 'paused', 'retrying', 'in_progress')
UNION ALL
SELECT 'key', tasks.queue, tasks.unique_key, tasks.id FROM unique_keys
LEFT JOIN tasks ON tasks.id = task_id
"""


async def send(api: httpx.AsyncClient, key: str = "k", **said: Any) -> httpx.Response:
    unique = {name: said.pop(name) for name in [*said] if name in ("conflict", "while")}
    body = {"title": "sync", "unique": {"key": key} | unique} | said
    return await api.post("/tasks", json=body)


def holders(engine: Engine) -> list[int]:
    """Who holds a key; at most one each, and by row and by table the same."""
    with engine.connect() as connection:
        found = connection.execute(text(HOLDERS)).all()
    by_row = sorted(tuple(rest) for where, *rest in found if where == "row")
    by_key = sorted(tuple(rest) for where, *rest in found if where == "key")
    assert by_row == by_key
    assert len({tuple(row[:2]) for row in by_row}) == len(by_row), by_row
    return [row[-1] for row in by_row]


async def test_of_two_that_met_on_a_key_one_has_it_and_the_other_is_answered_with_it(
    engine: Engine, settings: Settings
) -> None:
    async with serving(settings) as one, serving(settings) as two:
        # Both have looked for the key, found none, and stand before its lock.
        with engine.connect() as gate:
            gate.exec_driver_sql("SELECT id FROM unique_key_locks FOR UPDATE")
            both = [asyncio.create_task(send(process)) for process in (one, two)]
            await until_blocked(engine, sessions=2)
            before = deadlocks(engine)
            gate.rollback()
        answers = await asyncio.gather(*both)

    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert answers[0].json() == answers[1].json()
    assert holders(engine) == [answers[0].json()["id"]]
    assert deadlocks(engine) == before


async def test_a_key_is_taken_once_though_the_rows_to_lock_are_not_there(
    engine: Engine, settings: Settings
) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM unique_key_locks")
    try:
        async with serving(settings) as one, serving(settings) as two:
            # Both stand before the insert of the key.
            with engine.connect() as gate:
                gate.exec_driver_sql("INSERT INTO unique_keys VALUES (%s, 1)", (HASH,))
                both = [asyncio.create_task(send(process)) for process in (one, two)]
                await until_blocked(engine, sessions=2)
                gate.rollback()
            answers = await asyncio.gather(*both)
    finally:
        with engine.begin() as connection:
            for number in range(256):
                connection.exec_driver_sql("INSERT INTO unique_key_locks VALUES (%s)", (number,))

    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert holders(engine) == [answers[0].json()["id"]]


async def test_a_task_that_is_being_claimed_is_not_replaced_but_followed(
    api: httpx.AsyncClient, other: Resources, engine: Engine
) -> None:
    first = (await send(api, payload=1)).json()

    async with held_open(other.database, steps.claim()) as claimed:
        assert [task.id for task in claimed] == [first["id"]]
        call = asyncio.create_task(send(api, conflict="replace", payload=2))
        await until_blocked(engine)
    second = await call

    assert second.status_code == 201
    assert (await calls.get(api, first["id"]))["payload"] == 1
    assert holders(engine) == [second.json()["id"]]


async def test_a_task_that_is_being_replaced_is_not_claimed_with_what_it_was(
    api: httpx.AsyncClient, other: Resources, engine: Engine
) -> None:
    first = (await send(api, payload=1)).json()

    async with held_open(other.database, steps.patch(first["id"], payload="2")):
        call = asyncio.create_task(send(api, conflict="replace", payload=3))
        await until_blocked(engine)
        assert await steps.claimed_ids(api) == [], "who has its row decides first"
    assert (await call).json()["payload"] == 3

    (lease,) = await calls.claim(api)
    assert lease["task"]["payload"] == 3
    assert holders(engine) == []


async def test_a_call_that_keeps_waits_for_nobody(
    api: httpx.AsyncClient, other: Resources, engine: Engine
) -> None:
    first = (await send(api)).json()

    async with held_open(other.database, steps.change(first["id"], Event.CANCEL)):
        # Until that is committed the task is there.
        assert (await send(api)).json()["id"] == first["id"]
        assert (await send(api, conflict="reject")).status_code == 409
    assert (await send(api)).status_code == 201
    assert len(holders(engine)) == 1


async def test_who_has_no_key_does_not_wait_for_a_holder_that_somebody_else_has(
    api: httpx.AsyncClient, other: Resources, engine: Engine
) -> None:
    first = (await send(api)).json()

    async with held_open(other.database, steps.patch(first["id"], title="mine")):
        waiting = asyncio.create_task(send(api, conflict="replace"))
        await until_blocked(engine)
        answers = await asyncio.gather(
            *(api.post("/tasks", json={"title": "x"}) for _ in range(20))
        )
        assert {answer.status_code for answer in answers} == {201}
        assert not waiting.done()
    assert (await waiting).status_code == 200


async def test_a_holder_deleted_while_somebody_waits_for_it_is_followed_by_a_new_task(
    api: httpx.AsyncClient, other: Resources, engine: Engine
) -> None:
    first = (await send(api)).json()

    async with held_open(other.database, steps.delete(first["id"])):
        call = asyncio.create_task(send(api, conflict="replace"))
        await until_blocked(engine)
    second = await call

    assert second.status_code == 201
    assert second.json()["id"] != first["id"]
    assert holders(engine) == [second.json()["id"]]


async def test_an_attempt_that_ends_twice_gives_back_no_key_of_another(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    first = (await send(api, **{"while": "active"})).json()
    lease = await calls.claim_one(api)
    await calls.complete(api, lease)
    second = (await send(api, **{"while": "active"})).json()

    await calls.complete(api, lease)
    await api.delete(f"/tasks/{first['id']}")

    assert holders(engine) == [second["id"]]


@pytest.mark.parametrize("is_killed", [False, True], ids=["undisturbed", "killed"])
async def test_fifty_clients_with_five_keys_leave_one_task_a_key_waiting(
    engine: Engine, settings: Settings, is_killed: bool
) -> None:
    """Three processes, each way to find a key held, claims and ends in between, connections killed:
    in every snapshot one holder a key, no deadlock, and at the end one waiting."""
    before, random = deadlocks(engine), Random(7)
    spared = sessions(engine)
    seen: list[int] = []
    async with serving(settings) as one, serving(settings) as two, serving(settings) as three:
        apis = (one, two, three)
        is_over = asyncio.Event()

        async def submit(client: int) -> Counter[int]:
            answers: Counter[int] = Counter()
            for turn in range(12):
                way = ("keep", "replace", "reject")[(client + turn) % 3]
                held = "active" if client % 5 == 4 else "waiting"
                answer = await send(
                    apis[client % 3],
                    f"key-{client % 5}",
                    conflict=way,
                    payload=turn,
                    **{"while": held},
                )
                assert answer.status_code in (200, 201, 409, *[503] * is_killed), answer.text
                answers[answer.status_code] += 1
            return answers

        async def work(api: httpx.AsyncClient) -> None:
            while not is_over.is_set():
                asked = await api.post("/leases", json={"worker": "w", "limit": 3})
                for lease in asked.json() if asked.is_success else ():
                    await api.post(f"/leases/{lease['lease_id']}/complete")
                seen.append(len(holders(engine)))

        async def kill() -> None:
            while not is_over.is_set():
                if others := sorted(sessions(engine) - spared):
                    with engine.connect() as connection, suppress(OperationalError):
                        connection.exec_driver_sql(f"KILL {random.choice(others)}")
                await asyncio.sleep(0.05)

        workers = [asyncio.create_task(work(api)) for api in apis]
        if is_killed:
            workers.append(asyncio.create_task(kill()))
        try:
            counts = sum(await asyncio.gather(*map(submit, range(50))), Counter[int]())
        finally:
            is_over.set()
            await asyncio.gather(*workers)

        (await one.post("/admin/tasks/cancel", params={"queue": "default"})).raise_for_status()
        assert holders(engine) == []
        last = [await send(apis[n % 3], f"key-{n % 5}") for n in range(50)]

    assert set(counts) - {503} == {200, 201, 409}
    assert max(seen) <= 5
    assert len({answer.json()["id"] for answer in last}) == 5
    assert len(holders(engine)) == 5
    assert deadlocks(engine) == before


def sessions(engine: Engine) -> set[int]:
    """Those of all clients."""
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT id FROM information_schema.processlist")
        return set(found.scalars())


async def test_all_that_is_done_to_holders_at_once_leaves_each_key_with_its_task(
    engine: Engine, settings: Settings
) -> None:
    """Each operation against each, on few tasks of few keys, from two processes: no deadlock."""
    before = deadlocks(engine)
    random = Random(7)
    async with serving(settings) as one, serving(settings) as two:

        async def act(turn: int) -> int:
            api = (one, two)[turn % 2]
            ids = holders(engine) or [1]
            path = f"/tasks/{random.choice(ids)}"
            way = random.choice(WAYS)
            key = {"key": random.choice("abc"), "while": random.choice(["waiting", "active"])}
            headers = {"Idempotency-Key": f"key-{turn}"} if turn % 3 else {}
            body: dict[str, Any] = {"title": str(turn), "unique": key}
            if way == "keep":
                answer = await api.post("/tasks", json=body, headers=headers)
            elif way == "replace":
                body["unique"] = key | {"conflict": "replace"}
                body["tags"] = [str(turn % 4)]
                answer = await api.post("/tasks", json=body, headers=headers)
            elif way == "debounce":
                body["unique"] = {"key": key["key"], "debounce_seconds": 1}
                answer = await api.post("/tasks", json=body, headers=headers)
            elif way == "batch":
                unique = {"conflict": random.choice(["keep", "replace"])}
                tasks = [{"title": "x", "unique": unique | {"key": k}} for k in "cabc"]
                answer = await api.post("/tasks/batch", json={"tasks": tasks}, headers=headers)
            elif way == "patch":
                answer = await api.patch(path, json={"priority": "高"})
            elif way == "delete":
                answer = await api.delete(path)
            elif way == "cancel all":
                answer = await api.post("/admin/tasks/cancel", params={"status": "to_do"})
            elif way == "claim":
                leases = await calls.claim(api, limit=2)
                items = [
                    {"lease_id": lease["lease_id"], "outcome": random.choice(["fail", "release"])}
                    for lease in leases
                ]
                answer = await api.post("/leases/finish", json={"items": items})
            else:
                answer = await api.post(f"/admin{path}/{way}")
            assert answer.status_code in (200, 201, 204, 404, 409), answer.text
            return answer.status_code

        async def client(number: int) -> list[int]:
            return [await act(turn) for turn in range(number * 100, number * 100 + 25)]

        answers = await asyncio.gather(*map(client, range(12)))
        assert {200, 201} <= set(chain.from_iterable(answers))
        holders(engine)
        assert deadlocks(engine) == before
        (await one.post("/admin/tasks/delete", params={"queue": "default"})).raise_for_status()

    assert holders(engine) == []
    with engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM unique_keys")).scalar_one() == 0
