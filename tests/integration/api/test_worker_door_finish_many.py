"""`POST /leases/finish`: many attempts ended and the next work taken, in one call."""

import httpx
import pytest

from tests.support.calls import Document, claim, get, problem, submit
from tests.support.worker_calls import act, attempts, finish

CLAIM = {"worker": "w", "limit": 10}


async def leases(api: httpx.AsyncClient, count: int) -> list[Document]:
    for _ in range(count):
        await submit(api)
    return await claim(api, limit=count)


def item(lease: Document, outcome: str, **fields: object) -> Document:
    return {"lease_id": lease["lease_id"], "outcome": outcome, **fields}


async def test_each_attempt_ends_in_its_own_way_and_is_answered_in_order(
    api: httpx.AsyncClient,
) -> None:
    one, two, three, four, five, six = await leases(api, 6)
    answer = await finish(
        api,
        item(five, "complete", result=[5]),
        item(one, "fail", error="no", retry_after_seconds=60),
        item(four, "release"),
        item(two, "fail", error="never", retryable=False),
        item(three, "complete"),
        item(six, "release", delay_seconds=60, reason="not here"),
    )

    assert answer["leases"] == []
    assert [found["status"] for found in answer["items"]] == [200] * 6
    assert [found["lease_id"] for found in answer["items"]] == [
        lease["lease_id"] for lease in (five, one, four, two, three, six)
    ]
    tasks = [found["task"] for found in answer["items"]]
    assert [(task["status"], task["result"], task["error"]) for task in tasks] == [
        ("done", [5], None),
        ("retrying", None, "no"),
        ("to_do", None, None),
        ("failed", None, "never"),
        ("done", None, None),
        ("to_do", None, "not here"),
    ]
    for task in tasks:
        assert await get(api, task["id"]) == task
    assert [len(await attempts(api, task["id"])) for task in tasks] == [1] * 6
    assert [lease["task"]["id"] for lease in await claim(api, limit=10)] == [tasks[2]["id"]]


async def test_leases_that_are_gone_are_answered_beside_those_that_hold(
    api: httpx.AsyncClient,
) -> None:
    held, cancelled, deleted, done = await leases(api, 4)
    await act(api, cancelled["task"]["id"], "cancel")
    await api.delete(f"/tasks/{deleted['task']['id']}")
    await finish(api, item(done, "complete", result=1))
    forged = {"lease_id": f"{held['task']['id']}.{'0' * 32}"}
    answer = await finish(
        api,
        item(cancelled, "complete"),
        item(forged, "complete"),
        item(deleted, "complete"),
        item(held, "complete"),
        item(done, "complete", result=2),
        item(done, "fail"),
    )

    assert [found["status"] for found in answer["items"]] == [409, 409, 404, 200, 200, 409]
    gone, false, missing, _, again, other = answer["items"]
    assert "cancelled" in gone["detail"]
    assert gone["task"]["status"] == "cancelled"
    assert "no such lease" in false["detail"]
    assert "task" not in missing
    assert str(deleted["task"]["id"]) in missing["detail"]
    assert again["task"]["result"] == 1, "what was said first stands"
    assert other["task"]["status"] == "done"


async def test_the_same_end_twice_in_one_call_is_one_end(api: httpx.AsyncClient) -> None:
    first, second = await leases(api, 2)
    answer = await finish(
        api,
        item(first, "complete", result="once"),
        item(first, "complete", result="twice"),
        item(second, "fail", retry_after_seconds=60),
        item(second, "release"),
        item(second, "fail"),
    )

    assert [found["status"] for found in answer["items"]] == [200, 200, 200, 409, 200]
    assert answer["items"][0]["task"]["result"] == "once"
    assert (await get(api, second["task"]["id"]))["current_retry_count"] == 1


async def test_the_next_work_comes_with_the_answer(api: httpx.AsyncClient) -> None:
    (lease,) = await leases(api, 1)
    waiting = [await submit(api, title="next"), await submit(api, title="after")]
    answer = await finish(api, item(lease, "complete"), claim=CLAIM)

    assert [found["status"] for found in answer["items"]] == [200]
    assert [found["task"]["id"] for found in answer["leases"]] == [t["id"] for t in waiting]
    assert {found["task"]["worker"] for found in answer["leases"]} == {"w"}


