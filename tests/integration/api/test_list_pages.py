"""Pages of `GET /tasks`: by cursor, to the end, each task once; and cursors that are none."""

import base64
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from sqlalchemy.orm import Session

from tests.support.calls import Document, problem, submit
from tests.support.factories import TaskFactory


async def first_page(api: httpx.AsyncClient, **params: Any) -> httpx.Response:
    answer = await api.get("/tasks", params=params)
    assert answer.status_code == 200, answer.text
    return answer


async def pages(api: httpx.AsyncClient, answer: httpx.Response) -> list[list[Document]]:
    """This page and those after it, as `Link` leads."""
    found = [answer.json()]
    while "next" in answer.links:
        answer = await api.get(answer.links["next"]["url"])
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
    return found


async def cursor_of(api: httpx.AsyncClient, **params: Any) -> str:
    answer = await first_page(api, **params)
    return httpx.URL(answer.links["next"]["url"]).params["cursor"]


@pytest.fixture
def ids(session: Session) -> list[int]:
    """Seven tasks made in the same instant."""
    moment = TaskFactory.build().created_at
    return [TaskFactory(created_at=moment, tags=["a tag", "+&=?"]).id for _ in range(7)]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize(
    ("limit", "sizes"), [(1, [1] * 7), (3, [3, 3, 1]), (6, [6, 1]), (7, [7]), (1000, [7])]
)
async def test_the_pages_together_are_every_task_once(
    api: httpx.AsyncClient, ids: list[int], order: str, limit: int, sizes: list[int]
) -> None:
    found = await pages(api, await first_page(api, limit=limit, order=order))

    assert [len(page) for page in found] == sizes
    expected = ids if order == "asc" else ids[::-1]
    assert [task["id"] for page in found for task in page] == expected


async def test_filters_go_with_the_link(api: httpx.AsyncClient, ids: list[int]) -> None:
    await submit(api, title="another", tags=["a tag"])
    answer = await first_page(
        api,
        limit=2,
        tag=["a tag", "+&=?"],
        status=["to_do", "done"],
        title="task",
        created_after="2020-01-01T00:00:00+08:00",
    )
    found = await pages(api, answer)
    assert [task["id"] for page in found for task in page] == ids[::-1]


async def test_a_link_leads_on_below_whatever_path_a_proxy_has_put_it(
    api: httpx.AsyncClient, ids: list[int]
) -> None:
    answer = await first_page(api, limit=6)
    link = answer.links["next"]["url"]
    assert "link" not in (await api.get(link)).headers
    for asked in ("https://jobs.example/tasks", "https://example/jobs/v1/tasks?limit=6"):
        assert urljoin(asked, link).partition("?")[0] == asked.partition("?")[0]


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_tasks_that_come_and_go_meanwhile_shift_no_page(
    api: httpx.AsyncClient, ids: list[int], order: str
) -> None:
    answer = await first_page(api, limit=3, order=order)
    seen = [task["id"] for task in answer.json()]
    await submit(api, title="newer")
    await api.delete(f"/tasks/{seen[0]}")
    await api.delete(f"/tasks/{seen[-1]}")

    rest = [task["id"] for page in (await pages(api, answer))[1:] for task in page]

    assert not set(seen) & set(rest)
    assert set(seen) | set(rest) >= set(ids)


async def test_the_page_size_may_change_on_the_way(api: httpx.AsyncClient, ids: list[int]) -> None:
    cursor = await cursor_of(api, limit=2)
    answer = await first_page(api, limit=5, cursor=cursor)
    assert [task["id"] for task in answer.json()] == ids[4::-1]


@pytest.mark.parametrize(
    "other",
    [
        {"order": "asc"},
        {"status": "to_do"},
        {"queue": "images"},
        {"title": "x"},
        {"tag": "a tag"},
        {"created_after": "2020-01-01T00:00:00Z"},
    ],
)
async def test_a_cursor_is_good_for_its_own_filters_and_order_only(
    api: httpx.AsyncClient, ids: list[int], other: dict[str, str]
) -> None:
    cursor = await cursor_of(api, limit=2, queue="default")
    params: dict[str, Any] = {"limit": 2, "queue": "default", "cursor": cursor}
    assert (await api.get("/tasks", params=params)).status_code == 200
    found = problem(await api.get("/tasks", params=params | other), 422, "cursor")
    assert "filters" in found.detail


async def test_a_cut_or_forged_cursor_is_refused_by_name(
    api: httpx.AsyncClient, ids: list[int]
) -> None:
    cursor = await cursor_of(api, limit=2)
    forged = ["", "x", "0", "!", "😀", "\0", "../..", "A" * 22, "A" * 10_000, cursor * 2]
    forged += [cursor[:length] for length in range(1, len(cursor))]
    forged += [("B" if cursor[0] == "A" else "A") + cursor[1:], cursor + "A", f"{cursor} "]
    forged += [base64.urlsafe_b64encode((2**63).to_bytes(8) + b"\xff" * 8).decode()]
    for each in forged:
        answer = await api.get("/tasks", params={"limit": 2, "cursor": each})
        problem(answer, 422, "cursor")


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "", "x", "1.5", "1_0", "1e1", "9" * 30])
async def test_a_page_has_1_to_1000_tasks(api: httpx.AsyncClient, limit: str) -> None:
    problem(await api.get("/tasks", params={"limit": limit}), 422, "limit")


async def test_a_page_may_have_a_thousand_tasks(api: httpx.AsyncClient) -> None:
    batch = {"tasks": [{"title": f"task {n}"} for n in range(1000)]}
    await api.post("/tasks/batch", json=batch)
    last = await submit(api)
    answer = await first_page(api, limit=1000)
    assert len(answer.json()) == 1000
    assert answer.json()[0] == last
    assert [len(page) for page in await pages(api, answer)] == [1000, 1]


@pytest.mark.parametrize("order", ["", "DESC", "newest"])
async def test_there_are_two_orders(api: httpx.AsyncClient, order: str) -> None:
    problem(await api.get("/tasks", params={"order": order}), 422, "order")
