"""What an attempt stores as it ends, where only so many may run."""

from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from tests.support.calls import Document, claim_one, get, submit
from tests.support.groups import check, claimed, ids, limit


async def end(api: httpx.AsyncClient, lease: Document, *tasks: Document, **fields: Any) -> int:
    """The id of the first task that was stored."""
    body = {"submit": [{"title": "next"} | task for task in tasks], **fields}
    answer = await api.post(f"/leases/{lease['lease_id']}/complete", json=body)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["submitted"][0])


@pytest.mark.parametrize("depends", [True, False])
@pytest.mark.parametrize("limits", [{"running": 1}, {"running_per_group": 1}])
async def test_the_slot_that_is_given_back_goes_to_the_next_step(
    api: httpx.AsyncClient, engine: Engine, limits: Document, depends: bool
) -> None:
    await limit(api, **limits)
    await submit(api, group="a")
    for _ in range(3):
        lease = await claim_one(api)
        following = {"group": "a", "depends_on": [lease["task"]["id"]] * depends}
        task_id = await end(api, lease, following)
        check(engine)
        found = await claimed(api)
        assert ids(found) == [task_id]
        await api.post(f"/leases/{found[0]['lease_id']}/release")
    check(engine)


async def test_whoever_waits_longer_comes_first(api: httpx.AsyncClient, engine: Engine) -> None:
    await limit(api, running_per_group=1)
    first, waits = await submit(api, group="a"), await submit(api, group="a")
    lease = await claim_one(api)
    assert lease["task"]["id"] == first["id"]
    task_id = await end(api, lease, {"group": "a"})
    assert (await get(api, task_id))["waiting_on"] == "group"
    assert ids(await claimed(api)) == [waits["id"]]
    check(engine)
