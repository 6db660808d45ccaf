"""A little of everything that clients, workers and management do."""

import httpx

from tests.support.calls import claim, complete, fail, get, submit
from tests.support.worker_calls import act, attempts, finish, heartbeat, release


async def a_working_day(api: httpx.AsyncClient) -> None:
    """A little of everything, each read right after its write."""
    ids = [(await submit(api, tags=["a"], retry_delay_seconds=0))["id"] for _ in range(4)]
    assert [task["id"] for task in (await api.get("/tasks?tag=a&order=asc")).json()] == ids
    await api.patch(f"/tasks/{ids[0]}", json={"title": "first"})
    assert (await get(api, ids[0]))["title"] == "first"

    first, second, third = await claim(api, limit=3, lease_seconds=30)
    assert await heartbeat(api, first, "half")
    await complete(api, first, {"a": 1})
    assert (await get(api, ids[0]))["result"] == {"a": 1}
    await fail(api, second, error="no")
    assert (await get(api, ids[1]))["status"] == "retrying"
    await release(api, third)
    assert (await get(api, ids[2]))["status"] == "to_do"

    await act(api, ids[3], "cancel")
    assert (await get(api, ids[3]))["status"] == "cancelled"
    again = await claim(api, limit=10)
    items = [{"lease_id": lease["lease_id"], "outcome": "complete"} for lease in again]
    assert {item["status"] for item in (await finish(api, *items))["items"]} == {200}
    assert len((await api.get("/tasks?status=done")).json()) == 3
    assert [a["outcome"] for a in await attempts(api, ids[1])] == ["failed", "done"]
    for task_id in ids:
        assert (await api.delete(f"/tasks/{task_id}")).status_code == 204
        assert (await api.get(f"/tasks/{task_id}")).status_code == 404
    assert (await api.get("/tasks")).json() == []
