"""What becomes of a task when one that it depends on does not end well."""

from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from app.mysql.connection import Connection
from app.queue.sweeps import retention
from app.queue.sweeps import waits as waits_sweep
from app.service import sweeping
from app.service.resources import Resources
from tests.support.calls import get, problem, submit
from tests.support.flows import act, batch, child_of, claimable, edges, end, statuses, waits

RUN = {"on_parent_failure": "run"}


async def end_badly(api: httpx.AsyncClient, task: dict[str, int], how: str) -> None:
    if how == "failed":
        await end(api, task, "fail")
    elif how == "cancelled":
        await act(api, task, "cancel")
    else:
        assert (await api.delete(f"/tasks/{task['id']}")).status_code == 204


@pytest.mark.parametrize(
    ("how", "said"),
    [("failed", "has failed"), ("cancelled", "is cancelled"), ("deleted", "was deleted")],
)
async def test_it_is_cancelled_with_all_that_waits_for_it(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, how: str, said: str
) -> None:
    parent, other = await submit(api), await submit(api)
    child = await child_of(api, parent, other)
    grandchild = await child_of(api, child)
    await end_badly(api, parent, how)

    assert await sweeping.end_waits(resources) == 2
    found = await get(api, child["id"])
    assert found["status"] == "cancelled"
    assert found["error"] == f"dependency {parent['id']} {said}"
    assert (await get(api, grandchild["id"]))["error"] == f"dependency {child['id']} is cancelled"
    assert waits(engine) == {}
    assert await claimable(api) == [other["id"]]


@pytest.mark.parametrize("how", ["failed", "cancelled", "deleted"])
async def test_it_runs_all_the_same_if_it_shall(
    api: httpx.AsyncClient, engine: Engine, how: str
) -> None:
    parent, other = await submit(api), await submit(api)
    child = await child_of(api, parent, other, **RUN)
    await end_badly(api, parent, how)
    assert (await get(api, child["id"]))["waiting_on"] == "tasks"
    await end(api, other)
    assert await claimable(api) == [child["id"]]
    assert waits(engine) == {}


async def test_a_chain_of_a_thousand_is_cancelled_in_one_sweep(
    api: httpx.AsyncClient, resources: Resources
) -> None:
    items = [{"ref": str(n), "depends_on": [str(n - 1)] if n else []} for n in range(1000)]
    tasks = await batch(api, *items)
    await act(api, tasks[0], "cancel")
    assert await sweeping.end_waits(resources) == 999
    assert (await statuses(api, tasks[500], tasks[-1])) == ["cancelled"] * 2


async def test_a_paused_one_is_cancelled_too(api: httpx.AsyncClient, resources: Resources) -> None:
    parent = await submit(api)
    child = await child_of(api, parent)
    await act(api, child, "pause")
    await act(api, parent, "cancel")
    await sweeping.end_waits(resources)
    assert await statuses(api, child) == ["cancelled"]


async def test_nobody_can_depend_on_what_has_failed(api: httpx.AsyncClient, engine: Engine) -> None:
    parent = await submit(api)
    await end(api, parent, "fail")
    answer = await api.post("/tasks", json={"title": "t", "depends_on": [parent["id"]]})
    assert problem(answer, 409).model_extra["dependency"] == parent["id"]  # type: ignore[index]
    assert "has failed" in answer.json()["detail"]
    assert edges(engine) == []
    child = await child_of(api, parent, **RUN)
    assert await claimable(api) == [child["id"]]


