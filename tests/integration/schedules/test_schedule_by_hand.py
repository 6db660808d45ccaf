"""A schedule's task submitted by hand: now, and for occurrences of the past."""

from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.service.firing import fire_due
from app.service.resources import Resources
from tests.support.calls import Document, problem
from tests.support.elapse import moment, mysql_now
from tests.support.factories import ScheduleFactory, ScheduleRunFactory
from tests.support.stored import everything_stored

MINUTE = timedelta(minutes=1)
DAY = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}


@pytest.fixture(autouse=True)
def _schedule(session: Session) -> None:
    ScheduleFactory(name="a")


async def runs(api: httpx.AsyncClient) -> list[Document]:
    return list((await api.get("/schedules/a/runs?limit=1000")).json())


async def test_a_run_by_hand_is_a_task_and_a_run_of_its_own(
    api: httpx.AsyncClient, resources: Resources
) -> None:
    first = await api.post("/schedules/a/run")
    second = await api.post("/schedules/a/run")
    assert (first.status_code, second.status_code) == (201, 201), "it heeds no overlap"
    task = first.json()
    assert (await api.get(f"/schedules/a/{first.headers['location']}")).json() == task
    found = await runs(api)
    assert [(run["kind"], run["outcome"], run["task_id"]) for run in found] == [
        ("manual", "submitted", second.json()["id"]),
        ("manual", "submitted", task["id"]),
    ]
    assert task["origin"] == {"schedule": "a", "occurrence_at": found[1]["occurrence_at"]}
    assert (await api.get("/schedules/a")).json()["last_task_id"] is None
    assert await fire_due(resources) == 0


async def test_with_a_key_it_runs_once(api: httpx.AsyncClient, session: Session) -> None:
    ScheduleFactory(name="b")
    headers = {"Idempotency-Key": "tonight"}
    first = await api.post("/schedules/a/run", headers=headers)
    again = await api.post("/schedules/a/run", headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.json(), again.headers["location"]) == (first.json(), first.headers["location"])
    assert len(await runs(api)) == 1
    problem(await api.post("/schedules/b/run", headers=headers), 422)
    problem(await api.post("/tasks", json={"title": "a"}, headers=headers), 422)

    await api.delete(f"/tasks/{first.json()['id']}")
    assert (await api.post("/schedules/a/run", headers=headers)).status_code == 201


async def test_a_backfill_submits_what_has_no_task_yet(
    api: httpx.AsyncClient, session: Session
) -> None:
    at = datetime(2026, 1, 1, 5)  # noqa: DTZ001
    ScheduleRunFactory(schedule="a", occurrence_at=at)
    ScheduleRunFactory(schedule="a", occurrence_at=at.replace(hour=6), outcome="submitted")
    late = ScheduleRunFactory(
        schedule="a", occurrence_at=at - timedelta(hours=6), outcome="skipped_late"
    )

    answer = await api.post("/schedules/a/backfill", json=DAY)

    assert answer.json() == {"submitted": 23, "existing": 1}
    found = await runs(api)
    assert len(found) == 25
    assert [run["outcome"] for run in found] == ["submitted"] * 24 + ["skipped_late"]
    assert found[-1]["fired_at"].startswith(late.fired_at.isoformat()), "before from: left alone"
    tasks = (await api.get("/tasks?limit=1000")).json()
    assert {(task["id"], task["origin"]["occurrence_at"]) for task in tasks} == {
        (run["task_id"], run["occurrence_at"]) for run in found if run["kind"] == "backfill"
    }
    assert (await api.post("/schedules/a/backfill", json=DAY)).json() == {
        "submitted": 0,
        "existing": 24,
    }


async def test_it_takes_from_and_leaves_out_to(api: httpx.AsyncClient) -> None:
    body = {"from": "2026-01-01T05:00:00Z", "to": "2026-01-01T06:00:00Z"}
    assert (await api.post("/schedules/a/backfill", json=body)).json()["submitted"] == 1
    body = {"from": "2026-01-01T06:00:00.000001Z", "to": "2026-01-01T07:00:00.000001Z"}
    assert (await api.post("/schedules/a/backfill", json=body)).json()["submitted"] == 1


