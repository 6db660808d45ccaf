"""Time comes to schedules: each occurrence has one task, or a reason why it has none."""

from datetime import datetime, timedelta
from functools import partial

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.domain.schedule import text_of
from app.queue.schedules.firing import fire_once
from app.queue.tags import TagIds
from app.service.firing import fire_due
from app.service.resources import Resources
from tests.support.calls import Document, claim_one, complete
from tests.support.due_schedules import due_since, runs, tasks
from tests.support.elapse import moment, mysql_now
from tests.support.factories import ScheduleFactory
from tests.support.rows import a_new_task

MINUTE = timedelta(minutes=1)


def brief(run: Document) -> tuple[datetime, str, int]:
    return moment(run["occurrence_at"]), run["outcome"], run["skipped"]


async def test_an_occurrence_that_is_due_submits_the_schedules_task_once(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    (at,) = due_since(engine, timedelta(seconds=1))
    body = {"title": "tick", "tags": ["b", "a"], "priority": "高", "payload": [1], "queue": "q"}
    await api.put("/schedules/unlike", json={"cron": "0 0 1 1 *", "task": body})
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE schedules s JOIN schedules o ON o.name = 'unlike' "
                "SET s.task = o.task WHERE s.name = 'a'"
            )
        )

    assert await fire_due(resources) == 1
    assert await fire_due(resources) == 0

    (task,) = await tasks(api)
    assert task == task | body | {"tags": ["a", "b"], "status": "to_do"}
    assert task["origin"]["schedule"] == "a"
    assert moment(task["origin"]["occurrence_at"]) == at
    (run,) = await runs(api)
    assert run == run | {"kind": "due", "outcome": "submitted", "task_id": task["id"]}
    schedule = (await api.get("/schedules/a")).json()
    assert moment(schedule["next_at"]) == at + MINUTE
    assert schedule["last_task_id"] == task["id"]
    assert schedule["revision"] == 1, "nobody changed it"
    assert (await claim_one(api, queues=["q"]))["task"]["origin"] == task["origin"]
    assert {tag["name"]: tag["tasks"] for tag in (await api.get("/tags")).json()} == {
        "a": 1,
        "b": 1,
    }


@pytest.mark.parametrize(
    "catch_up", [("none", [], 60), ("one", [1], 59), ("all", [*range(60, 0, -1)], 0)]
)
async def test_a_scheduler_that_was_away_for_an_hour_catches_up_as_was_said(
    api: httpx.AsyncClient,
    resources: Resources,
    engine: Engine,
    session: Session,
    catch_up: tuple[str, list[int], int],
) -> None:
    name, submitted, skipped = catch_up
    ago = [MINUTE * n - timedelta(seconds=30) for n in range(1, 61)]
    occurrences = due_since(engine, *ago, catch_up=name, overlap="allow")
    times = dict(zip(range(1, 61), occurrences, strict=True))

    assert await fire_due(resources) == len(submitted)

    expected = [(times[n], "submitted", 0) for n in submitted]
    if skipped:
        newest = min(set(times) - set(submitted))
        expected.append((times[newest], "skipped_late", skipped))
    assert sorted(map(brief, await runs(api))) == sorted(expected)
    assert len(await tasks(api)) == len(submitted)
    assert await fire_due(resources) == 0


async def test_a_year_away_is_over_in_one_run_of_the_sweep(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    due_since(engine, timedelta(days=365), interval_seconds=1, catch_up="all", overlap="allow")

    fired = await fire_due(resources)

    assert 1000 <= fired < 1100
    found = await runs(api)
    skipped = [run for run in await all_runs(engine) if run[1] == "skipped_late"]
    assert sum(run[2] for run in skipped) + fired >= 365 * 86_400
    assert len(found) == 1000
    assert len({run["occurrence_at"] for run in found}) == 1000
    schedule = (await api.get("/schedules/a")).json()
    assert moment(schedule["next_at"]) > mysql_now(engine) - timedelta(seconds=2)


async def all_runs(engine: Engine) -> list[tuple[datetime, str, int]]:
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT occurrence_at, outcome, skipped FROM schedule_runs")
        )
        return [tuple(row) for row in found]


