"""What a submission may say of other tasks, and the calls that say how these stand."""

from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from tests.support.calls import NO_LEASE, claim_one, problem, submit
from tests.support.flows import batch, edges
from tests.support.hostile import STRINGS
from tests.support.stored import everything_stored

A = {"title": "a", "ref": "a"}
MANY = {"title": "m", "depends_on": [*range(1, 1001)]}


async def refused(api: httpx.AsyncClient, items: list[Any], field: str, said: str) -> None:
    found = problem(await api.post("/tasks/batch", json={"tasks": items}), 422, field)
    assert said in found.detail


@pytest.mark.parametrize(
    ("items", "field", "said"),
    [
        ([{"title": "b", "depends_on": ["a"]}], "tasks.0.depends_on.0", "is no item's ref"),
        ([{"title": "b", "depends_on": ["a"]}, A], "tasks.0.depends_on.0", "earlier item"),
        ([A | {"depends_on": ["a"]}], "tasks.0.depends_on.0", "earlier item"),
        ([A, A], "tasks.1.ref", "is another item's too"),
        (
            [A | {"unique": {"key": "k"}}, {"title": "b", "depends_on": ["a"]}],
            "tasks.1.depends_on.0",
            "names an item with a unique key",
        ),
        ([A, {"title": "b", "depends_on": ["a", 99]}], "tasks.1.depends_on.1", "no task 99"),
        ([A | {"blocks": [99]}], "tasks.0.blocks.0", "no task 99"),
        ([A, {"title": "b", "depends_on": ["a"], "blocks": [1]}], "tasks.1.blocks", "left out"),
        ([A | {"on_parent_failure": "run"}], "tasks.0.on_parent_failure", "left out"),
        ([{"title": "b", "depends_on": [*range(1, 1002)]}], "tasks.0.depends_on", "1000"),
        ([{"title": "b", "blocks": [*range(1, 18)]}], "tasks.0.blocks", "16"),
        ([*[MANY] * 10, A | {"blocks": [1]}], "tasks", "at most 10,000 dependencies"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    api: httpx.AsyncClient, engine: Engine, items: list[Any], field: str, said: str
) -> None:
    await refused(api, items, field, said)
    assert not any(everything_stored(engine).values())


@pytest.mark.parametrize("name", ["ref", "depends_on"])
async def test_one_task_alone_has_no_ref(api: httpx.AsyncClient, name: str) -> None:
    body = {"title": "t", name: "a" if name == "ref" else ["a"]}
    problem(await api.post("/tasks", json=body), 422)


async def test_a_dependency_that_is_named_twice_is_one(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    parent = await submit(api)
    child = await submit(api, depends_on=[parent["id"]] * 1000)
    assert edges(engine) == [(parent["id"], child["id"])]


async def test_a_ref_is_kept_to_the_letter(api: httpx.AsyncClient) -> None:
    refs = sorted({text[:64] for text in STRINGS})
    items = [{"title": "t", "ref": ref} for ref in refs]
    *parents, child = await batch(api, *items, {"depends_on": refs})
    found = (await api.get(f"/tasks/{child['id']}/dependencies")).json()
    assert {task["id"]: task["name"] for task in found["tasks"]} == {
        parent["id"]: ref for parent, ref in zip(parents, refs, strict=True)
    }


async def test_both_ends_say_their_titles(api: httpx.AsyncClient) -> None:
    parent, child = await batch(
        api, {"title": "一月报表", "ref": "rows"}, {"title": "Send it", "depends_on": ["rows"]}
    )
    for task, direction, other in ((child, "parents", parent), (parent, "children", child)):
        answer = await api.get(f"/tasks/{task['id']}/dependencies", params={"direction": direction})
        (found,) = answer.json()["tasks"]
        assert found == {"name": "rows"} | {f: other[f] for f in ("id", "title", "status")}


async def test_the_list_goes_on_by_its_link(api: httpx.AsyncClient) -> None:
    *parents, child = await batch(
        api, *[{"ref": str(n)} for n in range(5)], {"depends_on": [str(n) for n in range(5)]}
    )
    answer = await api.get(f"/tasks/{child['id']}/dependencies", params={"limit": 2})
    seen = [task["id"] for task in answer.json()["tasks"]]
    while "next" in answer.links:
        assert (answer.json()["total"], answer.json()["unmet"]) == (5, 5)
        answer = await api.get(str(answer.request.url.join(answer.links["next"]["url"])))
        seen += [task["id"] for task in answer.json()["tasks"]]
    assert seen == [parent["id"] for parent in parents]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("direction=up", "direction"),
        ("direction=", "direction"),
        ("cursor=made-up", "cursor"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("after=1", "after"),
    ],
)
async def test_a_wrong_query_is_refused_by_name(
    api: httpx.AsyncClient, query: str, field: str
) -> None:
    task = await submit(api)
    problem(await api.get(f"/tasks/{task['id']}/dependencies?{query}"), 422, field)


@pytest.mark.parametrize("query", ["cursor=made-up", "limit=0", "direction=parents"])
async def test_so_it_is_of_a_lease(api: httpx.AsyncClient, query: str) -> None:
    await submit(api)
    lease = await claim_one(api)
    answer = await api.get(f"/leases/{lease['lease_id']}/parents?{query}")
    problem(answer, 422, query.partition("=")[0])


async def test_a_cursor_is_of_its_own_list(api: httpx.AsyncClient) -> None:
    *_, child = await batch(api, {"ref": "a"}, {"ref": "b"}, {"depends_on": ["a", "b"]})
    answer = await api.get(f"/tasks/{child['id']}/dependencies", params={"limit": 1})
    cursor = httpx.URL(answer.links["next"]["url"]).params["cursor"]
    for path in (f"/tasks/{child['id']}", "/tasks/1"):
        query = {"cursor": cursor, "direction": "children"}
        problem(await api.get(f"{path}/dependencies", params=query), 422, "cursor")


async def test_parents_are_for_whoever_holds_the_lease(api: httpx.AsyncClient) -> None:
    problem(await api.get(f"/leases/{NO_LEASE}/parents"), 404)
    task = await submit(api)
    lease = await claim_one(api)
    assert (await api.get(f"/leases/{lease['lease_id']}/parents")).json() == []
    await api.post(f"/admin/tasks/{task['id']}/cancel")
    found = problem(await api.get(f"/leases/{lease['lease_id']}/parents"), 409)
    assert found.title == "Lease is gone"
    problem(await api.get("/tasks/999/dependencies"), 404)
