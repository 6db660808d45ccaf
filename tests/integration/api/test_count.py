"""`GET /tasks/count`: as many as the list has, and honest about what it did not count."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.orm import Session

from app.queue.lists import counting
from app.settings import Settings
from tests.conftest import serving
from tests.integration.api.test_errors import many_tasks  # noqa: F401
from tests.integration.api.test_list import FILTERS, ask, tasks  # noqa: F401  (a fixture)
from tests.support.calls import submit
from tests.support.factories import TaskFactory


async def count(api: httpx.AsyncClient, **params: Any) -> tuple[int, bool]:
    answer = await api.get("/tasks/count", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["count"], answer.json()["is_exact"]


@pytest.mark.parametrize("first", FILTERS)
async def test_it_counts_what_is_listed(
    api: httpx.AsyncClient,
    tasks: int,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    first: str,
) -> None:
    monkeypatch.setattr(counting, "ONE_BY_ONE", 5)
    said = FILTERS[first][0]
    for also_said, _ in FILTERS.values():
        if said.keys() & also_said.keys() and said != also_said:
            continue
        listed = await ask(api, limit=1000, **said | also_said)
        assert await count(api, **said | also_said) == (len(listed), True)


async def test_it_counts_everything_and_some_ids(api: httpx.AsyncClient, tasks: int) -> None:  # noqa: F811
    ids = [task["id"] for task in await ask(api, limit=10)]
    assert await count(api) == (tasks, True)
    assert await count(api, id=[*ids, ids[0], 2**62]) == (10, True)
    assert await count(api, queue="nobody-uses-it") == (0, True)
    assert await count(api, tag="nobody uses it") == (0, True)


@pytest.mark.parametrize("one_by_one", [5, 1000])
async def test_beyond_the_limit_it_says_at_least(
    api: httpx.AsyncClient,
    tasks: int,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    one_by_one: int,
) -> None:
    monkeypatch.setattr(counting, "ONE_BY_ONE", one_by_one)
    matching, _ = await count(api, title="report")
    assert matching == 21
    for limit in range(1, 30):
        expected = (limit, False) if limit < matching else (matching, True)
        assert await count(api, title="report", limit=limit) == expected


async def test_what_the_counters_know_has_no_limit(api: httpx.AsyncClient, tasks: int) -> None:  # noqa: F811
    for said in ({}, {"status": "failed"}, {"queue": ["mail", "images"]}, {"tag": "b"}):
        whole = await count(api, **said)
        assert whole[0] > 1
        assert await count(api, **said, limit=1) == whole


async def test_it_follows_each_change_at_once(api: httpx.AsyncClient) -> None:
    for params in ({"title": "task"}, {"status": "to_do"}):
        before, _ = await count(api, **params)
        task = await submit(api)
        assert await count(api, **params) == (before + 1, True)
        await api.delete(f"/tasks/{task['id']}")
        assert await count(api, **params) == (before, True)


@pytest.mark.parametrize("title", ["x", "not there"])
async def test_it_is_cut_off_when_its_time_is_over(
    many_tasks: None,  # noqa: F811
    settings: Settings,
    title: str,
) -> None:
    slow = settings.model_copy(update={"search_timeout_seconds": 0.001})
    async with serving(slow) as api:
        # MySQL's clock for this is a thread, which may come late.
        for _ in range(20):
            found, is_exact = await count(api, title=title)
            if not is_exact:
                break
        assert not is_exact
        assert 0 <= found <= 2**14
        await submit(api)


async def test_a_queue_without_end_is_counted_by_the_counters(
    api: httpx.AsyncClient, session: Session
) -> None:
    for number in range(12):
        TaskFactory(queue=f"queue-{number}", created_at=datetime.now() - timedelta(days=number))  # noqa: DTZ005
    queues = [f"queue-{number}" for number in range(500)]
    assert await count(api, queue=queues) == (12, True)
    assert await count(api, queue=queues, title="task") == (12, True)
