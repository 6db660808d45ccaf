"""Tasks that are put off for as long as more come with their unique key."""

from collections.abc import Callable
from datetime import datetime

import httpx

from app.service import sweeping
from app.service.resources import Resources
from tests.support import calls
from tests.support.calls import Document, document
from tests.support.unique_tasks import KEY, send, stored
from tests.support.worker_calls import act


def seconds(task: Document) -> float:
    """From its creation to when it may be claimed."""
    until, since = map(datetime.fromisoformat, (task["available_at"], task["created_at"]))
    return (until - since).total_seconds()


async def test_a_debounced_task_waits_until_nothing_has_come_for_so_long(
    api: httpx.AsyncClient,
    later: Callable[[float], None],
    resources: Resources,
) -> None:
    unique = KEY | {"debounce_seconds": 60, "debounce_limit_seconds": 90}

    first = await stored(api, unique, payload=1)
    assert seconds(first) == 60
    assert first["waiting_on"] == "time"
    later(20)
    second = await send(api, unique, payload=2)
    assert (second.status_code, second.json()["id"]) == (200, first["id"])
    assert 80 <= seconds(second.json()) < 85
    later(20)
    third = document(await send(api, unique, payload=3))
    assert seconds(third) == 90, "the limit counts from its creation"

    later(50)
    assert await sweeping.promote(resources) == 1
    fourth = document(await send(api, unique, payload=4))
    assert (fourth["waiting_on"], fourth["payload"]) == (None, 4), "it has waited long enough"
    assert (await calls.claim_one(api))["task"]["payload"] == 4
    assert (await stored(api, unique))["id"] != first["id"]


async def test_a_ranked_task_that_is_debounced_waits_again(api: httpx.AsyncClient) -> None:
    task = await stored(api)
    assert task["waiting_on"] is None

    again = document(await send(api, KEY | {"debounce_seconds": 60}))

    assert (again["id"], again["waiting_on"]) == (task["id"], "time")
    assert await calls.claim(api) == []


async def test_a_paused_task_that_is_debounced_stays_paused(api: httpx.AsyncClient) -> None:
    task = await stored(api)
    await act(api, task["id"], "pause")

    again = document(await send(api, KEY | {"debounce_seconds": 60}))

    assert (again["status"], again["waiting_on"]) == ("paused", None)
    assert (await act(api, task["id"], "resume"))["waiting_on"] == "time"


async def test_without_a_limit_it_is_ten_times_as_long(
    api: httpx.AsyncClient, later: Callable[[float], None]
) -> None:
    unique = KEY | {"debounce_seconds": 10}
    await stored(api, unique)
    later(99)
    task = document(await send(api, unique))
    assert seconds(task) == 100