async def test_what_is_released_may_be_claimed_by_the_same_call(api: httpx.AsyncClient) -> None:
    (lease,) = await leases(api, 1)
    answer = await finish(api, item(lease, "release"), claim=CLAIM)

    assert answer["items"][0]["task"]["status"] == "to_do"
    (again,) = answer["leases"]
    assert (again["task"]["id"], again["attempt"]) == (lease["task"]["id"], 2)
    assert (await finish(api, item(again, "complete")))["items"][0]["status"] == 200


async def test_without_items_it_only_claims(api: httpx.AsyncClient) -> None:
    task = await submit(api)
    answer = await finish(api, claim=CLAIM)

    assert answer["items"] == []
    assert [found["task"]["id"] for found in answer["leases"]] == [task["id"]]


async def test_without_anything_it_does_nothing(api: httpx.AsyncClient) -> None:
    await submit(api)

    assert await finish(api) == {"items": [], "leases": []}
    assert (await api.post("/leases/finish", json={"items": []})).json()["leases"] == []


async def test_a_refused_finish_does_not_keep_the_worker_from_its_next_task(
    api: httpx.AsyncClient,
) -> None:
    (lease,) = await leases(api, 1)
    await act(api, lease["task"]["id"], "cancel")
    task = await submit(api)
    answer = await finish(api, item(lease, "complete"), claim=CLAIM)

    assert [found["status"] for found in answer["items"]] == [409]
    assert [found["task"]["id"] for found in answer["leases"]] == [task["id"]]


async def test_a_hundred_ends_and_a_hundred_claims_fit_into_one_call(
    api: httpx.AsyncClient,
) -> None:
    held = await leases(api, 100)
    fresh = await api.post("/tasks/batch", json={"tasks": [{"title": "t"}] * 100})
    answer = await finish(
        api, *(item(lease, "complete") for lease in held), claim={"worker": "w", "limit": 100}
    )

    assert {found["status"] for found in answer["items"]} == {200}
    assert [found["task"]["id"] for found in answer["leases"]] == [
        task["id"] for task in fresh.json()
    ]


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("outcome", "done", "items.0.outcome"),
        ("lease_id", "1.x", "items.0.lease_id"),
        ("lease_id", 1, "items.0.lease_id"),
        ("retry_after_seconds", -1, "items.0.retry_after_seconds"),
        ("retry_after_seconds", 86_401, "items.0.retry_after_seconds"),
        ("error", 1, "items.0.error"),
        ("delay_seconds", 86_401, "items.0.delay_seconds"),
        ("reason", 1, "items.0.reason"),
        ("retryable", "no", "items.0.retryable"),
        ("status", "done", "items.0.status"),
        ("result", "x" * 256 * 1024, "items.0.result"),
    ],
)
async def test_one_malformed_item_is_named_and_nothing_of_the_call_happens(
    api: httpx.AsyncClient, field: str, value: object, named: str
) -> None:
    first, second = await leases(api, 2)
    items = [item(first, "complete") | {field: value}, item(second, "complete")]
    answer = await api.post("/leases/finish", json={"items": items, "claim": CLAIM})

    problem(answer, 422, named)
    assert (await get(api, second["task"]["id"]))["status"] == "in_progress"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "items"),
        ({"items": None}, "items"),
        ({"items": [], "claim": {}}, "claim.worker"),
        ({"items": [], "claim": {"worker": "w", "limit": 101}}, "claim.limit"),
        ({"items": [{"lease_id": f"1.{'0' * 32}", "outcome": "complete"}] * 101}, "items"),
        ({"items": [], "more": 1}, "more"),
    ],
)
async def test_a_malformed_call_is_refused_by_field(
    api: httpx.AsyncClient, body: Document, named: str
) -> None:
    problem(await api.post("/leases/finish", json=body), 422, named)
