"""Which workers there are: as polls and tasks show them."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.domain.worker import SILENT_SECONDS
from app.queue import workers as register
from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import claim_one, complete, problem, submit
from tests.support.elapse import elapse, is_between, moment, mysql_now
from tests.support.factories import TaskFactory
from tests.support.workers import names, quoted, told, worker, workers

NAMES = [
    *("a/b", "/", "//a/", "..", "a?b#c", "%2F%00", "a\nb", "a\n", "名字 😀", "e\u0301", "é", "É"),
    *("w", "W", "\x01", "a\x01", "😀" * 255, "x" * 255, "a; DROP TABLE workers", "finish"),
]


async def test_a_poll_is_shown_with_who_has_made_it(
    settings: Settings, api: httpx.AsyncClient, engine: Engine
) -> None:
    before = mysql_now(engine)
    poll = {"worker": "host-1", "queues": ["images", "default", "images"]}
    await told(settings, poll, agent="resizer/2.1", address="192.0.2.7")

    (found,) = await workers(api)
    assert is_between(before, moment(found["last_seen_at"]), mysql_now(engine))
    assert found == {
        "worker": "host-1",
        "agent": "resizer/2.1",
        "address": "192.0.2.7",
        "queues": ["default", "images"],
        "first_seen_at": found["last_seen_at"],
        "last_seen_at": found["last_seen_at"],
        "state": "polling",
        "running": 0,
        "oldest_started_at": None,
    }
    assert await worker(api, "host-1") == {**found, "leases": []}


async def test_a_poll_of_finish_and_claim_counts_too(
    settings: Settings, api: httpx.AsyncClient
) -> None:
    async with serving(settings) as other:
        await other.post("/leases/finish", json={"items": []})
        await other.post("/leases/finish", json={"items": [], "claim": {"worker": "w"}})
    assert await names(api) == ["w"]


async def test_what_a_worker_holds_is_shown(settings: Settings, api: httpx.AsyncClient) -> None:
    tasks = [await submit(api, title=f"t{n}", queue="a", timeout_seconds=60) for n in range(3)]
    async with serving(settings) as other:
        poll = {"worker": "w", "queues": ["b", "a"], "limit": 1}
        leases = [await claim_one(other, **poll) for _ in tasks]
        await complete(other, leases[0])

    found = await worker(api, "w")

    started = [lease["task"]["started_at"] for lease in leases]
    assert (found["state"], found["running"], found["queues"]) == ("running", 2, ["a", "b"])
    assert found["oldest_started_at"] == started[1]
    assert found["leases"] == [
        {
            "task_id": lease["task"]["id"],
            "title": lease["task"]["title"],
            "queue": "a",
            "attempt": 1,
            "started_at": lease["task"]["started_at"],
            "deadline": lease["deadline"],
        }
        for lease in leases[1:]
    ]
    del found["leases"]
    assert await workers(api) == [found]


async def test_of_very_many_tasks_the_oldest_are_shown(
    api: httpx.AsyncClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register, "HELD_SHOWN", 2)
    begun = TaskFactory.build().created_at
    held = [
        TaskFactory(in_progress=True, worker="w", started_at=begun - timedelta(seconds=age))
        for age in (5, 9, 7)
    ]
    found = await worker(api, "w")
    assert found["running"] == 3
    assert [lease["task_id"] for lease in found["leases"]] == [held[1].id, held[2].id]


async def test_a_running_worker_is_shown_though_nothing_was_told_of_it(
    api: httpx.AsyncClient, session: Session
) -> None:
    for queue in ("b", "a", "b"):
        TaskFactory(in_progress=True, worker="w", queue=queue)
    TaskFactory(done=True, worker="other")

    (found,) = await workers(api)

    assert (found["worker"], found["queues"], found["running"]) == ("w", ["a", "b"], 3)
    assert (found["agent"], found["address"], found["state"]) == (None, None, "running")
    assert found["first_seen_at"] == found["oldest_started_at"] <= found["last_seen_at"]
    problem(await api.get("/admin/workers/other"), 404)


async def test_a_claim_is_a_poll_though_it_was_not_told_of(
    settings: Settings, api: httpx.AsyncClient, engine: Engine
) -> None:
    await told(settings, {"worker": "w"})
    elapse(engine, 1000)
    await submit(api)
    lease = await claim_one(api, worker="w")
    assert (await worker(api, "w"))["last_seen_at"] == lease["task"]["started_at"]


async def test_names_are_kept_to_the_letter(settings: Settings, api: httpx.AsyncClient) -> None:
    await told(settings, *({"worker": name} for name in NAMES))
    kept = {name.strip() for name in NAMES}
    assert set(await names(api, limit=1000)) == kept
    for name in kept:
        assert (await worker(api, name))["worker"] == name
    for name in ("wW", "none", "a/b/", "%", "_"):
        found = problem(await api.get(f"/admin/workers/{quoted(name)}"), 404)
        assert found.title == "Worker not found"
        assert name in found.detail


async def test_a_slash_in_a_path_may_stand_as_it_is(
    settings: Settings, api: httpx.AsyncClient
) -> None:
    await told(settings, {"worker": "a/b"})
    assert (await api.get("/admin/workers/a/b")).json()["worker"] == "a/b"
    assert (await api.head("/admin/workers/a/b")).status_code == 200
    problem(await api.delete("/admin/workers/a/b"), 405)
    problem(await api.get("/admin/workers/"), 404)


async def test_a_name_in_tasks_counts_to_the_letter(
    api: httpx.AsyncClient, session: Session
) -> None:
    """The column there takes e for E and é."""
    for name in ("e", "E", "é", "e"):
        TaskFactory(in_progress=True, worker=name)
    running = {found["worker"]: found["running"] for found in await workers(api)}
    assert running == {"e": 2, "E": 1, "é": 1}
    for name, count in running.items():
        assert len((await worker(api, name))["leases"]) == count


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
async def test_they_are_walked_through_by_name(
    settings: Settings, api: httpx.AsyncClient, session: Session, limit: int
) -> None:
    """Those in the register and those that only hold tasks, as one list."""
    expected = ["\x01", "B", "a\tb", "a", "a b", "a-", "b", "核心业务", "😀"]
    await told(settings, *({"worker": name} for name in expected[::2]))
    for name in expected[1::3]:
        TaskFactory(in_progress=True, worker=name)
    for name in expected:
        TaskFactory(in_progress=True, worker=name)

    found, path = [], f"/admin/workers?limit={limit}"
    while path:
        answer = await api.get(path)
        assert len(answer.json()) == limit or "link" not in answer.headers
        found += [each["worker"] for each in answer.json()]
        link = answer.links.get("next")
        path = f"/admin/{link['url']}" if link else ""
    assert found == expected


async def test_states_follow_from_polls_and_tasks(
    settings: Settings, api: httpx.AsyncClient, session: Session, engine: Engine
) -> None:
    await told(settings, {"worker": "gone"}, {"worker": "busy"})
    elapse(engine, SILENT_SECONDS + 1)
    await told(settings, {"worker": "idle"})
    TaskFactory(in_progress=True, worker="busy")

    states = {found["worker"]: found["state"] for found in await workers(api)}
    assert states == {"gone": "silent", "busy": "running", "idle": "polling"}

    elapse(engine, SILENT_SECONDS - 5)
    assert (await worker(api, "idle"))["state"] == "polling"


async def test_filters_combine(
    settings: Settings, api: httpx.AsyncClient, session: Session, engine: Engine
) -> None:
    await told(settings, {"worker": "old-a", "queues": ["a"]}, {"worker": "busy", "queues": ["x"]})
    elapse(engine, 100)
    await told(
        settings, {"worker": "new-ab", "queues": ["a", "b"]}, {"worker": "new-c", "queues": ["c"]}
    )
    for queue in ("a", "c"):
        TaskFactory(in_progress=True, worker="busy", queue=queue)
    TaskFactory(in_progress=True, worker="unknown", queue="b")

    everybody = ["busy", "new-ab", "new-c", "old-a", "unknown"]
    assert await names(api) == everybody
    assert await names(api, queue="a") == ["busy", "new-ab", "old-a"]
    assert await names(api, queue="x") == ["busy"]
    assert await names(api, queue=["b", "c"]) == ["busy", "new-ab", "new-c", "unknown"]
    assert await names(api, queue="none") == []
    # Who holds a task was seen to begin it, and is there as far as anybody knows.
    assert await names(api, seen_within_seconds=60) == ["busy", "new-ab", "new-c", "unknown"]
    assert await names(api, seen_within_seconds=86_400) == everybody
    assert await names(api, seen_within_seconds=60, queue="a") == ["busy", "new-ab"]
    (busy,) = [found for found in await workers(api, queue="a") if found["worker"] == "busy"]
    assert (busy["queues"], busy["running"]) == (["x"], 2)


async def test_a_page_is_of_its_filters(settings: Settings, api: httpx.AsyncClient) -> None:
    await told(settings, *({"worker": f"w{n}", "queues": ["ab"[n % 2]]} for n in range(6)))
    answer = await api.get("/admin/workers?queue=a&queue=a&limit=2&seen_within_seconds=60")
    assert [found["worker"] for found in answer.json()] == ["w0", "w2"]
    following = answer.links["next"]["url"]
    assert [f["worker"] for f in (await api.get(f"/admin/{following}")).json()] == ["w4"]
    cursor = httpx.URL(following).params["cursor"]
    for other in ("queue=b", "limit=2", "queue=a", "queue=a&seen_within_seconds=61"):
        problem(await api.get(f"/admin/workers?{other}&cursor={cursor}"), 422, "cursor")


async def test_a_poll_that_names_no_queue_is_of_each(
    settings: Settings, api: httpx.AsyncClient, engine: Engine
) -> None:
    await told(settings, {"worker": "w"})
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE workers SET queues = NULL")
    (found,) = await workers(api, queue="whatever")
    assert (found["worker"], found["queues"]) == ("w", [])


async def test_a_name_that_no_worker_can_have_is_refused(api: httpx.AsyncClient) -> None:
    for name in ("%20", "%00", "x" * 256):
        problem(await api.get(f"/admin/workers/{name}"), 422, "worker")
    problem(await api.get("/admin/workers/w?queue=a"), 422, "queue")
