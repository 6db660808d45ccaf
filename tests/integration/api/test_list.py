"""`GET /tasks`: every filter alone and with every other, against the same rule in Python."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import combinations, cycle
from typing import Any

import httpx
import pytest
from sqlalchemy.orm import Session

from tests.support.calls import Document, submit
from tests.support.factories import TaskFactory

T0 = datetime.fromisoformat("2026-01-01")

# What is asked, and what then has to hold of each task answered, and of no other.
FILTERS: dict[str, tuple[dict[str, Any], Callable[[Document], bool]]] = {
    "one status": ({"status": "to_do"}, lambda t: t["status"] == "to_do"),
    "any of these statuses": (
        {"status": ["done", "failed", "to_do", "in_progress"]},
        lambda t: t["status"] in ("done", "failed", "to_do", "in_progress"),
    ),
    "any of these priorities": (
        {"priority": ["高", "low"]},
        lambda t: t["priority"] in ("高", "低"),
    ),
    "one priority in English": ({"priority": "high"}, lambda t: t["priority"] == "高"),
    "one queue": ({"queue": "images"}, lambda t: t["queue"] == "images"),
    "any of these queues": (
        {"queue": ["images", "mail", "nobody-uses-it"]},
        lambda t: t["queue"] in ("images", "mail"),
    ),
    "one tag": ({"tag": "核心业务"}, lambda t: "核心业务" in t["tags"]),
    "all of these tags": (
        {"tag": ["核心业务", "b"]},
        lambda t: {"核心业务", "b"} <= set(t["tags"]),
    ),
    "title": ({"title": "报告"}, lambda t: "报告" in t["title"]),
    "created after": (
        {"created_after": "2026-01-03T00:00:00Z"},
        lambda t: t["created_at"] >= "2026-01-03T00:00:00Z",
    ),
    "created before": (
        {"created_before": "2026-01-08T08:00:00+08:00"},
        lambda t: t["created_at"] < "2026-01-08T00:00:00Z",
    ),
    "due after": (
        {"due_after": "2026-02-02T00:00:00"},
        lambda t: (t["due_date"] or "") >= "2026-02-02T00:00:00Z",
    ),
    "due before": (
        {"due_before": "2026-02-07T00:00:00Z"},
        lambda t: (t["due_date"] or "9") < "2026-02-07T00:00:00Z",
    ),
    "worker": ({"worker": " host-1 "}, lambda t: t["worker"] == "host-1"),
    "completed after": (
        {"completed_after": "2026-01-07T00:00:00Z"},
        lambda t: (t["completed_at"] or "") >= "2026-01-07T00:00:00Z",
    ),
    "completed before": (
        {"completed_before": "2026-01-09T00:00:00Z"},
        lambda t: (t["completed_at"] or "9") < "2026-01-09T00:00:00Z",
    ),
    "available after": (
        {"available_after": "2026-01-05T00:00:00Z"},
        lambda t: (t["available_at"] or "") >= "2026-01-05T00:00:00Z",
    ),
    "available before": (
        {"available_before": "2999-01-05T00:00:00Z"},
        lambda t: (t["available_at"] or "9") < "2999-01-05T00:00:00Z",
    ),
}


@pytest.fixture
def tasks(session: Session) -> int:
    """Tasks of every kind, their traits out of step with each other; how many."""
    states = cycle(["", "in_progress", "done", "retrying", "failed", "paused", "cancelled"])
    tags: Iterator[list[str]] = cycle(
        [[], ["核心业务"], ["b", "核心业务"], ["b"], ["a", "b", "核心业务"]]
    )
    workers = cycle(["host-1", "host-1", "Host-1", "host-2", "höst-1"])
    available = cycle([None, T0, T0 + timedelta(days=5), T0 + timedelta(days=400_000)])
    for number in range(84):
        state = next(states)
        if state == "done":
            done_at = T0 + timedelta(days=number // 9, hours=number)
            times: dict[str, Any] = {"completed_at": done_at, "started_at": done_at}
        else:
            times = {"available_at": next(available)}
        if state not in ("", "paused", "cancelled"):
            times["worker"] = next(workers)
        TaskFactory(
            **({state: True} if state else {}),
            **times,
            title=f"{'报告' if number % 4 else 'report'} {number}",
            priority="高中低"[number % 3],
            queue=["default", "images", "mail"][number // 2 % 3],
            created_at=T0 + timedelta(days=number // 9),
            due_date=None if number % 5 == 0 else T0 + timedelta(days=31 + number % 8),
            tags=next(tags),
        )
    return 84


async def ask(api: httpx.AsyncClient, **params: Any) -> list[Document]:
    answer = await api.get("/tasks", params=params)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


async def test_without_a_filter_all_are_answered_the_newest_first(
    api: httpx.AsyncClient, tasks: int
) -> None:
    everything = await ask(api, limit=1000)
    assert len(everything) == tasks
    ids = [task["id"] for task in everything]
    assert ids == sorted(ids, reverse=True)
    assert [task["id"] for task in await ask(api, limit=1000, order="asc")] == ids[::-1]
    assert [task["id"] for task in await ask(api)] == ids[:50], "50 unless asked otherwise"


@pytest.mark.parametrize("first", FILTERS)
async def test_each_filter_alone_and_with_each_other(
    api: httpx.AsyncClient, tasks: int, first: str
) -> None:
    everything = await ask(api, limit=1000)
    found_some = 0
    said, holds = FILTERS[first]
    for second, (also_said, also_holds) in FILTERS.items():
        if first != second and said.keys() & also_said.keys():
            continue
        expected = [task for task in everything if holds(task) and also_holds(task)]
        assert await ask(api, limit=1000, **said | also_said) == expected, second
        found_some += 0 < len(expected) < tasks
    assert found_some > len(FILTERS) / 2, "the tasks do not tell the filters apart"


async def test_three_and_more_filters_combine(api: httpx.AsyncClient, tasks: int) -> None:
    everything = await ask(api, limit=1000)
    together = [name for name in FILTERS if name not in ("one status", "one queue", "one tag")]
    together.remove("one priority in English")
    for size in (3, len(together)):
        for names in combinations(together, size):
            params = {k: v for name in names for k, v in FILTERS[name][0].items()}
            expected = [t for t in everything if all(FILTERS[name][1](t) for name in names)]
            assert await ask(api, limit=1000, **params) == expected, names


async def test_tasks_are_found_by_id(api: httpx.AsyncClient, tasks: int) -> None:
    everything = await ask(api, limit=1000)
    wanted = [everything[70]["id"], everything[3]["id"], everything[3]["id"], 2**63 - 1]
    assert await ask(api, id=wanted) == [everything[3], everything[70]]
    assert await ask(api, id=wanted, order="asc") == [everything[70], everything[3]]
    assert await ask(api, id=wanted, queue="nobody-uses-it") == []


@pytest.mark.parametrize("tag", ["a tag nobody uses", "B", "é"])
async def test_a_tag_is_found_to_the_letter(
    api: httpx.AsyncClient, session: Session, tag: str
) -> None:
    TaskFactory(tags=["b", "e"])
    assert await ask(api, tag=tag) == []
    assert await ask(api, tag=["b", tag]) == []
    assert len(await ask(api, tag=["b", "b", "e"])) == 1


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("%", ["100 % done"]),
        ("_", ["snake_case"]),
        ("\\", ["back\\slash"]),
        ("\\%", []),
        ("e_c", ["snake_case"]),
        ("k_s", []),
        ("'", ["it's"]),
        ("  done ", ["100 % done"]),
        ("😀", ["a face 😀"]),
        ("🗻", []),
        ("𠀀", ["rare 𠀀"]),
        ("𠀁", []),
        ("SNAKE", ["snake_case"]),
    ],
)
async def test_a_title_is_searched_for_what_is_said_and_nothing_is_a_wildcard(
    api: httpx.AsyncClient, title: str, found: list[str]
) -> None:
    titles = ["100 % done", "snake_case", "back\\slash", "it's", "a face 😀", "rare 𠀀", "plain"]
    for each in titles:
        await submit(api, title=each)
    assert [task["title"] for task in await ask(api, title=title)] == found


@pytest.mark.parametrize(
    "moment", ["2026-01-31T08:00:00.000001Z", "2026-01-31T16:00:00.000001+08:00"]
)
async def test_after_includes_the_moment_and_before_does_not(
    api: httpx.AsyncClient, moment: str
) -> None:
    task = await submit(api, due_date=moment)
    assert await ask(api, due_after=moment) == [task]
    assert await ask(api, due_before=moment) == []
    assert await ask(api, created_after=task["created_at"]) == [task]
    assert await ask(api, created_before=task["created_at"]) == []


async def test_an_offset_whose_plus_was_not_encoded_is_understood(api: httpx.AsyncClient) -> None:
    await submit(api, due_date="2026-01-31T00:00:00Z")
    for due_after, found in (("2026-01-31T08:00:00+08:00", 1), ("2026-01-31T08:00:01+08:00", 0)):
        answer = await api.get(f"/tasks?due_after={due_after}")
        assert len(answer.json()) == found


async def test_a_list_after_a_write_is_never_the_one_from_before(api: httpx.AsyncClient) -> None:
    for number in range(5):
        assert len(await ask(api, queue="default")) == number
        assert len(await ask(api, queue="default")) == number, "now from the cache"
        await submit(api)
    task = (await ask(api))[0]
    await api.patch(f"/tasks/{task['id']}", json={"title": "renamed"})
    assert (await ask(api))[0]["title"] == "renamed"
    await api.delete(f"/tasks/{task['id']}")
    assert len(await ask(api, queue="default")) == 4


async def test_what_is_asked_for_twice_is_answered_once(api: httpx.AsyncClient, tasks: int) -> None:
    for name, values in (
        ("status", ["to_do", "to_do"]),
        ("priority", ["high", "高"]),
        ("queue", ["mail", "mail"]),
        ("tag", ["b", "b"]),
    ):
        once = await ask(api, limit=1000, **{name: values[0]})
        assert await ask(api, limit=1000, **{name: values}) == once
    ids = [task["id"] for task in once]
    assert await ask(api, limit=1000, id=ids * 2) == once
    answer = await api.post("/admin/tasks/cancel?status=paused&status=paused&dry_run=true")
    assert answer.json()["matched"] == len(await ask(api, limit=1000, status="paused"))


async def test_many_queues_are_listed_like_few(api: httpx.AsyncClient, session: Session) -> None:
    queues = [f"queue-{number}" for number in range(10)]
    for number in range(60):
        state = ["", "failed", "done"][number % 3]
        TaskFactory(
            **({state: True} if state else {}),
            queue=queues[number % 10],
            priority="高中低"[number % 3],
            created_at=T0 + timedelta(days=number // 7),
        )
    everything = await ask(api, limit=1000)
    asked: list[tuple[dict[str, Any], Callable[[Document], bool]]] = [
        ({"priority": "高"}, lambda t: t["priority"] == "高"),
        ({"queue": queues[:7]}, lambda t: t["queue"] in queues[:7]),
        ({"status": ["failed", "to_do"]}, lambda t: t["status"] in ("failed", "to_do")),
        (
            {"queue": queues[:8], "created_after": "2026-01-03T00:00:00Z"},
            lambda t: t["queue"] in queues[:8] and t["created_at"] >= "2026-01-03",
        ),
    ]
    for said, holds in asked:
        for order in (1, -1):
            expected = [task for task in everything[::order] if holds(task)]
            found = await ask(api, limit=1000, order="desc" if order == 1 else "asc", **said)
            assert found == expected, said
