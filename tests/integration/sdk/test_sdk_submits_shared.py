"""Submits at the same time: they share calls, and each keeps its own answer or error."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from rowlock import AsyncClient, InvalidRequestError, UnreachableError
from tests.support.sdk import Face, Held, Through, answer_lost, face_of, refused

pytest_plugins = ["tests.support.sdk_clients"]

ALONE = "POST /tasks"
SHARED = "POST /tasks/batch"


async def under_way(through: Through) -> tuple[Held, Held]:
    """Both calls that may be under way, held with their answers there, before any other."""
    held = Held(), Held()
    through.spoil(ALONE, *held)
    return held


async def behind(
    client: Face, through: Through, *titles: str
) -> tuple[list[asyncio.Task[Any]], list[asyncio.Task[Any]], tuple[Held, Held]]:
    """Two submits whose answers are held, and those with these titles, which wait for them."""
    held = await under_way(through)
    first = []
    for n, each in enumerate(held):
        first.append(asyncio.ensure_future(client.submit(f"first {n}")))
        await each.is_there.wait()
    rest = [asyncio.ensure_future(client.submit(title)) for title in titles]
    await waiting(client, len(titles))
    return first, rest, held


async def waiting(client: Face, count: int) -> None:
    """Return when so many submits wait for others' calls."""
    line = client._client._submits._line
    while len(line._waiting) < count:  # noqa: ASYNC110  (a thread may be what joins)
        await asyncio.sleep(0)


async def in_time(done: Awaitable[list[Any]]) -> list[Any]:
    async with asyncio.timeout(20):
        return await done


async def test_one_alone_goes_alone(client: Face, through: Through) -> None:
    for n in range(3):
        await client.submit(f"task {n}")
    assert through.calls == [ALONE] * 3


async def test_those_that_wait_go_together(client: Face, through: Through) -> None:
    titles = ["a", "b", "c", "d"]
    first, rest, held = await behind(client, through, *titles)
    assert through.count(SHARED) == 0
    held[0].let_go.set()
    tasks = await in_time(asyncio.gather(*rest))
    assert [task.title for task in tasks] == titles
    assert through.calls == [ALONE, ALONE, SHARED]
    held[1].let_go.set()
    await in_time(asyncio.gather(*first))
    assert len(await client.list()) == 6


async def test_who_comes_while_a_large_call_hangs_is_not_held_up(
    client: Face, through: Through
) -> None:
    first, rest, held = await behind(client, through, "a", "b", "c")
    hanging = Held()
    through.spoil(SHARED, hanging)
    held[0].let_go.set()
    await hanging.is_there.wait()
    held[1].let_go.set()
    await in_time(asyncio.gather(*first))
    async with asyncio.timeout(20):
        assert (await client.submit("late")).title == "late"
    assert not any(each.done() for each in rest)
    hanging.let_go.set()
    await in_time(asyncio.gather(*rest))


async def test_an_error_is_its_own_callers(client: Face, through: Through) -> None:
    first, rest, held = await behind(client, through, "good", "", "also good")
    for each in held:
        each.let_go.set()
    good, bad, also_good = await in_time(asyncio.gather(*rest, return_exceptions=True))
    assert (good.title, also_good.title) == ("good", "also good")
    assert isinstance(bad, InvalidRequestError)
    assert [error.field for error in bad.errors] == ["title"]
    await in_time(asyncio.gather(*first))
    assert len(await client.list()) == 4
    # Whoever comes next finds the way free.
    await client.submit("next")
    assert through.calls[-1] == ALONE


async def test_an_answer_that_is_lost_stores_nothing_twice(client: Face, through: Through) -> None:
    first, rest, held = await behind(client, through, "a", "b")
    through.spoil(SHARED, answer_lost)
    held[0].let_go.set()
    tasks = await in_time(asyncio.gather(*rest))
    held[1].let_go.set()
    await in_time(asyncio.gather(*first))
    assert through.count(SHARED) == 2
    assert {task.title for task in await client.list()} == {"a", "b", "first 0", "first 1"}
    assert [task.title for task in tasks] == ["a", "b"]


