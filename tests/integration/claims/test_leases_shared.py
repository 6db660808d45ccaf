"""Calls of many workers share a transaction: none of them goes short for another's sake."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy.orm import Session

from app.mysql.connection import Connection
from app.queue.attempts import claiming
from app.queue.requests import Claim
from app.service.leases import LeaseService
from app.service.resources import Resources
from tests.support.calls import claim, claim_one, complete, get, submit
from tests.support.factories import TaskFactory
from tests.support.worker_calls import finish

LARGE = "x" * 250_000


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent to MySQL from now on."""
    sent: list[str] = []
    execute = Connection._execute

    async def noted(connection: Connection, statement: str, *args: Any) -> Any:
        sent.append(statement)
        return await execute(connection, statement, *args)

    monkeypatch.setattr(Connection, "_execute", noted)
    return sent


async def together(resources: Resources, *claims: Claim) -> list[list[int]]:
    """What claims get that come at once."""
    service = LeaseService(resources)
    first = asyncio.create_task(service.finish_and_claim([], Claim("first", ("nothing",), 1)))
    turned = await asyncio.gather(*(service.finish_and_claim([], claim) for claim in claims))
    await first
    return [[task.id for task in one.claimed] for one in turned]


async def test_beside_claims_of_large_tasks_small_ones_are_claimed_too(
    resources: Resources, session: Session
) -> None:
    large = TaskFactory.create_batch(40, queue="large", payload=f'"{LARGE}"')
    small = TaskFactory.create_batch(20, queue="small")
    claims = [Claim("w", ("large",), 100), *[Claim("w", ("small",), 1)] * 20]
    of_large, *of_small = await together(resources, *claims)

    assert 30 < len(of_large) < len(large), "8 MiB of them"
    assert sorted(of_small) == [[task.id] for task in small]


async def test_of_claims_that_share_a_queue_of_large_tasks_each_gets_some(
    resources: Resources, session: Session
) -> None:
    TaskFactory.create_batch(40, queue="large", payload=f'"{LARGE}"')
    shares = await together(resources, *[Claim("w", ("large",), 35)] * 2)

    assert [bool(share) for share in shares] == [True, True]
    assert sum(map(len, shares)) == 40


async def test_a_batch_that_takes_long_leaves_the_others_to_the_next_one(
    resources: Resources, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claiming, "CLAIM_SECONDS", -1.0)
    tasks = [TaskFactory(queue=f"q{number}") for number in range(10)]
    claims = [Claim("w", (f"q{number}",), 1) for number in range(10)]

    assert await together(resources, *claims) == [[task.id] for task in tasks]


async def test_a_claim_of_many_queues_that_are_empty_takes_few_statements(
    api: httpx.AsyncClient, statements: list[str]
) -> None:
    queues = [f"q{number}" for number in range(64)]
    for _ in range(2):
        statements.clear()
        assert await claim(api, queues=queues) == []
        selects = [s for s in statements if s.startswith("SELECT") and "tasks" in s]
        # Where it remembers anything, it looks again without.
        assert len(selects) <= 2
        assert not any("UNION" in statement for statement in selects)


async def test_a_claim_of_many_queues_takes_them_in_their_order(
    api: httpx.AsyncClient, session: Session
) -> None:
    expected = [TaskFactory(queue=f"q{number}", priority="低").id for number in (60, 40, 41, 2)]
    queues = [f"q{number}" for number in (63, 60, 5, 40, 41, 42, 43, 44, 2, 1)]
    got = await claim(api, queues=queues, limit=3)
    got += await claim(api, queues=queues, limit=3)

    assert [lease["task"]["id"] for lease in got] == expected


async def test_an_answer_shows_of_large_tasks_that_were_finished_only_the_first(
    api: httpx.AsyncClient,
) -> None:
    for number in range(12):
        await submit(api, payload=LARGE, title=str(number))
    leases = await claim(api, limit=20)
    items = [{"lease_id": lease["lease_id"], "outcome": "complete"} for lease in leases]
    for _ in range(2):  # told again it is the same
        answer = await finish(api, *items)
        assert [item["status"] for item in answer["items"]] == [200] * 12
        shown = [item["task"]["payload"] for item in answer["items"] if "task" in item]
        assert shown == [LARGE] * 4
        assert all("task" in item for item in answer["items"][:4])
    statuses = [(await get(api, lease["task"]["id"]))["status"] for lease in leases]
    assert statuses == ["done"] * 12


async def test_whoever_waits_for_work_is_kept_little_of_what_it_has_finished(
    api: httpx.AsyncClient,
) -> None:
    await submit(api, payload="small")
    await submit(api, payload=LARGE)
    items = [
        {"lease_id": lease["lease_id"], "outcome": "complete"}
        for lease in await claim(api, limit=2)
    ]
    answer = await finish(api, *items, claim={"worker": "w", "wait_seconds": 0.1})
    assert [item["status"] for item in answer["items"]] == [200, 200]
    assert ["task" in item for item in answer["items"]] == [True, False]


async def test_a_large_task_is_shown_whole_to_whoever_finishes_it_alone(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.queue.attempts.lifecycle.FINISH_BYTES", 1000)
    await submit(api, payload=LARGE)
    task = await complete(api, await claim_one(api), {"answer": 42})
    assert (task["payload"], task["result"]) == (LARGE, {"answer": 42})


async def test_heartbeats_that_come_too_late_read_no_long_texts(
    api: httpx.AsyncClient, statements: list[str]
) -> None:
    await submit(api, payload=LARGE)
    lease = await claim_one(api)
    await complete(api, lease)
    statements.clear()
    answer = await api.post(f"/leases/{lease['lease_id']}/heartbeat")
    assert (answer.status_code, answer.json()["task_status"]) == (409, "done")
    assert not any("payload" in statement for statement in statements)
