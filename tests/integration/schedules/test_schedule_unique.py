"""Schedules whose tasks have a unique key: what an occurrence does that finds it held."""

from datetime import timedelta
from itertools import product
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.domain.schedule import text_of
from app.domain.unique import Conflict, Hold, Unique
from app.service import sweeping
from app.service.firing import fire_due
from app.service.resources import Resources
from tests.support.calls import claim_one, fail, get, submit
from tests.support.due_schedules import due_since, runs, tasks, tasks_of
from tests.support.elapse import moment
from tests.support.rows import a_new_task
from tests.support.unique_tasks import held_by

KEY = {"key": "customer-17"}
SECOND = timedelta(seconds=1)


def task_with(*, hold: Hold = Hold.WAITING, **unique: Any) -> str:
    """The task of a schedule, as it is stored."""
    return text_of(
        a_new_task(title="sync", payload="1", unique=Unique("customer-17", hold, **unique))
    )


async def test_of_a_key_that_is_free_each_occurrence_takes_it(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    (at,) = due_since(engine, SECOND, task=task_with())

    assert await fire_due(resources) == 1

    (task,) = await tasks(api)
    assert (task["unique_key"], moment(task["origin"]["occurrence_at"])) == ("customer-17", at)
    assert held_by(engine) == [task["id"]]


async def test_a_held_key_is_kept_and_its_task_stands_for_the_occurrence(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    holder = await submit(api, unique=KEY)
    due_since(engine, SECOND, task=task_with())

    assert await fire_due(resources) == 0, "no task is new"

    assert tasks_of(await runs(api)) == [("submitted", holder["id"])]
    assert await tasks(api) == [holder]
    assert (await api.get("/schedules/a")).json()["last_task_id"] == holder["id"]


async def test_it_counts_as_the_last_task_while_it_has_not_ended(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    holder = await submit(api, unique=KEY)
    due_since(engine, SECOND * 2, interval_seconds=1, task=task_with())

    await fire_due(resources)

    (first, *rest) = tasks_of(await runs(api))
    assert first == ("submitted", holder["id"])
    assert set(rest) == {("skipped_overlap", None)}


async def test_a_replaced_task_stands_for_it_and_is_seen_at_once(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    holder = await submit(api, unique=KEY, payload=0)
    await get(api, holder["id"])
    due_since(engine, SECOND, task=task_with(conflict=Conflict.REPLACE))

    assert await fire_due(resources) == 0

    task = await get(api, holder["id"])
    assert (task["title"], task["payload"], task["origin"]) == ("sync", 1, None)
    assert tasks_of(await runs(api)) == [("submitted", holder["id"])]


async def test_a_debounced_task_is_put_off_by_each_occurrence(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    holder = await submit(api, unique=KEY)
    assert holder["waiting_on"] is None
    due_since(engine, SECOND, task=task_with(debounce_seconds=60))

    assert await fire_due(resources) == 0

    assert (await get(api, holder["id"]))["waiting_on"] == "time"
    assert tasks_of(await runs(api)) == [("submitted", holder["id"])]


@pytest.mark.parametrize(
    ("way", "overlap"),
    [*product(("reject", "replace what runs", "replace with fewer retries"), ("skip", "allow"))],
)
@pytest.mark.usefixtures("session")
async def test_an_occurrence_that_is_refused_says_who_was_in_its_way(
    api: httpx.AsyncClient,
    resources: Resources,
    engine: Engine,
    way: str,
    overlap: str,
) -> None:
    holder = await submit(api, unique=KEY | {"while": "active"}, retry_limit=5)
    conflict = Conflict.REJECT if way == "reject" else Conflict.REPLACE
    if way != "reject":
        lease = await claim_one(api)
    if way == "replace with fewer retries":
        for _ in range(4):
            await fail(api, lease, retry_after_seconds=0)
            await sweeping.promote(resources)
            lease = await claim_one(api)
        await fail(api, lease, retry_after_seconds=0)
    before = await get(api, holder["id"])
    due_since(
        engine, SECOND * 2, interval_seconds=1, overlap=overlap, task=task_with(conflict=conflict)
    )

    assert await fire_due(resources) == 0

    found = tasks_of(await runs(api))
    assert len(found) >= 2
    assert set(found) == {("skipped_unique", holder["id"])}
    assert await get(api, holder["id"]) == before
    assert (await api.get("/schedules/a")).json()["last_task_id"] is None


async def test_of_several_occurrences_at_once_the_first_takes_the_key(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    times = [timedelta(minutes=n) for n in range(1, 4)]
    for name, conflict in (("keeps", Conflict.KEEP), ("rejects", Conflict.REJECT)):
        said = {"catch_up": "all", "overlap": "allow"}
        key = Unique(name, conflict=conflict)
        due_since(
            engine, *times, name=name, task=text_of(a_new_task(title=name, unique=key)), **said
        )

    assert await fire_due(resources) == 2

    by_title = {task["title"]: task["id"] for task in await tasks(api)}
    kept, rejected = tasks_of(await runs(api, "keeps")), tasks_of(await runs(api, "rejects"))
    assert kept == [("submitted", by_title["keeps"])] * len(kept)
    first, *others = rejected
    assert first == ("submitted", by_title["rejects"])
    assert others == [("skipped_unique", by_title["rejects"])] * (len(rejected) - 1)
    assert len(others) >= 2


async def test_what_is_decided_in_several_parts_of_one_transaction_has_one_task(
    api: httpx.AsyncClient, engine: Engine, session: Session
) -> None:
    ago = timedelta(seconds=250)
    task = task_with(conflict=Conflict.REPLACE)
    due_since(engine, ago, interval_seconds=1, catch_up="all", overlap="allow", task=task)

    assert (await api.post("/admin/schedules/a/pause")).status_code == 200

    (only,) = await tasks(api)
    found = tasks_of(await runs(api))
    assert found == [("submitted", only["id"])] * len(found)
    assert len(found) >= 250
    assert held_by(engine) == [only["id"]]


async def test_what_was_left_out_for_a_key_can_be_backfilled(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    holder = await submit(api, unique=KEY)
    (at,) = due_since(
        engine, SECOND, interval_seconds=3600, task=task_with(conflict=Conflict.REJECT)
    )
    await fire_due(resources)
    await api.delete(f"/tasks/{holder['id']}")
    body = {"from": f"{at.isoformat()}Z", "to": f"{(at + SECOND / 2).isoformat()}Z"}

    assert (await api.post("/schedules/a/backfill", json=body)).json()["submitted"] == 1

    (task,) = await tasks(api)
    assert tasks_of(await runs(api)) == [("submitted", task["id"])]