async def test_what_does_not_get_through_is_an_error_of_each(through: Through) -> None:
    client = face_of("asyncio", through, retry_seconds=0)
    first, rest, held = await behind(client, through, "a", "b")
    through.spoil(SHARED, answer_lost)
    held[0].let_go.set()
    errors = await in_time(asyncio.gather(*rest, return_exceptions=True))
    assert all(isinstance(error, UnreachableError) and error.may_have_happened for error in errors)
    assert errors[0] is not errors[1]
    held[1].let_go.set()
    await in_time(asyncio.gather(*first))
    await client.close()


async def test_what_may_be_stored_is_not_sent_alone_where_it_is_refused_then(
    client: Face, through: Through
) -> None:
    first, rest, held = await behind(client, through, "a", "b", "c", "d")
    through.spoil(SHARED, answer_lost, refused(422))
    held[0].let_go.set()
    ends = await in_time(asyncio.gather(*rest, return_exceptions=True))
    assert all(isinstance(end, UnreachableError) and end.may_have_happened for end in ends), ends
    held[1].let_go.set()
    await in_time(asyncio.gather(*first))
    titles = [task.title for task in await client.list()]
    assert sorted(titles) == ["a", "b", "c", "d", "first 0", "first 1"]


async def test_a_key_of_ones_own_is_for_that_task_alone(client: Face, through: Through) -> None:
    first, rest, held = await behind(client, through, "a")
    keyed = await client.submit("keyed", idempotency_key="0123456789abcdef")
    assert (await client.submit("keyed", idempotency_key="0123456789abcdef")).id == keyed.id
    assert through.calls == [ALONE] * 4
    for each in held:
        each.let_go.set()
    await in_time(asyncio.gather(*first, *rest))


async def test_who_waits_too_long_gives_up_and_nothing_is_sent(through: Through) -> None:
    for kind in ("blocking", "asyncio"):
        client = face_of(kind, through, retry_seconds=0.2, timeout_seconds=0.2)
        through.break_down(Held())
        # Two are under way; a third waits for them, and may go in their place as they give up.
        calls = []
        for n in range(3):
            calls.append(asyncio.ensure_future(client.submit(f"task {n}")))
            while len(through.calls) < min(n + 1, 2):  # noqa: ASYNC110  (likewise)
                await asyncio.sleep(0)
        errors = await in_time(asyncio.gather(*calls, return_exceptions=True))
        assert all(isinstance(error, UnreachableError) for error in errors), errors
        through.break_down(None)
        assert (await client.submit("next")).title == "next"
        through.calls.clear()
        await client.close()


async def test_a_caller_that_is_cancelled_submits_nothing(through: Through) -> None:
    client = face_of("asyncio", through)
    first, rest, held = await behind(client, through, "cancelled", "not")
    rest[0].cancel()
    for each in held:
        each.let_go.set()
    await in_time(asyncio.gather(*first, *rest, return_exceptions=True))
    assert {task.title for task in await client.list()} == {"first 0", "first 1", "not"}
    await client.close()


async def test_who_closes_the_client_leaves_nobody_waiting(through: Through) -> None:
    client = face_of("asyncio", through)
    first, rest, held = await behind(client, through, "a", "b")
    shared = Held()
    through.spoil(SHARED, shared)
    held[0].let_go.set()
    await shared.is_there.wait()
    late = asyncio.ensure_future(client.submit("late"))
    await waiting(client, 1)
    await client.close()
    held[1].let_go.set()
    ends = await in_time(asyncio.gather(*rest, late, *first, return_exceptions=True))
    assert [type(end) for end in ends[:3]] == [UnreachableError] * 3


async def test_a_server_that_is_not_available_is_asked_again(
    client: Face, through: Through
) -> None:
    first, rest, held = await behind(client, through, "a", "b")
    through.spoil(SHARED, refused(503))
    for each in held:
        each.let_go.set()
    assert [task.title for task in await in_time(asyncio.gather(*rest))] == ["a", "b"]
    await in_time(asyncio.gather(*first))


async def test_many_are_stored_once_each(sdk: AsyncClient, through: Through) -> None:
    tasks = await asyncio.gather(*(sdk.submit(f"task {n}", payload=n) for n in range(500)))
    assert [task.payload for task in tasks] == list(range(500))
    assert len({task.id for task in tasks}) == 500
    # As many as a batch takes with each call.
    assert through.calls == [SHARED] * 6
