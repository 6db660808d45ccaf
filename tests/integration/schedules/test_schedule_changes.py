"""What clients and management make of a schedule: put, read, paused, deleted."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.support.calls import Document, problem
from tests.support.elapse import moment, mysql_now
from tests.support.factories import ScheduleFactory, ScheduleRunFactory
from tests.support.stored import everything_stored

HOURLY: Document = {"cron": "0 * * * *", "task": {"title": "tick", "queue": "ticks"}}


async def put(
    api: httpx.AsyncClient, name: str, body: Document = HOURLY, *, if_match: str | None = None
) -> httpx.Response:
    headers = {} if if_match is None else {"If-Match": if_match}
    return await api.put(f"/schedules/{name}", json=body, headers=headers)


async def test_a_schedule_is_made_shown_and_listed(api: httpx.AsyncClient) -> None:
    answer = await put(api, "每小时", HOURLY | {"timezone": "Asia/Kolkata"})
    assert answer.status_code == 201
    made = answer.json()
    assert made | {"name": "每小时", "cron": "0 * * * *", "revision": 1, "paused_at": None} == made
    assert made["task"] | {"title": "tick", "queue": "ticks", "priority": "中"} == made["task"]
    assert made["next_at"].endswith(":30:00Z"), "on the hour in India is half past"
    assert answer.headers["etag"] == '"1"'

    shown = await api.get("/schedules/每小时")
    assert (shown.json(), shown.headers["etag"]) == (made, '"1"')
    assert (await api.get("/schedules")).json() == [made]


async def test_the_same_again_changes_nothing_and_counts_nothing_anew(
    api: httpx.AsyncClient, session: Session, engine: Engine
) -> None:
    made = (await put(api, "a")).json()
    before = everything_stored(engine)
    again = await put(api, "a", {**HOURLY, "catch_up": "one", "jitter_seconds": 0})
    assert (again.status_code, again.json()) == (200, made)
    assert everything_stored(engine) == before


async def test_what_is_shown_can_be_put(api: httpx.AsyncClient) -> None:
    task = {"title": "t", "tags": ["b", "a"], "payload": {"n": 10**30}, "priority": "low"}
    made = (await put(api, "a", HOURLY | {"task": task})).json()
    body = {name: made[name] for name in ("cron", "timezone", "task", "catch_up", "overlap")}
    assert (await put(api, "a", body)).json() == made


async def test_a_change_counts_from_now_on(api: httpx.AsyncClient, engine: Engine) -> None:
    await put(api, "a")
    changed = await put(api, "a", HOURLY | {"cron": None, "interval_seconds": 86_400})
    assert changed.status_code == 200
    document = changed.json()
    assert document["revision"] == 2
    assert moment(document["next_at"]) > mysql_now(engine)
    assert document["created_at"] != document["updated_at"]


async def test_if_match_lets_only_the_revision_it_names_be_changed(api: httpx.AsyncClient) -> None:
    every_minute = HOURLY | {"cron": "* * * * *"}
    missing = problem(await put(api, "a", if_match='"1"'), 412)
    assert "a is at revision 0" in missing.detail
    await put(api, "a")
    assert (await put(api, "a", every_minute, if_match='"1"')).json()["revision"] == 2
    stale = await put(api, "a", if_match='"1"')
    assert problem(stale, 412).title == "Revision mismatch"
    assert stale.json()["revision"] == 2
    for value in ("1", '"x"', '"0"', 'W/"1"', "*", ""):
        problem(await put(api, "a", if_match=value), 422, "If-Match")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cron": None}, "cron"),
        ({"interval_seconds": 60}, "cron"),
        ({"starts_at": "2030-01-02T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z"}, "ends_at"),
        ({"jitter_seconds": 3600}, "jitter_seconds"),
        ({"cron": "0,1 * * * *", "jitter_seconds": 60}, "jitter_seconds"),
        ({"task": {"title": "x", "available_at": "2030-01-01T00:00:00Z"}}, "task.available_at"),
        ({"task": {"title": "x", "status": "done"}}, "task.status"),
    ],
)
async def test_what_does_not_fit_together_is_refused_by_name(
    api: httpx.AsyncClient, engine: Engine, change: Document, field: str
) -> None:
    problem(await put(api, "a", HOURLY | change), 422, field)
    assert not any(everything_stored(engine).values())


@pytest.mark.parametrize(
    "name", ["", "x" * 129, "%00", "a%0Ab", "a%22b", "a%5Cb", " a", "a ", "a%23", "a%25", "%FF"]
)
async def test_a_name_that_cannot_be_is_refused(api: httpx.AsyncClient, name: str) -> None:
    answer = await put(api, name)
    problem(answer, answer.status_code)
    assert answer.status_code in (404, 405, 422)
    assert (await api.get("/schedules")).json() == []


async def test_a_name_is_as_it_is_written(api: httpx.AsyncClient) -> None:
    names = ["a", "A", "ä", "x" * 128, "😀" * 128, "a.b-c_d:e f", "é", "e\u0301"]
    for name in names:
        assert (await put(api, name)).status_code == 201
    found = [schedule["name"] for schedule in (await api.get("/schedules")).json()]
    assert sorted(found) == sorted(names)


async def test_pages_of_schedules_and_of_runs_come_to_all_of_them(
    api: httpx.AsyncClient, session: Session
) -> None:
    ScheduleFactory.create_batch(7)
    name = ScheduleFactory(name="with runs").name
    runs = [ScheduleRunFactory(schedule=name, occurrence_at=at) for at in times(7)]

    assert len(await all_of(api, "/schedules")) == 8
    found = await all_of(api, f"/schedules/{name}/runs")
    assert [moment(run["occurrence_at"]) for run in found] == [
        run.occurrence_at for run in reversed(runs)
    ]


async def test_a_cursor_of_ones_own_making_that_is_no_time_is_refused(
    api: httpx.AsyncClient, session: Session
) -> None:
    ScheduleFactory(name="a")
    for place in (b"x", b"", b"2026-13-01T00:00:00"):
        said = b'{"list":"runs","schedule":"a"}'
        cursor = urlsafe_b64encode(place + sha256(place + said).digest()[:8]).rstrip(b"=").decode()
        answer = await api.get("/schedules/a/runs", params={"cursor": cursor})
        assert problem(answer, 422, "cursor").title == "Invalid request"


async def test_a_page_of_large_schedules_ends_early(api: httpx.AsyncClient) -> None:
    large = HOURLY | {"task": {"title": "t", "payload": "x" * 250_000}}
    for n in range(20):
        await put(api, f"large {n:02}", large)
    answer = await api.get("/schedules?limit=1000")
    assert len(answer.json()) < 20
    assert 'rel="next"' in answer.headers["link"]
    assert len(await all_of(api, "/schedules", limit=1000)) == 20


async def test_a_paused_schedule_has_nothing_to_come_and_goes_on_from_its_resumption(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await put(api, "a")
    paused = (await api.post("/admin/schedules/a/pause")).json()
    assert (paused["next_at"], paused["revision"]) == (None, 2)
    assert (await api.post("/admin/schedules/a/pause")).json() == paused
    still = (await put(api, "a", HOURLY | {"cron": "* * * * *"})).json()
    assert (still["next_at"], still["paused_at"]) == (None, paused["paused_at"])
    assert len((await api.get("/schedules/a/next?count=3")).json()) == 3

    resumed = (await api.post("/admin/schedules/a/resume")).json()
    assert resumed["paused_at"] is None
    assert moment(resumed["next_at"]) > mysql_now(engine)
    assert (await api.post("/admin/schedules/a/resume")).json() == resumed


async def test_a_deleted_schedule_is_gone_with_its_runs_and_its_tasks_stay(
    api: httpx.AsyncClient,
) -> None:
    await put(api, "a")
    task = (await api.post("/schedules/a/run")).json()
    assert (await api.delete("/schedules/a")).status_code == 204

    for method, path in [
        *(("GET", ""), ("DELETE", ""), ("GET", "/next"), ("GET", "/runs"), ("POST", "/run")),
        ("POST", "/backfill"),
    ]:
        body = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
        json = body if path == "/backfill" else None
        missing = problem(await api.request(method, f"/schedules/a{path}", json=json), 404)
        assert missing.title == "Schedule not found"
    for action in ("pause", "resume"):
        problem(await api.post(f"/admin/schedules/a/{action}"), 404)
    assert (await api.get(f"/tasks/{task['id']}")).status_code == 200
    await put(api, "a")
    assert (await api.get("/schedules/a/runs")).json() == []


async def test_what_is_previewed_is_what_the_zone_makes_of_it(api: httpx.AsyncClient) -> None:
    body = HOURLY | {"cron": "30 2 * * *", "timezone": "Europe/Berlin"}
    await put(api, "a", body)
    answer = await api.get("/schedules/a/next?after=2027-03-27T00:00:00Z&count=3")
    assert [o["local"] for o in answer.json()] == [
        "2027-03-27T02:30:00+01:00",
        "2027-03-28T03:00:00+02:00",
        "2027-03-29T02:30:00+02:00",
    ]
    assert answer.json()[0]["occurrence_at"] == "2027-03-27T01:30:00Z"


async def test_an_expression_can_be_tried_before_it_is_put(api: httpx.AsyncClient) -> None:
    tried = await api.get("/cron", params={"expression": "@yearly", "timezone": "Asia/Tokyo"})
    assert len(tried.json()) == 10
    assert all(o["local"].endswith("-01-01T00:00:00+09:00") for o in tried.json())

    refused = problem(
        await api.get("/cron", params={"expression": "61 * * * *"}), 422, "expression"
    )
    assert "minute" in refused.detail
    assert "0 to 59" in refused.detail
    for params, field in [
        ({"expression": "0 0 30 2 *"}, "expression"),
        ({"expression": "* * * * *", "timezone": "Mars"}, "timezone"),
        ({"expression": "* * * * *", "count": "0"}, "count"),
        ({"expression": "* * * * *", "count": "101"}, "count"),
        ({}, "expression"),
    ]:
        problem(await api.get("/cron", params=params), 422, field)


def times(count: int) -> list[Any]:
    run = ScheduleRunFactory.build()
    return [run.occurrence_at.replace(second=n) for n in range(count)]


async def all_of(api: httpx.AsyncClient, path: str, limit: int = 3) -> list[Document]:
    """Every page of a list."""
    found: list[Document] = []
    url: httpx.URL | None = api.base_url.join(f"{path}?limit={limit}")
    while url is not None:
        answer = await api.get(url)
        assert len(answer.json()) <= limit
        found += answer.json()
        link = answer.links.get("next")
        url = None if link is None else url.join(link["url"])
    return found
