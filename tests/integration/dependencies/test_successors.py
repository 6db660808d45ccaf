"""What an attempt stores as it ends, and that is not free: it depends on others, or has a key."""

from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from app.queue.dependencies import rows
from app.service import sweeping
from app.service.resources import Resources
from tests.support.calls import Document, claim_one, document, get, problem, submit
from tests.support.flows import act, batch, child_of, claimable, edges, lease_of, statuses, waits
from tests.support.flows import end as end_of
from tests.support.unique_tasks import held_by
from tests.support.worker_calls import a_lease

KEY = {"key": "k"}


async def end(
    api: httpx.AsyncClient, lease: Document, *tasks: Document, how: str = "complete", **fields: Any
) -> list[int]:
    """The ids of the tasks that were stored."""
    body = {"submit": [{"title": "next"} | task for task in tasks], **fields}
    answer = await api.post(f"/leases/{lease['lease_id']}/{how}", json=body)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["submitted"])


async def test_it_may_depend_on_the_one_that_ends_and_is_free_then(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    lease = await a_lease(api)
    own = lease["task"]["id"]
    (child,) = await end(api, lease, {"depends_on": [own]}, result="ended")
    assert waits(engine) == {}
    assert edges(engine) == [(own, child)]
    found = await claim_one(api)
    assert found["task"]["id"] == child
    (parent,) = (await api.get(f"/leases/{found['lease_id']}/parents")).json()
    assert (parent["id"], parent["result"]) == (own, "ended")


async def test_on_one_that_has_failed_only_what_runs_all_the_same_may_depend(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    lease = await a_lease(api)
    own = {"depends_on": [lease["task"]["id"]]}
    body = {"retryable": False, "submit": [{"title": "next"} | own]}
    path = f"/leases/{lease['lease_id']}/fail"
    assert problem(await api.post(path, json=body), 409).type == "urn:rowlock:dependency-failed"
    assert (await get(api, lease["task"]["id"]))["status"] == "in_progress"
    assert edges(engine) == []
    runs = own | {"on_parent_failure": "run"}
    (child,) = await end(api, lease, runs, how="fail", retryable=False)
    assert await claimable(api) == [child]


async def test_of_one_that_is_tried_again_it_awaits_the_end(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    lease = await a_lease(api, retry_delay_seconds=0)
    own = lease["task"]["id"]
    body = {"submit": [{"title": "next", "depends_on": [own]}]}
    answer = await api.post(f"/leases/{lease['lease_id']}/fail", json=body)
    ended = document(answer)
    (child,) = ended.pop("submitted")
    assert ended == await get(api, own)
    assert waits(engine) == {child: 1}
    assert await claimable(api) == [own]
    await end_of(api, {"id": own})
    assert await claimable(api) == [child]


async def test_all_that_it_may_name_is_named_at_once(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    """A step of a flow adds two more before its last one, of which one waits for the other."""
    step = await submit(api)
    last = await child_of(api, step)
    other = await submit(api)
    lease = await lease_of(api, step)
    one, two, three = await end(
        api,
        lease,
        {"ref": "one", "blocks": [last["id"]]},
        {"depends_on": ["one", step["id"], other["id"]]},
        {"blocks": [last["id"]]},
    )
    assert waits(engine) == {last["id"]: 2, two: 2}
    for task_id in (one, three, other["id"]):
        await end_of(api, {"id": task_id})
    assert waits(engine) == {}
    assert await claimable(api) == sorted([last["id"], two])


async def test_what_waits_no_longer_cannot_be_held_up(api: httpx.AsyncClient) -> None:
    lease = await a_lease(api)
    done = await submit(api, queue="other")
    body = {"submit": [{"title": "next", "blocks": [done["id"]]}]}
    answer = await api.post(f"/leases/{lease['lease_id']}/complete", json=body)
    assert problem(answer, 409).type == "urn:rowlock:waits-no-longer"
    assert await statuses(api, lease["task"]) == ["in_progress"]


async def test_who_depends_on_it_already_is_free_as_ever(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    step = await submit(api)
    child = await child_of(api, step)
    (other,) = await end(api, await lease_of(api, step), {"depends_on": [step["id"]]})
    assert waits(engine) == {}
    assert await claimable(api) == [child["id"], other]


async def test_where_all_are_told_bit_by_bit_none_begins_too_early(
    api: httpx.AsyncClient, engine: Engine, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "EDGES", 3)
    monkeypatch.setattr("app.queue.dependencies.settling.EDGES", 3)
    step = await submit(api)
    children = await batch(api, *[{"depends_on": [step["id"]]} for _ in range(5)])
    other = await submit(api)
    both = {"depends_on": [step["id"], other["id"]]}
    late, free = await end(api, await lease_of(api, step), both, {"depends_on": [step["id"]]})
    await sweeping.end_waits(resources)
    assert waits(engine) == {late: 1}
    ids = [child["id"] for child in children]
    assert await claimable(api) == sorted([*ids, other["id"], free])
    await end_of(api, other)
    assert await claimable(api) == sorted([*ids, late, free])


@pytest.mark.parametrize("how", ["complete", "fail"])
async def test_a_key_that_is_held_keeps_the_attempt_from_ending_or_names_its_holder(
    api: httpx.AsyncClient, how: str
) -> None:
    holder = await submit(api, queue="other", unique=KEY)
    lease = await a_lease(api)
    asked = {"queue": "other", "unique": KEY | {"conflict": "reject"}}
    path = f"/leases/{lease['lease_id']}/{how}"
    answer = await api.post(path, json={"submit": [{"title": "x"}, {"title": "next"} | asked]})
    refused = problem(answer, 409)
    assert refused.type == "urn:rowlock:unique-key-held"
    assert refused.model_dump()["task_id"] == holder["id"]
    assert await statuses(api, lease["task"]) == ["in_progress"]
    item = {"lease_id": lease["lease_id"], "outcome": how, "submit": [{"title": "next"} | asked]}
    answer = await api.post("/leases/finish", json={"items": [item]})
    (found,) = answer.json()["items"]
    assert (found["status"], found["type"]) == (409, "urn:rowlock:unique-key-held")

    kept = {"queue": "other", "unique": KEY}
    replaces = {"queue": "other", "unique": KEY | {"conflict": "replace"}, "payload": 9}
    ids = await end(api, lease, kept, {"title": "x"}, replaces, how=how)
    assert (ids[0], ids[2]) == (holder["id"], holder["id"])
    assert (await get(api, holder["id"]))["payload"] == 9
    assert await end(api, lease, kept, how=how) == ids


async def test_the_key_that_it_gives_back_goes_to_the_next_one(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    active = {"unique": KEY | {"while": "active", "conflict": "reject"}}
    lease = await a_lease(api, **active)
    assert held_by(engine) == [lease["task"]["id"]]
    (first,) = await end(api, lease, active)
    assert held_by(engine) == [first]
    # One that is tried again keeps it.
    lease = await claim_one(api)
    kept = {"unique": KEY | {"while": "active"}}
    assert await end(api, lease, kept, how="fail", retry_after_seconds=0) == [first]
    assert held_by(engine) == [first]


async def test_what_is_refused_of_one_is_not_of_those_beside_it(api: httpx.AsyncClient) -> None:
    failed = await act(api, await submit(api, queue="other"), "cancel")
    leases = [await a_lease(api) for _ in range(3)]
    items = [
        {"lease_id": lease["lease_id"], "outcome": "complete", "submit": [{"title": "next"}]}
        for lease in leases
    ]
    items[1]["submit"] = [{"title": "next", "depends_on": [failed["id"]]}]
    answer = await api.post("/leases/finish", json={"items": items})
    found = answer.json()["items"]
    assert [item["status"] for item in found] == [200, 409, 200]
    assert found[1]["type"] == "urn:rowlock:dependency-failed"
    tasks = [lease["task"] for lease in leases]
    assert await statuses(api, *tasks) == ["done", "in_progress", "done"]
    assert len(await claimable(api)) == 2
