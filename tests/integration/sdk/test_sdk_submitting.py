"""Submitting by the SDK: one task or very many, never twice."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from rowlock import AsyncClient, NewTask
from rowlock.errors import InvalidRequestError
from tests.support.sdk import Face, Through, answer_lost, refused, request_lost

pytest_plugins = ["tests.support.sdk_clients"]


async def test_the_same_key_is_the_same_task(client: Face) -> None:
    first = await client.submit("once", idempotency_key="order-1")
    assert (await client.submit("once", idempotency_key="order-1")).id == first.id
    with pytest.raises(InvalidRequestError, match="another body"):
        await client.submit("twice", idempotency_key="order-1")
    batch = [{"title": "a"}, {"title": "b"}]
    stored = await client.submit_batch(batch, idempotency_key="order-2")
    assert await client.submit_batch(batch, idempotency_key="order-2") == stored


@pytest.mark.parametrize("fault", [answer_lost, request_lost, refused(503), refused(429)])
async def test_a_submission_that_is_tried_again_makes_one_task(
    client: Face, through: Through, fault: object
) -> None:
    through.spoil("POST /tasks", fault, fault)  # type: ignore[arg-type]
    task = await client.submit("a task")
    assert through.count("POST /tasks") == 3
    assert [task.id for task in await client.list()] == [task.id]


async def test_many_are_stored_in_order_batch_by_batch(client: Face, through: Through) -> None:
    seen: list[int] = []
    through.spoil("POST /tasks/batch", request_lost, answer_lost)
    ids = await client.submit_many(
        ({"title": f"task {n}"} for n in range(25)), batch_size=10, progress=seen.append
    )
    assert seen == [10, 20, 25]
    stored = await client.list(order="asc")
    assert [task.id for task in stored] == ids
    assert [task.title for task in stored] == [f"task {n}" for n in range(25)]


async def test_a_run_that_broke_off_is_repeated_whole(client: Face, through: Through) -> None:
    def tasks(good: int) -> list[NewTask]:
        return [{"title": "x" if n < good else ""} for n in range(5)]

    with pytest.raises(InvalidRequestError) as error:
        await client.submit_many(tasks(good=4), batch_size=2, idempotency_key="import")
    assert error.value.errors[0].field == "tasks.0.title"
    assert "The first 4 tasks are stored" in error.value.__notes__[0]
    ids = await client.submit_many(tasks(good=5), batch_size=2, idempotency_key="import")
    assert len(await client.list()) == len(set(ids)) == 5


async def test_batches_stay_below_the_servers_limit(client: Face, through: Through) -> None:
    big = "x" * 250_000
    ids = await client.submit_many({"title": "big", "payload": big} for _ in range(70))
    assert len(ids) == 70
    assert through.count("POST /tasks/batch") == 3
    assert max(len(body) for body in through.bodies) < 16 * 1024 * 1024


async def test_nothing_to_submit_asks_nothing(client: Face, through: Through) -> None:
    assert await client.submit_many([]) == []
    assert through.calls == []


async def test_tasks_may_come_from_an_async_iterable(sdk: AsyncClient) -> None:
    async def tasks() -> AsyncIterator[NewTask]:
        for title in "abc":
            await asyncio.sleep(0)
            yield {"title": title}

    ids = await sdk.submit_many(tasks(), batch_size=2)
    assert [(await sdk.get(i)).title for i in ids] == ["a", "b", "c"]
