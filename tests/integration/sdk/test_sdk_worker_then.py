"""Handlers that say what comes next: it is stored with the end of their attempt, once."""

from typing import Any

import pytest

from rowlock import AsyncClient, Done, RunningAttempt, Task, Worker, testing
from tests.support.sdk import FINISH, Through, a_worker, answer_lost, request_lost

pytest_plugins = ["tests.support.sdk_clients"]


@pytest.mark.parametrize("is_plain", [True, False], ids=["plain", "coroutine"])
async def test_each_step_stores_the_next(
    sdk: AsyncClient, through: Through, is_plain: bool
) -> None:
    worker = a_worker(through)

    def next_of(number: int) -> Any:
        if number == 3:
            return Done("the end")
        return Done(number, then=[step.new_task(number + 1, tags=["next"])])

    def plain(payload: int) -> Any:
        return next_of(payload)

    async def coroutine(payload: int) -> Any:
        return next_of(payload)

    step = worker.handler("step", priority="high")(plain if is_plain else coroutine)
    await step.submit_async(1, client=sdk)
    await worker.run_async(drain=True)
    tasks = [task async for task in sdk.list(order="asc")]
    assert [(task.payload, task.status, task.result) for task in tasks] == [
        *((1, "done", 1), (2, "done", 2), (3, "done", "the end"))
    ]
    assert [(task.tags, task.priority) for task in tasks] == [([], "高"), *[(["next"], "高")] * 2]


async def test_they_may_depend_on_each_other_and_on_what_ends(
    sdk: AsyncClient, through: Through
) -> None:
    worker = a_worker(through)

    @worker.handler("split")
    async def split(task: Task, attempt: RunningAttempt) -> Done:
        parts = ({"title": "part", "payload": n, "ref": f"{n}"} for n in range(3))
        last = {"title": "join", "depends_on": [task, "0", "1", "2"]}
        return Done(3, then=[*parts, last])  # type: ignore[list-item]

    @worker.handler("part")
    async def part(task: Task, attempt: RunningAttempt) -> int:
        return int(task.payload) ** 2

    @worker.handler("join")
    async def join(task: Task, attempt: RunningAttempt) -> Any:
        return sorted([parent.result async for parent in attempt.parents_async()])

    await sdk.submit("split")
    await worker.run_async(drain=True)
    (joined,) = [task async for task in sdk.list(title="join")]
    assert (joined.status, joined.result) == ("done", [0, 1, 3, 4])


async def test_told_again_it_is_stored_once(sdk: AsyncClient, through: Through) -> None:
    worker = a_worker(through)
    then = [{"title": "second", "queue": "later"}] * 2
    worker.handler("first")(lambda task, attempt: Done(then=then))  # type: ignore[arg-type]
    await sdk.submit("first")
    through.spoil(FINISH, answer_lost, request_lost, answer_lost)
    await worker.run_async(drain=True)
    assert through.count(FINISH) == 4
    assert [task.title async for task in sdk.list(order="asc")] == ["first", "second", "second"]


@pytest.mark.parametrize(
    ("then", "why"),
    [
        ([{"title": ""}], "submit.0.title"),
        ([{"title": "x"}] * 101, "submit"),
        ([{"title": "x", "depends_on": [10**9]}], "There is no task"),
        ([{"title": "x", "unique": {"key": "k", "conflict": "reject"}}], "unique key"),
        ([{"title": "x", "payload": object()}], "cannot be submitted"),
        ([{"title": "x", "available_at": "2030-01-01T00:00:00"}], "no time zone"),
    ],
)
async def test_what_cannot_be_stored_fails_the_task_and_no_other(
    sdk: AsyncClient, through: Through, then: Any, why: str
) -> None:
    worker = a_worker(through)
    later = "2999-01-01T00:00:00Z"
    holder = await sdk.submit("holder", unique={"key": "k"}, available_at=later)
    worker.handler("bad")(lambda task, attempt: Done(1, then=then))
    worker.handler("good")(lambda task, attempt: Done(2, then=[{"title": "x", "queue": "later"}]))
    bad, *good = [await sdk.submit(title) for title in ("bad", "good", "good")]
    await worker.run_async(drain=True)
    failed = await sdk.get(bad.id)
    assert (failed.status, failed.attempt, failed.result) == ("failed", 1, None)
    assert why in (failed.error or "")
    assert [(await sdk.get(task.id)).status for task in good] == ["done", "done"]
    stored = [task async for task in sdk.list(title="x")]
    assert {task.queue for task in stored} == {"later"}
    assert len(stored) == 2
    assert (await sdk.get(holder.id)).status == "to_do"


async def test_tests_see_what_would_be_stored() -> None:
    outcome = await testing.run_async(_handler(), 7)
    assert (outcome.status, outcome.result) == ("done", 8)
    assert outcome.then == [{"title": "next", "payload": 9}]
    assert (await testing.run_async(_handler(), 0)).then == []


def _handler() -> Any:
    worker = Worker()

    @worker.handler("first")
    def first(payload: int) -> Any:
        return Done(payload + 1, then=[{"title": "next", "payload": payload + 2}] * bool(payload))

    return first
