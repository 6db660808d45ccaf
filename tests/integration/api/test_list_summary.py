"""`GET /tasks?view=summary`: small, whatever the tasks have in them."""

from typing import Any

import httpx
import pytest

from tests.support.calls import Document, claim_one, complete, fail, submit

LONG = ("description", "payload", "result")


async def summaries(api: httpx.AsyncClient, **params: Any) -> list[Document]:
    answer = await api.get("/tasks", params={"view": "summary", **params})
    assert answer.status_code == 200, answer.text
    return list(answer.json())


async def test_a_summary_is_the_task_without_what_may_be_long(api: httpx.AsyncClient) -> None:
    task = await submit(api, description="d" * 1000, payload={"任务": [1, "x" * 1000]}, tags=["a"])
    (summary,) = await summaries(api)

    sizes = {"error": None, "error_bytes": None, "payload_bytes": 1017, "result_bytes": 0}
    assert summary == {n: v for n, v in task.items() if n not in LONG} | sizes


@pytest.mark.parametrize(
    ("result", "result_bytes"), [(None, 0), (0, 1), ("", 2), ({"a": "高" * 500}, 1508)]
)
async def test_the_sizes_are_those_of_the_json_as_it_is_now(
    api: httpx.AsyncClient, result: Any, result_bytes: int
) -> None:
    task = await submit(api)
    assert [(t["payload_bytes"], t["result_bytes"]) for t in await summaries(api)] == [(0, 0)]
    for payload, size in (("x" * 98, 100), (None, 0), ([], 2)):
        await api.patch(f"/tasks/{task['id']}", json={"payload": payload})
        assert [t["payload_bytes"] for t in await summaries(api)] == [size]
    await complete(api, await claim_one(api), result)

    (done,) = await summaries(api)
    assert (done["payload_bytes"], done["result_bytes"]) == (2, result_bytes)


async def test_of_tasks_stored_together_each_has_its_own_sizes(api: httpx.AsyncClient) -> None:
    tasks = [{"title": "x", "payload": "x" * size} for size in range(20)]
    await api.post("/tasks/batch", json={"tasks": tasks})
    items = []
    for lease in (await api.post("/leases", json={"worker": "w", "limit": 20})).json():
        result = lease["task"]["payload"] * 2
        items.append({"lease_id": lease["lease_id"], "outcome": "complete", "result": result})
    await api.post("/leases/finish", json={"items": items})

    found = [(t["payload_bytes"], t["result_bytes"]) for t in await summaries(api, order="asc")]
    assert found == [(size + 2, 2 * size + 2) for size in range(20)]


async def test_an_error_is_shown_by_its_head(api: httpx.AsyncClient) -> None:
    for error in ("short", "错" * 300):
        await submit(api, retry_limit=0)
        await fail(api, await claim_one(api), error=error)

    long, short = await summaries(api)
    assert (short["error"], short["error_bytes"]) == ("short", 5)
    assert (long["error"], long["error_bytes"]) == ("错" * 256, 900)


async def test_a_page_has_all_its_tasks_however_large_they_are(api: httpx.AsyncClient) -> None:
    tasks = [{"title": "x", "payload": "x" * 262_000}] * 50
    assert (await api.post("/tasks/batch", json={"tasks": tasks})).status_code == 201
    full = await api.get("/tasks?limit=50")
    answer = await api.get("/tasks?limit=50&view=summary")

    assert "next" in full.links, "it ended early"
    assert "next" not in answer.links
    assert len(answer.json()) == 50
    assert len(answer.content) < 50_000


async def test_one_view_is_not_answered_with_the_other(api: httpx.AsyncClient) -> None:
    await submit(api, payload=1)
    for _ in range(2):  # from MySQL, and from the cache
        assert "payload" not in (await summaries(api))[0]
        for path in ("/tasks", "/tasks?view=full"):
            assert (await api.get(path)).json()[0]["payload"] == 1


async def test_both_views_have_the_same_cursors(api: httpx.AsyncClient) -> None:
    ids = [(await submit(api))["id"] for _ in range(3)]
    answer = await api.get("/tasks?limit=2&view=summary&order=asc")
    link = answer.links["next"]["url"]
    assert "view=summary" in link
    assert [t["id"] for t in (await api.get(link)).json()] == ids[2:]
    rest = await api.get(link.replace("view=summary", "view=full"))
    assert [t["id"] for t in rest.json()] == ids[2:]
