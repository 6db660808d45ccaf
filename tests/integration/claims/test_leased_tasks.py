"""What a process remembers of the tasks it has handed out never shows in an answer."""

import asyncio

import httpx

from tests.support.calls import claim, claim_one, complete, fail, problem, submit
from tests.support.worker_calls import act, finish


async def test_a_task_that_nobody_touched_is_not_read_again_to_finish_it(
    api: httpx.AsyncClient, reads_of_tasks: list[str]
) -> None:
    for _ in range(3):
        await submit(api, payload={"a": 1}, tags=["b"])
    first, second, third = await claim(api, limit=3)
    assert reads_of_tasks, "by the claim"
    reads_of_tasks.clear()
    done = await complete(api, first, {"c": 2})
    retrying = await fail(api, second, error="it broke")
    assert reads_of_tasks == []
    assert (done["status"], done["payload"], done["tags"]) == ("done", {"a": 1}, ["b"])
    assert (retrying["status"], retrying["current_retry_count"]) == ("retrying", 1)
    for task in (done, retrying):
        assert (await api.get(f"/tasks/{task['id']}")).json() == task
    await finish(api, {"lease_id": third["lease_id"], "outcome": "release"})
    assert (await claim_one(api))["task"]["id"] == third["task"]["id"]


async def test_what_a_client_changed_meanwhile_is_in_the_answer(
    api: httpx.AsyncClient, other_api: httpx.AsyncClient
) -> None:
    for _ in range(2):
        await submit(api)
    leases = await claim(api, limit=2)
    path = f"/tasks/{leases[1]['task']['id']}"
    patched = (await other_api.patch(path, json={"title": "new", "tags": ["x"]})).json()

    answer = await finish(
        api, *({"lease_id": lease["lease_id"], "outcome": "complete"} for lease in leases)
    )

    assert [item["status"] for item in answer["items"]] == [200, 200]
    done = answer["items"][1]["task"]
    assert (done["status"], done["title"], done["tags"]) == ("done", "new", ["x"])
    assert done["created_at"] == patched["created_at"]
    assert (await api.get(path)).json() == done


async def test_whoever_was_cancelled_elsewhere_does_not_finish(
    api: httpx.AsyncClient, other_api: httpx.AsyncClient
) -> None:
    for _ in range(2):
        await submit(api)
    gone, kept = await claim(api, limit=2)
    await act(other_api, gone["task"]["id"], "cancel")
    both = await asyncio.gather(
        *(api.post(f"/leases/{lease['lease_id']}/complete") for lease in (gone, kept))
    )
    problem(both[0], 409)
    assert both[1].json()["status"] == "done"


async def test_the_same_end_twice_at_once_gets_the_same_answer(
    api: httpx.AsyncClient, other_api: httpx.AsyncClient
) -> None:
    await submit(api)
    lease = await claim_one(api)
    answers = await asyncio.gather(
        *(each.post(f"/leases/{lease['lease_id']}/complete") for each in (api, other_api) * 3)
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