async def test_what_is_backfilled_before_a_scheduler_comes_is_not_submitted_again(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    now = mysql_now(engine).replace(microsecond=0)
    begin = now - timedelta(minutes=5)
    ScheduleFactory(
        name="late",
        interval_seconds=60,
        starts_at=begin,
        considered_at=begin,
        catch_up="all",
        overlap="allow",
    )
    body = {"from": f"{begin.isoformat()}Z", "to": f"{now.isoformat()}Z"}
    assert (await api.post("/schedules/late/backfill", json=body)).json()["submitted"] == 5
    assert await fire_due(resources) == 1, "the one that `to` has left out"
    tasks = (await api.get("/tasks?limit=1000")).json()
    assert len({task["origin"]["occurrence_at"] for task in tasks}) == len(tasks) == 6


def two_hours_late(engine: Engine) -> datetime:
    """A schedule "late" of each minute, of which nobody has looked at two hours; when it began."""
    begin = mysql_now(engine).replace(microsecond=0) - timedelta(hours=2, seconds=30)
    times = {"starts_at": begin, "considered_at": begin - timedelta(seconds=1)}
    ScheduleFactory(name="late", interval_seconds=60, catch_up="none", **times)
    return begin


async def backfill_minutes(
    api: httpx.AsyncClient, begin: datetime, first: int, last: int
) -> Document:
    body = {
        "from": f"{(begin + first * MINUTE).isoformat()}Z",
        "to": f"{(begin + last * MINUTE).isoformat()}.1Z",
    }
    return dict((await api.post("/schedules/late/backfill", json=body)).json())


async def spans(api: httpx.AsyncClient, begin: datetime) -> list[tuple[str, int, int]]:
    """(outcome, first minute, last minute) of what each run stands for, oldest first."""
    found = (await api.get("/schedules/late/runs?limit=1000")).json()
    lasts = [(moment(run["occurrence_at"]) - begin) // MINUTE for run in found]
    return [
        (run["outcome"], last + 1 - max(run["skipped"], 1), last)
        for run, last in zip(reversed(found), reversed(lasts), strict=True)
    ]


async def test_what_is_backfilled_before_a_scheduler_comes_hides_nothing_that_it_leaves_out(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    begin = two_hours_late(engine)
    await backfill_minutes(api, begin, 7, 7)
    await backfill_minutes(api, begin, 120, 120)
    assert await fire_due(resources) == 0
    assert await spans(api, begin) == [
        ("skipped_late", 0, 6),
        ("submitted", 7, 7),
        ("skipped_late", 8, 119),
        ("submitted", 120, 120),
    ]


async def test_a_backfill_of_a_part_leaves_the_reason_of_the_rest(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    begin = two_hours_late(engine)
    await fire_due(resources)
    assert await spans(api, begin) == [("skipped_late", 0, 120)]
    assert (await backfill_minutes(api, begin, 120, 120))["submitted"] == 1
    assert await spans(api, begin) == [("skipped_late", 0, 119), ("submitted", 120, 120)]
    assert (await backfill_minutes(api, begin, 60, 60))["submitted"] == 1
    assert await spans(api, begin) == [
        ("skipped_late", 0, 59),
        ("submitted", 60, 60),
        ("skipped_late", 61, 119),
        ("submitted", 120, 120),
    ]
    assert await backfill_minutes(api, begin, 0, 120) == {"submitted": 119, "existing": 2}
    assert await spans(api, begin) == [("submitted", n, n) for n in range(121)]


async def test_a_backfill_in_a_new_rhythm_leaves_what_is_known_of_the_old_one(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    begin = two_hours_late(engine)
    await fire_due(resources)
    before = await spans(api, begin)
    yearly = {"cron": "0 0 1 1 *", "task": {"title": "t"}}
    assert (await api.put("/schedules/late", json=yearly)).status_code == 200
    assert (await backfill_minutes(api, begin, 0, 120))["submitted"] == 0
    assert await spans(api, begin) == before


async def test_a_run_by_hand_parts_nothing_that_was_missed(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    """It is no occurrence, whenever it was."""
    begin = mysql_now(engine).replace(microsecond=0) - timedelta(seconds=330)
    ScheduleFactory(
        name="late", interval_seconds=60, starts_at=begin, considered_at=begin, catch_up="none"
    )
    ScheduleRunFactory(
        schedule="late",
        kind="manual",
        outcome="submitted",
        occurrence_at=begin + timedelta(seconds=90),
    )
    assert await fire_due(resources) == 0
    found = (await api.get("/schedules/late/runs")).json()
    assert [(run["kind"], run["skipped"]) for run in found] == [("due", 5), ("manual", 0)]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (DAY | {"to": DAY["from"]}, "later than from"),
        (DAY | {"to": "2025-12-31T00:00:00Z"}, "later than from"),
        (DAY | {"to": "2990-01-01T00:00:00Z"}, "future"),
        (DAY | {"to": "2026-02-20T00:00:00Z"}, "1,000"),
    ],
)
async def test_a_time_that_cannot_be_backfilled_is_refused_and_nothing_is_stored(
    api: httpx.AsyncClient, engine: Engine, body: Document, said: str
) -> None:
    before = everything_stored(engine)
    refused = problem(await api.post("/schedules/a/backfill", json=body), 422, "to")
    assert said in refused.detail
    assert everything_stored(engine) == before


async def test_tasks_too_large_together_are_refused(api: httpx.AsyncClient, engine: Engine) -> None:
    large = {"cron": "0 * * * *", "task": {"title": "t", "payload": "x" * 250_000}}
    await api.put("/schedules/a", json=large)
    before = everything_stored(engine)
    body = DAY | {"to": "2026-01-10T00:00:00Z"}
    refused = problem(await api.post("/schedules/a/backfill", json=body), 422, "to")
    assert "too large together" in refused.detail
    assert everything_stored(engine) == before
    assert (await api.post("/schedules/a/backfill", json=DAY)).json()["submitted"] == 24
