"""`GET /tasks/cost`: takes what the list takes, and says what that would read."""

from typing import Any

import httpx
import pytest

from app.settings import Settings
from tests.conftest import serving
from tests.integration.api.test_list import FILTERS, ask, tasks  # noqa: F401  (a fixture)
from tests.support.calls import Document, problem


async def cost(api: httpx.AsyncClient, **params: Any) -> Document:
    answer = await api.get("/tasks/cost", params=params)
    assert answer.status_code == 200, answer.text
    found: Document = answer.json()
    return found


@pytest.mark.parametrize("first", FILTERS)
async def test_it_takes_the_filters_of_the_list(
    api: httpx.AsyncClient,
    tasks: int,  # noqa: F811
    first: str,
) -> None:
    said = FILTERS[first][0]
    for also_said, _ in FILTERS.values():
        wanted = said | also_said
        found = await cost(api, limit=1000, **wanted)
        assert found["index"] is not None or await ask(api, limit=1000, **wanted) == []
        assert 0 <= found["rows_at_least"] <= found["rows_at_most"] <= 2 * tasks, wanted
        assert not found["may_be_cut_off"]


async def test_a_page_is_read_as_far_as_it_goes(
    api: httpx.AsyncClient,
    settings: Settings,
    tasks: int,  # noqa: F811
) -> None:
    assert await cost(api, limit=9, view="summary", order="asc") == {
        **{"index": "ix_tasks_created", "rows_at_least": 10, "rows_at_most": 10},
        **{"is_estimate": False, "may_be_cut_off": False},
        "timeout_seconds": settings.search_timeout_seconds,
    }
    search = await cost(api, limit=9, title="not there")
    assert (search["rows_at_least"], search["rows_at_most"]) == (10, tasks)
    nobody = await cost(api, tag="nobody has it")
    assert (nobody["index"], nobody["rows_at_most"]) == (None, 0)


async def test_the_next_page_begins_where_this_one_ends(
    api: httpx.AsyncClient,
    tasks: int,  # noqa: F811
) -> None:
    page = await api.get("/tasks", params={"title": "report", "limit": 1, "order": "asc"})
    answer = await api.get(page.links["next"]["url"].replace("tasks?", "tasks/cost?"))
    assert answer.json()["index"] == "ix_tasks_created"


async def test_a_search_through_more_than_there_is_time_for_may_be_cut_off(
    settings: Settings,
    tasks: int,  # noqa: F811
) -> None:
    hasty = settings.model_copy(update={"search_timeout_seconds": tasks / 200_000 - 0.00001})
    async with serving(hasty) as api:
        assert (await cost(api, title="not there"))["may_be_cut_off"]
        assert not (await cost(api, title="not there", status="done"))["may_be_cut_off"]
        assert not (await cost(api))["may_be_cut_off"]


async def test_what_the_list_refuses_it_refuses(api: httpx.AsyncClient) -> None:
    for wanted in ({"order_by": "available_at", "status": "done"}, {"cursor": "x"}, {"queue": "A"}):
        refused = problem(await api.get("/tasks", params=wanted), 422)
        assert problem(await api.get("/tasks/cost", params=wanted), 422).errors == refused.errors
