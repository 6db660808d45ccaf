"""Schedules whose tasks have a unique key: put, run by hand and backfilled."""

from typing import Any

import httpx
import pytest

from tests.support.calls import Document, problem, submit
from tests.support.due_schedules import runs, tasks, tasks_of
from tests.support.unique_tasks import KEY

WHOLE = {
    **KEY,
    "while": "waiting",
    "conflict": "keep",
    "debounce_seconds": None,
    "debounce_limit_seconds": None,
}
DAY = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
ONE_HOUR = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00Z"}


async def put(api: httpx.AsyncClient, unique: Document | None = KEY, **said: Any) -> Document:
    body = {"cron": "0 * * * *", "task": {"title": "sync", "unique": unique}} | said
    answer = await api.put("/schedules/a", json=body)
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        (None, None),
        (KEY, WHOLE),
        (KEY | {"while": "active", "conflict": "reject"}, None),
        (
            KEY | {"debounce_seconds": 5},
            WHOLE | {"conflict": None, "debounce_seconds": 5},
        ),
    ],
)
async def test_it_is_shown_as_it_may_be_put_again(
    api: httpx.AsyncClient, said: Document | None, whole: Document | None
) -> None:
    schedule = await put(api, said)
    shown = schedule["task"]["unique"]
    if said is not None:
        assert shown == WHOLE | said | (whole or {})
    else:
        assert shown is None

    again = await put(api, shown)

    assert (again["revision"], again["task"]) == (1, schedule["task"])


async def test_by_hand_it_is_the_task_that_holds_the_key(api: httpx.AsyncClient) -> None:
    await put(api)
    first, again = [await api.post("/schedules/a/run") for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert tasks_of(await runs(api)) == [("submitted", first.json()["id"])] * 2


async def test_by_hand_with_an_idempotency_key_it_is_remembered(api: httpx.AsyncClient) -> None:
    await put(api)
    holder = await submit(api, unique=KEY)
    headers = {"Idempotency-Key": "tonight"}
    for _ in range(2):
        answer = await api.post("/schedules/a/run", headers=headers)
        assert (answer.status_code, answer.json()) == (200, holder)
    assert tasks_of(await runs(api)) == [("submitted", holder["id"])]


async def test_by_hand_what_rejects_is_refused_and_leaves_no_run(api: httpx.AsyncClient) -> None:
    await put(api, KEY | {"conflict": "reject"})
    holder = await submit(api, unique=KEY)

    for call in (
        api.post("/schedules/a/run"),
        api.post("/schedules/a/backfill", json=ONE_HOUR),
    ):
        said = problem(await call, 409).model_dump()
        assert (said["task_id"], said["unique_key"]) == (holder["id"], "customer-17")
    assert await runs(api) == []


async def test_a_backfill_that_keeps_makes_one_task_that_stands_for_all(
    api: httpx.AsyncClient,
) -> None:
    await put(api)

    answer = await api.post("/schedules/a/backfill", json=DAY)

    assert answer.json() == {"submitted": 1, "existing": 23}
    (task,) = await tasks(api)
    assert tasks_of(await runs(api)) == [("submitted", task["id"])] * 24
    assert (await api.post("/schedules/a/backfill", json=DAY)).json()["existing"] == 24


async def test_a_backfill_of_several_that_reject_is_refused(api: httpx.AsyncClient) -> None:
    await put(api, KEY | {"conflict": "reject"})
    found = problem(await api.post("/schedules/a/backfill", json=DAY), 422, "to")
    assert "24 occurrences" in found.detail
    assert (await api.post("/schedules/a/backfill", json=ONE_HOUR)).json()["submitted"] == 1


async def test_what_contradicts_it_is_refused_by_name(api: httpx.AsyncClient) -> None:
    unique = KEY | {"debounce_seconds": 5}
    body = {"cron": "0 * * * *", "task": {"title": "x", "unique": unique}, "jitter_seconds": 9}
    found = problem(await api.put("/schedules/a", json=body), 422, "jitter_seconds")
    assert "debounce" in found.detail
    body = {"cron": "0 * * * *", "task": {"title": "x", "unique": KEY | {"while": "never"}}}
    problem(await api.put("/schedules/a", json=body), 422, "task.unique.while")
