"""Tags, queues and attempts come in pages, however many there are."""

from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.service import sweeping
from app.settings import Settings
from tests.support.calls import problem, submit
from tests.support.factories import TaskFactory, now
from tests.support.sdk import Face

pytest_plugins = ["tests.support.sdk_clients"]

# In MySQL's order: to it a name ends in as many spaces as are wanted.
NAMES = ["\x01", "B", "a\tb", "a", "a b", "a-", "b", "核心业务", "😀"]


async def pages(api: httpx.AsyncClient, path: str) -> list[Any]:
    """Each page's document, along the links."""
    found = []
    following: str | None = path
    while following is not None:
        answer = await api.get(following)
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        link = answer.links.get("next")
        following = None if link is None else urljoin(following, link["url"])
    return found


def attempts(engine: Engine, task_id: int, count: int, error: str | None = None) -> None:
    """So many attempts of a task, released."""
    rows = [
        {"task": task_id, "n": n, "at": now(), "error": error, "token": f"{n:032x}"}
        for n in range(1, count + 1)
    ]
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO task_attempts (task_id, attempt, started_at, finished_at, outcome, "
                "error, lease_token) VALUES (:task, :n, :at, :at, 'released', :error, :token)"
            ),
            rows,
        )


@pytest.mark.parametrize("limit", [1, 2, 4, 9, 1000])
async def test_tags_are_walked_through_by_name(api: httpx.AsyncClient, limit: int) -> None:
    for name in reversed(NAMES):
        await submit(api, tags=[name])
    found = await pages(api, f"/tags?limit={limit}")
    assert [tag["name"] for page in found for tag in page] == NAMES
    assert len(found) == -(-len(NAMES) // limit)


async def test_a_tag_that_no_task_has_is_not_told(api: httpx.AsyncClient) -> None:
    for name in "abcd":
        task = await submit(api, tags=[name])
        if name in "bd":
            await api.delete(f"/tasks/{task['id']}")
    found = await pages(api, "/tags?limit=2")
    assert [[tag["name"] for tag in page] for page in found] == [["a"], ["c"]]


async def test_of_many_tags_the_first_page_is_told_if_nothing_is_said(
    api: httpx.AsyncClient, client: Face
) -> None:
    names = [f"tag {n:03}" for n in range(250)]
    tasks = [{"title": "t", "tags": names[n : n + 32]} for n in range(0, 250, 32)]
    assert (await api.post("/tasks/batch", json={"tasks": tasks})).status_code == 201
    assert [len(page) for page in await pages(api, "/tags")] == [200, 50]
    assert [tag.name for tag in await client.tags()] == names


@pytest.mark.parametrize("path", ["/stats", "/admin/queues"])
@pytest.mark.parametrize("limit", [1, 2, 5, 1000])
async def test_queues_are_walked_through_by_name(
    api: httpx.AsyncClient, session: Session, path: str, limit: int
) -> None:
    names = ["a", "a-b", "a.b", "a0", "a_b", "b", "paused", "z"]
    for name in names:
        if name != "paused":
            TaskFactory.create_batch(2, queue=name)
    await api.post("/admin/queues/paused/pause")
    await api.post("/admin/queues/z/pause")
    found = [
        queue
        for page in await pages(api, f"{path}?limit={limit}")
        for queue in (page["queues"] if path == "/stats" else page)
    ]
    assert [(queue["queue"], queue["waiting"]) for queue in found] == [
        (name, 0 if name == "paused" else 2) for name in sorted(names)
    ]


async def test_some_queues_may_be_asked_for(
    api: httpx.AsyncClient, session: Session, client: Face
) -> None:
    for name in ("a", "a-b", "b", "c"):
        TaskFactory(queue=name)
    asked = "/stats?queue=c&queue=a&queue=c&queue=none&limit=1"
    found = [page["queues"] for page in await pages(api, asked)]
    assert [[queue["queue"] for queue in page] for page in found] == [["a"], ["c"], []]
    assert [queue.queue for queue in (await client.stats("b", "c")).queues] == ["b", "c"]
    assert [queue.queue for queue in await client.admin.queues()] == ["a", "a-b", "b", "c"]


async def test_ten_thousand_queues_are_told_page_by_page(
    api: httpx.AsyncClient, session: Session, engine: Engine, client: Face, settings: Settings
) -> None:
    TaskFactory(queue="q00000")
    with engine.begin() as connection:
        columns = ", ".join(
            f"{name}"
            for name in connection.execute(text("SELECT * FROM tasks LIMIT 0")).keys()  # noqa: SIM118
            if name not in ("id", "queue", "due_day")
        )
        numbers = "".join(f"SELECT {n} AS d UNION ALL " for n in range(9)) + "SELECT 9"
        connection.execute(
            text(
                f"INSERT INTO tasks (queue, {columns}) SELECT CONCAT('q', "
                f"LPAD(a.d + 10 * b.d + 100 * c.d + 1000 * e.d, 5, '0')), {columns} "
                f"FROM tasks, ({numbers}) a, ({numbers}) b, ({numbers}) c, ({numbers}) e "
                "WHERE a.d + b.d + c.d + e.d > 0"
            )
        )
    await sweeping.recount(settings)

    found = await client.stats()

    assert [queue.queue for queue in found.queues] == [f"q{n:05}" for n in range(10_000)]
    assert {queue.waiting for queue in found.queues} == {1}
    answer = await api.get("/metrics")
    shown = [line for line in answer.text.splitlines() if line.startswith("rowlock_waiting_tasks")]
    assert len(shown) == 1001
    assert 'rowlock_waiting_tasks{queue="(other)"} 9000.0' in shown


async def test_attempts_are_walked_through_in_order(
    api: httpx.AsyncClient, session: Session, engine: Engine, client: Face
) -> None:
    task = TaskFactory(done=True, attempt=251)
    attempts(engine, task.id, 250)
    path = f"/tasks/{task.id}/attempts"
    assert [len(page) for page in await pages(api, path)] == [200, 51]
    for limit in (1, 50, 250, 251, 252):
        found = [a["attempt"] for page in await pages(api, f"{path}?limit={limit}") for a in page]
        assert found == [*range(1, 252)]
    assert [a.outcome for a in await client.attempts(task.id)] == ["released"] * 250 + ["done"]


async def test_a_page_of_long_errors_ends_early(
    api: httpx.AsyncClient,
    session: Session,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.service.pages.SMALL_PAGE_BYTES", 100_000)
    monkeypatch.setattr("app.service.pages.PAGE_BYTES", 300_000)
    task = TaskFactory(failed=True, attempt=12)
    attempts(engine, task.id, 12, error="x" * 65_000)
    found = await pages(api, f"/tasks/{task.id}/attempts")
    assert [len(page) for page in found] == [5, 5, 2]
    assert [a["attempt"] for page in found for a in page] == [*range(1, 13)]


@pytest.mark.parametrize("path", ["/tags", "/stats", "/admin/queues", "/tasks/{}/attempts"])
async def test_a_cursor_of_another_list_is_refused(
    api: httpx.AsyncClient, session: Session, engine: Engine, path: str
) -> None:
    task, other = TaskFactory.create_batch(2, failed=True, tags=["a", "b"])
    TaskFactory(queue="b", tags=["c"])
    for each in (task, other):
        attempts(engine, each.id, 3)
    given = {}
    for each in ("/tags", "/stats", "/tasks?x", f"/tasks/{other.id}/attempts"):
        answer = await api.get(each.replace("?x", ""), params={"limit": 1})
        given[each] = httpx.URL(answer.links["next"]["url"]).params["cursor"]
    if path in ("/stats", "/admin/queues"):
        del given["/stats"]
    given.pop(path, None)
    for cursor in (*given.values(), "", "x", "AAAA"):
        answer = await api.get(path.format(task.id), params={"cursor": cursor})
        problem(answer, 422, "cursor")


@pytest.mark.parametrize("path", ["/tags", "/stats", "/admin/queues", "/tasks/{}/attempts"])
@pytest.mark.parametrize("limit", ["0", "1001", "x", "1.0"])
async def test_a_page_has_its_bounds(
    api: httpx.AsyncClient, session: Session, path: str, limit: str
) -> None:
    answer = await api.get(path.format(TaskFactory().id), params={"limit": limit})
    problem(answer, 422, "limit")
