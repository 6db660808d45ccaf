"""Claims of a queue that ages: in the order of effective times, by the usual statements."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.mysql.connection import Connection
from app.queue.attempts import claiming, lifecycle
from app.queue.attempts.claim_memory import ClaimMemory
from app.queue.requests import Claim, LeaseCall
from app.queue.statements import CLAIM
from app.service.resources import Resources
from app.settings import Settings
from tests.concurrency.ordering import held_open
from tests.conftest import serving
from tests.support.calls import claim, complete
from tests.support.elapse import moment, mysql_now
from tests.support.explaining import Statement, sent_by
from tests.support.factories import TaskFactory, now

AGEING = {"中": 600, "低": 3600}


def waiting(priority: str, seconds: float, **fields: Any) -> int:
    """A task that came so long ago."""
    created_at = now() - timedelta(seconds=seconds)
    return int(TaskFactory(priority=priority, created_at=created_at, **fields).id)


async def age(api: httpx.AsyncClient, queue: str = "default", **ageing: int) -> Any:
    body = {"ageing_seconds": ageing or AGEING}
    answer = await api.put(f"/admin/queues/{queue}/settings", json=body)
    assert answer.status_code == 200, answer.text
    return moment(answer.json()["in_force_at"])


async def claimed(api: httpx.AsyncClient, limit: int = 1, **fields: Any) -> list[int]:
    return [lease["task"]["id"] for lease in await claim(api, limit=limit, **fields)]


async def test_an_overdue_task_is_before_a_higher_one_that_came_later(
    api: httpx.AsyncClient, session: Session
) -> None:
    await age(api)
    new, old = waiting("高", 10), waiting("高", 4000)
    just_due, not_due = waiting("低", 3620), waiting("低", 3590)
    medium = waiting("中", 700)

    assert await claimed(api, 10) == [old, medium, just_due, new, not_due]


async def test_each_claim_gets_the_next_in_the_order(
    api: httpx.AsyncClient, session: Session
) -> None:
    await age(api)
    low = [waiting("低", 3700 - n) for n in range(3)]
    high = [waiting("高", 98.5 - n) for n in range(3)]
    order = [low[0], low[1], high[0], low[2], high[1], high[2]]

    assert [await claimed(api) for _ in order] == [[task_id] for task_id in order]


async def test_without_ageing_and_in_other_queues_the_priority_decides(
    api: httpx.AsyncClient, session: Session
) -> None:
    await age(api, "mail")
    low, high = waiting("低", 10**6), waiting("高", 1)
    assert await claimed(api, 2) == [high, low]


async def test_queues_are_taken_in_the_order_of_the_call_each_in_its_own(
    api: httpx.AsyncClient, session: Session
) -> None:
    await age(api, "a")
    await age(api, "c", 中=60, 低=60)
    tasks = {
        queue: (waiting("高", 10, queue=queue), waiting("低", 4000, queue=queue)) for queue in "abc"
    }
    for _ in range(40):  # beyond a few they are looked for in another way
        waiting("中", 10, queue="z")
    (a_high, a_low), (b_high, b_low), (c_high, c_low) = tasks.values()

    queues = ["c", "none", "b", *(f"n{n}" for n in range(5)), "a"]
    expected = [c_low, c_high, b_high, b_low, a_low, a_high]
    assert await claimed(api, 3, queues=queues) == expected[:3]
    assert await claimed(api, 3, queues=queues) == expected[3:]


async def test_a_paused_queue_hands_out_nothing_however_overdue(
    api: httpx.AsyncClient, session: Session
) -> None:
    await age(api)
    low, high = waiting("低", 4000), waiting("高", 1)
    await api.post("/admin/queues/default/pause")
    assert await claimed(api, 2) == []
    await api.post("/admin/queues/default/resume")
    assert await claimed(api, 2) == [low, high]


async def test_a_rank_without_seconds_stays_behind(
    api: httpx.AsyncClient, session: Session
) -> None:
    await age(api, 中=600)
    low, high, medium = waiting("低", 10**6), waiting("高", 1), waiting("中", 700)
    assert await claimed(api, 3) == [medium, high, low]


async def test_a_switch_acts_within_about_a_second_in_every_process(
    api: httpx.AsyncClient, settings: Settings, session: Session, engine: Engine
) -> None:
    async with serving(settings) as other:
        apis = (api, other)

        async def first_is(expected: str, in_force_at: Any) -> None:
            # Each process has just looked at the settings, and has to learn of the change.
            while mysql_now(engine) < in_force_at:  # noqa: ASYNC110  (it is MySQL's time)
                await asyncio.sleep(0.02)
            for each in apis:
                for _ in range(2):
                    waiting("低", 4000)
                    waiting("高", 10)
                    first, second = await claim(each, limit=2)
                    assert first["task"]["priority"] == expected
                    await complete(each, first)
                    await complete(each, second)

        await first_is("高", mysql_now(engine))
        await first_is("低", await age(api))
        answer = await other.put("/admin/queues/default/settings", json={})
        await first_is("高", moment(answer.json()["in_force_at"]))


async def test_tables_that_were_emptied_are_a_change_too(
    api: httpx.AsyncClient, session: Session, engine: Engine
) -> None:
    await age(api)
    tasks = [waiting("低", 4000), waiting("高", 10), waiting("低", 4000), waiting("高", 10)]
    assert await claimed(api, 1) == [tasks[0]]
    with engine.begin() as connection:
        for table in ("settings_version", "queue_settings"):
            connection.execute(text(f"DELETE FROM {table}"))
    await asyncio.sleep(1.1)
    assert await claimed(api, 3) == [tasks[1], tasks[3], tasks[2]]


Counted = Callable[..., Awaitable[list[Statement]]]


@pytest.fixture
def counted(resources: Resources) -> Counted:
    """The statements of a claim, the clock's apart; nothing of it stays but the memory."""

    async def sent(memory: ClaimMemory, *queues: str, limit: int = 2) -> list[Statement]:
        call = LeaseCall(claim=Claim("w", queues or ("default",), limit))
        work = partial(lifecycle.finish_and_claim, calls=[call], memory=memory, given_out=[])
        return await sent_by(resources.database, work, about="")

    return sent