async def test_a_parent_that_fails_and_is_retried_counts_once(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    parent, other = await submit(api), await submit(api)
    child = await child_of(api, parent, other, **RUN)
    for _ in range(3):
        await end(api, parent, "fail")
        assert waits(engine) == {child["id"]: 1}
        await act(api, parent, "retry")
        assert waits(engine) == {child["id"]: 2}
    await end(api, parent)
    assert waits(engine) == {child["id"]: 1}
    await end(api, other)
    assert await claimable(api) == [child["id"]]


async def test_a_parent_that_is_retried_in_time_cancels_nobody(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    parent = await submit(api)
    child = await child_of(api, parent)
    await end(api, parent, "fail")
    await act(api, parent, "retry")
    assert await sweeping.end_waits(resources) == 0
    assert waits(engine) == {child["id"]: 1}
    await end(api, parent)
    assert await claimable(api) == [child["id"]]


async def test_that_one_is_retried_saves_nobody_from_another_failure(
    api: httpx.AsyncClient, resources: Resources
) -> None:
    first, second = await submit(api), await submit(api)
    child = await child_of(api, first, second)
    await end(api, first, "fail")
    await end(api, second, "fail")
    await act(api, first, "retry")
    await sweeping.end_waits(resources)
    found = await get(api, child["id"])
    assert found["error"] == f"dependency {second['id']} has failed"


@pytest.mark.parametrize("fails_before", [True, False])
async def test_that_one_is_retried_saves_nobody_from_a_deletion(
    api: httpx.AsyncClient, resources: Resources, *, fails_before: bool
) -> None:
    first, second = await submit(api), await submit(api)
    child = await child_of(api, first, second)
    await end(api, first, "fail")
    if fails_before:
        await end(api, second, "fail")
    await api.delete(f"/tasks/{second['id']}")
    await act(api, first, "retry")
    await sweeping.end_waits(resources)
    found = await get(api, child["id"])
    assert found["error"] == f"dependency {second['id']} was deleted"


async def test_one_that_fails_while_the_sweep_looks_at_another_is_not_missed(
    api: httpx.AsyncClient, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await submit(api), await submit(api)
    child = await child_of(api, first, second)
    await end(api, first, "fail")
    await act(api, first, "retry")
    look = waits_sweep._pairs

    async def look_early(connection: Connection, statement: str, ids: set[int]) -> dict[int, Any]:
        found = await look(connection, statement, ids)
        if statement == waits_sweep._FAILED:
            monkeypatch.setattr(waits_sweep, "_pairs", look)
            await end(api, second, "fail")
        return found

    monkeypatch.setattr(waits_sweep, "_pairs", look_early)
    await sweeping.end_waits(resources)
    found = await get(api, child["id"])
    assert found["error"] == f"dependency {second['id']} has failed"


async def test_a_retry_waits_again(api: httpx.AsyncClient, resources: Resources) -> None:
    parent = await submit(api)
    child = await child_of(api, parent)
    await end(api, parent, "fail")
    await sweeping.end_waits(resources)
    refused = await api.post(f"/admin/tasks/{child['id']}/retry")
    assert problem(refused, 409).model_extra["dependency"] == parent["id"]  # type: ignore[index]

    await act(api, parent, "retry")
    again = await act(api, child, "retry")
    assert (again["status"], again["waiting_on"], again["error"]) == ("to_do", "tasks", None)
    assert await claimable(api) == [parent["id"]]
    await end(api, parent)
    assert await claimable(api) == [child["id"]]


async def test_a_retry_with_descendants_retries_what_was_cancelled_for_it(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    top, left, right, bottom, by_hand = await batch(
        api,
        {"ref": "top"},
        {"ref": "left", "depends_on": ["top"]},
        {"ref": "right", "depends_on": ["top"]},
        {"depends_on": ["left", "right"]},
        {"depends_on": ["top"]},
    )
    await act(api, by_hand, "cancel")
    await end(api, top, "fail")
    await sweeping.end_waits(resources)
    assert await statuses(api, left, right, bottom) == ["cancelled"] * 3

    await act(api, top, "retry?descendants=true")
    assert await statuses(api, top, left, right, bottom) == ["to_do"] * 4
    assert await statuses(api, by_hand) == ["cancelled"]
    assert waits(engine) == {left["id"]: 1, right["id"]: 1, bottom["id"]: 2}
    for task in (top, left, right, bottom):
        await end(api, task)
    assert waits(engine) == {}


async def test_all_of_a_flow_may_be_retried_at_once(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    tasks = await batch(api, {"ref": "a"}, {"ref": "b", "depends_on": ["a"]}, {"depends_on": ["b"]})
    await act(api, tasks[0], "cancel")
    await sweeping.end_waits(resources)
    answer = await api.post("/admin/tasks/retry", params={"status": "cancelled"})
    assert answer.json()["changed"] == 3
    assert waits(engine) == {tasks[1]["id"]: 1, tasks[2]["id"]: 1}


async def test_a_flow_is_cancelled_by_its_last_task(api: httpx.AsyncClient, engine: Engine) -> None:
    shared, own, middle, last, other = await batch(
        api,
        {"ref": "shared"},
        {"ref": "own"},
        {"ref": "middle", "depends_on": ["own", "shared"]},
        {"depends_on": ["middle"]},
        {"depends_on": ["shared"]},
    )
    await act(api, last, "cancel?ancestors=true")
    assert await statuses(api, own, middle, last) == ["cancelled"] * 3
    assert await statuses(api, shared, other) == ["to_do"] * 2
    assert waits(engine) == {other["id"]: 1}


@pytest.mark.parametrize("call", ["cancel?descendants=true", "pause?ancestors=true"])
async def test_each_goes_one_way_only(api: httpx.AsyncClient, call: str) -> None:
    task = await submit(api)
    name = call.partition("?")[2].partition("=")[0]
    problem(await api.post(f"/admin/tasks/{task['id']}/{call}"), 422, name)
    assert await statuses(api, task) == ["to_do"]


async def test_a_deletion_leaves_no_row_behind(api: httpx.AsyncClient, engine: Engine) -> None:
    parent = await submit(api)
    child = await child_of(api, parent)
    grandchild = await child_of(api, child)
    for task in (child, grandchild, parent):
        assert (await api.delete(f"/tasks/{task['id']}")).status_code == 204
    assert edges(engine) == []
    assert waits(engine) == {}


async def test_a_flow_is_deleted_at_once(api: httpx.AsyncClient, engine: Engine) -> None:
    await batch(api, {"ref": "a"}, {"ref": "b", "depends_on": ["a"]}, {"depends_on": ["b"]})
    answer = await api.post("/admin/tasks/delete", params={"status": "to_do"})
    assert answer.json()["changed"] == 3
    assert edges(engine) == []
    assert waits(engine) == {}


async def test_what_is_needed_yet_is_kept(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    parent, other = await submit(api), await submit(api)
    child = await child_of(api, parent, other)
    await end(api, parent)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE tasks SET updated_at = updated_at - INTERVAL 9 DAY WHERE id = %s",
            (parent["id"],),
        )

    async def swept() -> int:
        gone = await resources.database.transact(
            lambda connection: retention.delete_ended(connection, ids=[parent["id"]], days=1)
        )
        return len(gone)

    assert await swept() == 0
    await end(api, other)
    await end(api, child)
    assert await swept() == 1
    assert edges(engine) == [(other["id"], child["id"])]
