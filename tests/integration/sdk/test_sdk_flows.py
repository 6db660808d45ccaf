"""Tasks that depend on each other, by the SDK."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from app.service import sweeping
from app.service.resources import Resources
from rowlock import AsyncClient, Client, Parent, RunningAttempt, Task, testing
from rowlock.client import flow_plan
from rowlock.errors import ConflictError, InvalidRequestError
from tests.support.flows import act, claimable, edges, end, statuses, waits
from tests.support.sdk import Face, Through, a_worker

pytest_plugins = ["tests.support.sdk_clients"]

BATCH = "POST /tasks/batch"


async def stored(client: Face, build: Callable[[Any], Any], **options: Any) -> Any:
    """What is built in the block of a flow, which is stored."""
    flow = await client.flow(**options)
    if hasattr(flow, "__aenter__"):
        async with flow:
            return build(flow)

    def blocking() -> Any:
        with flow:
            return build(flow)

    return await asyncio.to_thread(blocking)


async def test_a_task_waits_for_others(client: Face, api: httpx.AsyncClient) -> None:
    first = await client.submit("extract")
    second = await client.submit("load", depends_on=[first], on_parent_failure="run")
    third = await client.submit("check", blocks=[second.id])
    assert second.waiting_on == "tasks"
    found = await client.dependencies(second.id)
    assert (found.total, found.unmet) == (2, 2)
    assert [task.id for task in found.tasks] == [first.id, third.id]
    children = await client.dependencies(first.id, direction="children")
    assert [(task.id, task.status) for task in children.tasks] == [(second.id, "to_do")]
    assert await claimable(api) == [first.id, third.id]


async def test_an_error_of_one_is_its_own(client: Face, through: Through) -> None:
    other, *outcomes = await asyncio.gather(
        client.submit("fine"),
        *(client.submit("x", depends_on=[number]) for number in (888, 999)),
        return_exceptions=True,
    )
    assert isinstance(other, Task)
    for number, error in zip((888, 999), outcomes, strict=True):
        assert isinstance(error, InvalidRequestError)
        assert error.errors == [("depends_on.0", f"There is no task {number}.")]
    assert through.count("POST /tasks") == 3


async def test_a_batch_names_its_own_by_ref(client: Face, engine: Engine) -> None:
    tasks = await client.submit_batch(
        [{"title": "a", "ref": "a"}, {"title": "b", "depends_on": ["a"]}]
    )
    assert edges(engine) == [(tasks[0].id, tasks[1].id)]


async def test_a_flow_goes_in_one_call(client: Face, through: Through, engine: Engine) -> None:
    before = await client.submit("before")
    through.calls.clear()

    def build(flow: Any) -> Any:
        rows = flow.submit("extract", name="2", queue="q", payload={"day": 1})
        more = flow.submit("extract more", depends_on=[before])
        last = flow.submit("load", depends_on=[rows, more, rows], on_parent_failure="run")
        with pytest.raises(RuntimeError, match="not stored"):
            _ = last.id
        return rows, more, last

    rows, more, last = await stored(client, build)
    assert through.calls == [BATCH]
    assert (rows.task.queue, rows.task.payload) == ("q", {"day": 1})
    assert edges(engine) == [(before.id, more.id), (rows.id, last.id), (more.id, last.id)]
    assert last.task.waiting_on == "tasks"


async def test_a_flow_that_raises_stores_nothing(client: Face, through: Through) -> None:
    def build(flow: Any) -> None:
        flow.submit("a")
        raise KeyError("day")

    with pytest.raises(KeyError):
        await stored(client, build)
    await stored(client, lambda flow: None)
    assert through.calls == []


async def test_a_flow_with_a_key_is_stored_once(client: Face) -> None:
    def build(flow: Any) -> Any:
        return flow.submit("b", depends_on=[flow.submit("a")])

    first = await stored(client, build, idempotency_key="day-1")
    again = await stored(client, build, idempotency_key="day-1")
    assert again.id == first.id


def test_a_name_is_one_task_and_a_member_of_one_flow() -> None:
    with Client("http://127.0.0.1:1") as client:
        flow, other = client.flow(), client.flow()
        flow.submit("a", name="a")
        with pytest.raises(ValueError, match="named 'a'"):
            flow.submit("b", name="a")
        with pytest.raises(ValueError, match="another flow"):
            flow.submit("b", depends_on=[other.submit("a")])
        with flow:
            flow._members.clear()
        with pytest.raises(RuntimeError, match="has ended"):
            flow.submit("c")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_plan, "BATCH_LIMIT", 4)
    monkeypatch.setattr(flow_plan, "PARENTS_LIMIT", 4)


@pytest.mark.usefixtures("small")
async def test_a_large_flow_goes_batch_by_batch(
    client: Face, through: Through, engine: Engine
) -> None:
    def build(flow: Any) -> list[Any]:
        chain = [flow.submit("0")]
        for number in range(1, 10):
            chain.append(flow.submit(str(number), depends_on=chain[-1:]))
        return chain

    chain = await stored(client, build)
    assert through.calls == [BATCH] * 3
    ids = [member.id for member in chain]
    assert edges(engine) == [*pairwise(ids)]


@pytest.mark.usefixtures("small")
async def test_a_task_may_depend_on_more_than_a_call_can_say(
    client: Face, engine: Engine, api: httpx.AsyncClient
) -> None:
    def build(flow: Any) -> tuple[list[Any], Any, Any]:
        many = [flow.submit(f"part {n}", name=f"part {n}") for n in range(11)]
        many.append(flow.submit("sum", depends_on=many[:1]))
        last = flow.submit("all", depends_on=many)
        return many, last, flow.submit("after", depends_on=[last])

    many, last, after = await stored(client, build)
    assert waits(engine) == {many[-1].id: 1, last.id: 12, after.id: 1}
    found = await client.dependencies(last.id)
    assert {task.id for task in found.tasks} == {member.id for member in many}
    assert await claimable(api) == sorted(member.id for member in many[:-1])


@pytest.mark.usefixtures("small")
async def test_what_cannot_be_added_later_is_told_before_anything_is_sent(
    client: Face, through: Through
) -> None:
    def build(flow: Any) -> None:
        first = flow.submit("first")
        flow.submit("all", depends_on=[flow.submit("x", depends_on=[first]) for _ in range(5)])

    with pytest.raises(ValueError, match="of which 5 depend on others"):
        await stored(client, build)
    assert through.calls == []


@pytest.mark.usefixtures("small")
async def test_what_is_stored_of_a_flow_that_breaks_off_is_said(client: Face) -> None:
    def build(flow: Any) -> None:
        for number in range(5):
            flow.submit("x", depends_on=[999] if number == 4 else [])

    with pytest.raises(InvalidRequestError) as error:
        await stored(client, build)
    assert "first 4 tasks of the flow are stored" in error.value.__notes__[0]


async def test_management_goes_along(
    client: Face, api: httpx.AsyncClient, resources: Resources
) -> None:
    first = await client.submit("a")
    second = await client.submit("b", depends_on=[first])
    both = {"id": first.id}, {"id": second.id}
    await end(api, {"id": first.id}, "fail")
    await sweeping.end_waits(resources)
    with pytest.raises(ConflictError, match=f"depends on task {first.id}"):
        await client.admin.retry(second.id)
    assert (await client.admin.retry(first.id, descendants=True)).status == "to_do"
    assert await statuses(api, *both) == ["to_do"] * 2
    assert (await client.admin.cancel(second.id, ancestors=True)).status == "cancelled"
    assert await statuses(api, *both) == ["cancelled"] * 2


def told(parents: list[Parent]) -> list[tuple[Any, ...]]:
    return [(p.name, p.status, p.result, p.error) for p in parents]


@pytest.mark.parametrize("kind", ["plain", "coroutine"])
async def test_a_handler_has_what_became_of_its_parents(
    sdk: AsyncClient, through: Through, api: httpx.AsyncClient, kind: str
) -> None:
    worker = a_worker(through)
    seen: list[list[tuple[Any, ...]]] = []

    @worker.handler("extract")
    async def extract(task: Task) -> Any:
        return task.payload

    if kind == "plain":

        @worker.handler("load", retry_limit=0)
        def load(task: Task, attempt: RunningAttempt) -> None:
            seen.append(told([*attempt.parents()]))
    else:

        @worker.handler("load", retry_limit=0)
        async def load(task: Task, attempt: RunningAttempt) -> None:
            with pytest.raises(RuntimeError, match="parents_async"):
                next(attempt.parents())
            seen.append(told([parent async for parent in attempt.parents_async()]))

    async with sdk.flow() as flow:
        rows = flow.submit("extract", name="rows", payload=[1, 2])
        gone = flow.submit("extract", name="gone")
        flow.submit("load", depends_on=[rows, gone], on_parent_failure="run")
    await act(api, {"id": gone.id}, "cancel")
    await worker.run_async(drain=True)
    expected = [("rows", "done", [1, 2], None), ("gone", "cancelled", None, None)]
    assert seen == [expected]

    made = await testing.run_async(
        load, parents=[{"name": "rows", "result": (1, 2)}, {"name": "gone", "status": "cancelled"}]
    )
    assert made.status == "done"
    assert seen == [expected] * 2


async def test_parents_come_page_by_page(sdk: AsyncClient, through: Through) -> None:
    worker = a_worker(through)
    seen: list[int] = []

    @worker.handler("part")
    async def part(task: Task) -> str:
        return "x" * 250_000

    @worker.handler("sum")
    def total(task: Task, attempt: RunningAttempt) -> None:
        seen.extend(parent.id for parent in attempt.parents())

    async with sdk.flow() as flow:
        parts = [flow.submit("part") for _ in range(40)]
        flow.submit("sum", depends_on=parts)
    await worker.run_async(drain=True)
    assert seen == [member.id for member in parts]
    assert through.count("GET /leases/parents") > 1
