"""Heartbeats of many attempts in one call."""

from typing import Any

import httpx

from tests.support.calls import Document, claim_one, complete, document, submit
from tests.support.worker_calls import heartbeat


async def beat(api: httpx.AsyncClient, *items: Document) -> list[Document]:
    answer = await api.post("/leases/heartbeat", json={"items": items})
    assert answer.status_code == 200, answer.text
    items_answered: list[Document] = document(answer)["items"]
    return items_answered


async def claimed(api: httpx.AsyncClient, **fields: Any) -> Document:
    await submit(api, title="a task", **fields)
    return await claim_one(api, lease_seconds=60)


async def test_each_is_answered_in_its_order_as_it_would_be_alone(api: httpx.AsyncClient) -> None:
    held, ended, deleted = [await claimed(api) for _ in range(3)]
    await complete(api, ended)
    assert (await api.delete(f"/tasks/{deleted['task']['id']}")).status_code == 204

    alone = await heartbeat(api, held, "half")
    found = await beat(
        api,
        {"lease_id": deleted["lease_id"]},
        {"lease_id": held["lease_id"], "progress": {"done": 3}},
        {"lease_id": ended["lease_id"]},
    )

    assert [item["lease_id"] for item in found] == [
        lease["lease_id"] for lease in (deleted, held, ended)
    ]
    assert [item["status"] for item in found] == [404, 200, 409]
    assert found[1]["deadline"] == alone["deadline"]
    assert found[1]["expires_at"] >= alone["expires_at"]
    assert found[2]["outcome"] == "done"
    assert "no longer holds task" in found[2]["detail"]
    task = document(await api.get(f"/tasks/{held['task']['id']}"))
    assert task["progress"] == {"done": 3}


async def test_none_is_none(api: httpx.AsyncClient) -> None:
    assert await beat(api) == []


async def test_one_of_them_twice_is_heard_twice(api: httpx.AsyncClient) -> None:
    lease = await claimed(api)
    found = await beat(api, *({"lease_id": lease["lease_id"]} for _ in range(2)))
    assert [item["status"] for item in found] == [200, 200]


async def test_bad_items_are_named(api: httpx.AsyncClient) -> None:
    lease_id = f"1.{'0' * 32}"
    for items, field in (
        ([{"lease_id": lease_id}, {"lease_id": "x"}], "items.1.lease_id"),
        ([{"lease_id": lease_id, "outcome": "complete"}], "items.0.outcome"),
        ([{"progress": 1}], "items.0.lease_id"),
        ([{"lease_id": lease_id}] * 1001, "items"),
    ):
        answer = await api.post("/leases/heartbeat", json={"items": items})
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]