async def test_while_the_last_task_has_not_ended_an_occurrence_is_skipped_and_says_so(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    due_since(engine, timedelta(seconds=4))
    assert await fire_due(resources) == 1
    back(engine, "a")
    assert await fire_due(resources) == 0
    assert [run["outcome"] for run in await runs(api)] == ["skipped_overlap", "submitted"]

    await complete(api, await claim_one(api))
    back(engine, "a")
    assert await fire_due(resources) == 1


async def test_a_schedule_whose_last_task_was_deleted_goes_on(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    due_since(engine, timedelta(seconds=4))
    assert await fire_due(resources) == 1
    (task,) = await tasks(api)
    await api.delete(f"/tasks/{task['id']}")
    back(engine, "a")
    assert await fire_due(resources) == 1


async def test_where_it_is_allowed_tasks_overlap(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    due_since(engine, timedelta(seconds=4), overlap="allow")
    for _ in range(3):
        assert await fire_due(resources) == 1
        back(engine, "a")
    assert [task["status"] for task in await tasks(api)] == ["to_do"] * 3


async def test_jitter_holds_a_task_back_and_shows_when_it_may_be_claimed(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    for n in range(8):
        due_since(
            engine,
            timedelta(seconds=1),
            name=f"a {n}",
            interval_seconds=86_400,
            jitter_seconds=86_000,
        )
    previews = {
        f"a {n}": (
            await api.get(f"/schedules/a {n}/next?count=1&after=2000-01-01T00:00:00Z")
        ).json()
        for n in range(8)
    }
    assert await fire_due(resources) == 8

    found = {task["origin"]["schedule"]: task["available_at"] for task in await tasks(api)}
    assert found == {name: preview[0]["due_at"] for name, preview in previews.items()}
    assert len(set(found.values())) > 4


@pytest.mark.parametrize("change", ["put", "pause"])
async def test_what_was_due_before_a_change_is_decided_by_the_schedule_as_it_was(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session, change: str
) -> None:
    """Nobody has looked since: a change just after nine loses no task of nine o'clock."""
    (at,) = due_since(engine, timedelta(seconds=1), interval_seconds=3600)
    if change == "put":
        body = {"cron": "0 0 1 1 *", "task": {"title": "new"}}
        changed = await api.put("/schedules/a", json=body)
        assert (await api.put("/schedules/a", json=body)).json() == changed.json()
    else:
        changed = await api.post("/admin/schedules/a/pause")

    (task,) = await tasks(api)
    assert (task["title"], task["status"]) == ("a", "to_do")
    assert [brief(run) for run in await runs(api)] == [(at, "submitted", 0)]
    schedule = changed.json()
    assert (schedule["revision"], schedule["last_task_id"]) == (2, task["id"])
    assert await fire_due(resources) == 0


async def test_what_fell_into_a_pause_is_left_out(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    paused_at = mysql_now(engine) - 5 * MINUTE
    due_since(engine, 5 * MINUTE, catch_up="all", paused_at=paused_at, next_at=None)
    assert await fire_due(resources) == 0
    await api.post("/admin/schedules/a/resume")
    assert await fire_due(resources) == 0
    assert await runs(api) == []


async def test_many_that_are_due_at_once_are_all_decided_in_one_sweep(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    for n in range(250):
        due_since(engine, timedelta(seconds=1), name=f"s{n}")
    assert await fire_due(resources) == 250
    assert len({task["origin"]["schedule"] for task in await tasks(api)}) == 250


async def test_large_tasks_are_submitted_a_few_at_a_time(
    resources: Resources, engine: Engine, session: Session
) -> None:
    """However many there are: what is too much for the time-out would never be over."""
    payload = f'"{"中" * 80_000}"'
    large = text_of(a_new_task(payload=payload))
    ages = [timedelta(minutes=n, seconds=30) for n in range(30)]
    for name in ("a", "b"):
        due_since(engine, *ages, name=name, catch_up="all", overlap="allow", task=large)

    fired = await resources.database.transact(partial(fire_once, tag_ids=TagIds()))

    assert fired.is_full
    assert 1 <= len(fired.answers) <= 4 * 1024 * 1024 / len(payload.encode())
    assert await fire_due(resources) + len(fired.answers) == 60


async def test_a_clock_that_goes_back_repeats_nothing(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    """A failover to a server that is behind: its times are all that a process knows."""
    due_since(engine, timedelta(seconds=1), overlap="allow", interval_seconds=1)
    fired = await fire_due(resources)
    behind = mysql_now(engine) + timedelta(seconds=30)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE schedules SET considered_at = :at, next_at = :at"), {"at": behind}
        )
    for _ in range(3):
        assert await fire_due(resources) == 0
    assert len(await tasks(api)) == fired


async def test_a_zone_that_is_not_known_any_more_stops_no_other_schedule(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    due_since(engine, timedelta(seconds=2), name="odd")
    due_since(engine, timedelta(seconds=1), name="sound")
    with engine.begin() as connection:
        connection.execute(text("UPDATE schedules SET timezone = 'Mars' WHERE name = 'odd'"))
    assert await fire_due(resources) == 1
    assert await fire_due(resources) == 0

    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE schedules SET timezone = 'UTC', next_at = considered_at WHERE name = 'odd'"
            )
        )
    assert await fire_due(resources) == 1, "nothing is lost"


async def test_a_schedule_that_cannot_be_read_stops_no_other_and_can_be_deleted(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    """Its task was changed by hand, or is of a newer version that somebody went back from."""
    unreadable = ["{}", "no JSON", '{"a_later": "field"}']
    for n, task in enumerate(unreadable):
        due_since(engine, timedelta(seconds=2), name=f"odd {n}", task=task)
    due_since(engine, timedelta(seconds=1), name="sound")
    assert await fire_due(resources) == 1
    assert await fire_due(resources) == 0
    assert [each["name"] for each in (await api.get("/schedules")).json()] == ["sound"]
    for n in range(len(unreadable)):
        assert (await api.delete(f"/schedules/odd {n}")).status_code == 204


async def test_a_scheduler_that_starts_knows_the_zones_rules_anew(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, session: Session
) -> None:
    (at,) = due_since(engine, timedelta(seconds=-30))
    ScheduleFactory(name="paused", paused=True)
    with engine.begin() as connection:
        connection.execute(text("UPDATE schedules SET next_at = next_at + INTERVAL 1 HOUR"))
    await fire_due(resources)
    assert moment((await api.get("/schedules/a")).json()["next_at"]) == at
    assert (await api.get("/schedules/paused")).json()["next_at"] is None


def back(engine: Engine, name: str) -> None:
    """Its next occurrence, a second after the last one, has just been."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE schedules SET starts_at = starts_at - INTERVAL 59 SECOND, "
                "considered_at = UTC_TIMESTAMP(6) - INTERVAL 9 SECOND, "
                "next_at = UTC_TIMESTAMP(6) WHERE name = :name"
            ),
            {"name": name},
        )