def texts(statements: Sequence[Statement]) -> list[str]:
    return [statement.text for statement in statements]


async def test_while_nothing_is_overdue_the_statements_are_those_of_a_queue_that_does_not_age(
    api: httpx.AsyncClient, session: Session, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The one must not look again, nor stop earlier, since the machine stood still meanwhile.
    monkeypatch.setattr("app.queue.attempts.claim_marks.REMEMBERED_SECONDS", 3600)
    monkeypatch.setattr("app.queue.attempts.claiming.CLAIM_SECONDS", 3600)
    for priority in "高中低":
        for _ in range(3):
            waiting(priority, 500)
    without, ageing = ClaimMemory(), ClaimMemory()
    for limit in (2, 2, 5, 100):
        expected = texts(await counted(without, limit=limit))
        assert len([each for each in expected if each == CLAIM]) <= 3
        await age(api)
        assert texts(await counted(ageing, limit=limit))[-len(expected) :] == expected
        await api.put("/admin/queues/default/settings", json={})


async def test_settings_are_read_when_there_is_a_new_version_and_only_then(
    api: httpx.AsyncClient, session: Session, counted: Counted, resources: Resources
) -> None:
    memory = ClaimMemory()

    async def reads() -> int:
        return len([t for t in texts(await counted(memory)) if "queue_settings" in t])

    assert [await reads(), await reads()] == [0, 0], "no version, nothing to read"
    for _ in range(2):
        await age(api)
        for forget in resources.database.on_server_change:  # the clock's second is over
            forget()
        assert [await reads(), await reads()] == [1, 0]


async def test_with_something_overdue_it_is_one_plain_read_more_and_a_claim_for_each_rank(
    api: httpx.AsyncClient, session: Session, counted: Counted
) -> None:
    await age(api)
    for _ in range(3):
        waiting("高", 10)
        waiting("低", 3605)
    waiting("低", 10)
    memory = ClaimMemory()
    await counted(memory)

    sent = await counted(memory, limit=5)
    looks = [s for s in sent if s.text.startswith("(SELECT claim_rank")]
    claims = [s for s in sent if s.text == CLAIM]
    assert len(looks) == 1
    assert "FOR UPDATE" not in looks[0].text
    assert sorted(s.values[-1] for s in claims) == [2, 3]
    # All else is what it is without: the look at ranks that may be dry, and the writes.
    assert len([s for s in sent if s not in looks + claims and "SELECT" in s.text]) <= 1


async def test_the_time_and_the_version_are_one_statement_a_second(
    api: httpx.AsyncClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    await age(api)
    sent: list[str] = []
    execute = Connection._execute

    async def noted(self: Connection, statement: str, *rest: Any) -> Any:
        sent.append(statement)
        return await execute(self, statement, *rest)

    monkeypatch.setattr(Connection, "_execute", noted)
    for _ in range(30):
        waiting("低", 4000)
        await claimed(api)
    asked = [each for each in sent if "settings_version" in each or "UTC_TIMESTAMP" in each]
    assert len([each for each in asked if each.startswith("SELECT UTC_TIMESTAMP(6), (")]) <= 5
    assert not [each for each in sent if each == "SELECT UTC_TIMESTAMP(6)"]


def step(limit: int, *queues: str) -> Callable[[Connection], Awaitable[list[int]]]:
    """A claim by another process, which knows the settings."""

    async def work(connection: Connection) -> list[int]:
        call = LeaseCall(claim=Claim("other", queues or ("default",), limit))
        batch = await lifecycle.finish_and_claim(
            connection, calls=[call], memory=ClaimMemory(), given_out=[]
        )
        return [task.id for task in batch.answers[0].claimed]

    return work


async def test_what_others_hold_is_skipped_and_nobody_waits_for_it(
    api: httpx.AsyncClient, session: Session, resources: Resources
) -> None:
    await age(api)
    low = [waiting("低", 4000 - n) for n in range(4)]
    high = [waiting("高", 50 - n) for n in range(4)]
    medium = waiting("中", 20)
    async with held_open(resources.database, step(4)) as held:
        assert held == low
        # The look has seen four of 低, all held: their places go to others.
        assert await claimed(api, 3) == high[:3]
        assert await claimed(api, 9) == [high[3], medium]
        assert await claimed(api, 9) == []


async def test_two_batches_at_once_share_an_overdue_rank(
    api: httpx.AsyncClient, session: Session, resources: Resources
) -> None:
    await age(api)
    low = [waiting("低", 4000 - n) for n in range(5)]
    high = waiting("高", 50)
    async with held_open(resources.database, step(2)) as held:
        assert held == low[:2]
        assert await claimed(api, 2) == low[2:4]
        assert await claimed(api, 2) == [low[4], high]


async def test_of_large_tasks_the_first_in_the_order_are_taken(
    api: httpx.AsyncClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    await age(api)
    monkeypatch.setattr(claiming, "CLAIM_BYTES", 5000)
    text_of = {"payload": f'"{"x" * 1500}"'}
    low = [waiting("低", 3700 - n, **text_of) for n in range(6)]
    high = [waiting("高", 98.5 - n, **text_of) for n in range(6)]
    order = [low[0], low[1]]
    for n in range(4):
        order += [high[n], low[n + 2]]
    order += high[4:]

    found: list[int] = []
    while batch := await claimed(api, 10):
        assert len(batch) < 6, "the size of a batch is limited"
        found += batch
    assert found == order
