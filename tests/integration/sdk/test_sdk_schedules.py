"""Schedules by both clients, every verb, on the real API."""

from datetime import UTC, datetime, timedelta

import pytest

from app.settings import Settings
from rowlock.errors import (
    ConflictError,
    InvalidRequestError,
    NaiveTimeError,
    NotAllowedError,
    NotFoundError,
)
from tests.conftest import serving
from tests.support.sdk import Face, Through, answer_lost, face_of, refused, request_lost

pytest_plugins = ["tests.support.sdk_clients"]

NAME = "夜间 report.é"
HOURLY = {"cron": "0 * * * *", "task": {"title": "x"}}


async def test_what_is_put_is_what_is_got(client: Face) -> None:
    starts = datetime(2031, 5, 1, 8, 30, tzinfo=UTC)
    put = await client.schedules.put(
        NAME,
        cron="30 2 * * *",
        timezone="Europe/Berlin",
        catch_up="all",
        overlap="allow",
        jitter_seconds=600,
        starts_at=starts,
        ends_at="2032-05-01T08:30:00+02:00",
        title="report",
        description="all of it",
        priority="high",
        tags=["b", "a"],
        due_date=starts,
        timeout_seconds=60,
        retry_limit=1,
        retry_delay_seconds=2,
        retry_backoff="fixed",
        queue="reports",
        payload={"n": 2**70, "text": "高 😀"},
        unique={"key": "report", "while": "active", "conflict": "reject"},
        group="customer-17",
    )
    assert (put.name, put.cron, put.timezone) == (NAME, "30 2 * * *", "Europe/Berlin")
    assert (put.catch_up, put.overlap, put.jitter_seconds) == ("all", "allow", 600)
    assert (put.starts_at, put.ends_at) == (starts, datetime(2032, 5, 1, 6, 30, tzinfo=UTC))
    assert put.next_at == datetime(2031, 5, 2, 0, 30, tzinfo=UTC)
    assert put.task == {
        "title": "report",
        "description": "all of it",
        "priority": "高",
        "tags": ["a", "b"],
        "due_date": "2031-05-01T08:30:00Z",
        "timeout_seconds": 60,
        "retry_limit": 1,
        "retry_delay_seconds": 2,
        "retry_backoff": "fixed",
        "queue": "reports",
        "payload": {"n": 2**70, "text": "高 😀"},
        "unique": {
            **{"key": "report", "while": "active", "conflict": "reject"},
            **{"debounce_seconds": None, "debounce_limit_seconds": None},
        },
        "group": "customer-17",
    }
    assert await client.schedules.get(NAME) == put


async def test_the_task_is_given_by_keywords_or_whole(client: Face) -> None:
    put = client.schedules.put
    by_keywords = await put("sync", interval_seconds=60, queue="a", payload=[1])
    task = {"title": "sync", "queue": "a", "payload": [1]}
    whole = await put("sync", interval_seconds=60, task=task)
    assert whole == by_keywords
    assert whole.task["title"] == "sync"
    with pytest.raises(TypeError, match="queue and task"):
        await put("sync", interval_seconds=60, task=task, queue="b")


async def test_only_the_revision_that_is_named_is_changed(client: Face, through: Through) -> None:
    first = await client.schedules.put(NAME, **HOURLY)
    assert await client.schedules.put(NAME, **HOURLY, if_match=1) == first
    second = await client.schedules.put(NAME, **HOURLY, overlap="allow", if_match=1)
    assert (first.revision, second.revision) == (1, 2)
    with pytest.raises(ConflictError) as stale:
        await client.schedules.put(NAME, **HOURLY, if_match=1)
    assert (stale.value.status, stale.value.problem["revision"]) == (412, 2)
    assert not stale.value.may_have_happened
    with pytest.raises(ConflictError):
        await client.schedules.put("no such", **HOURLY, if_match=1)
    through.spoil("PUT /schedules/again", answer_lost)
    assert (await client.schedules.put("again", **HOURLY)).revision == 1


async def test_a_change_whose_answer_was_lost_is_told_as_one_that_may_have_happened(
    client: Face, through: Through
) -> None:
    await client.schedules.put("sync", **HOURLY)
    through.spoil("PUT /schedules/sync", answer_lost)
    with pytest.raises(ConflictError) as error:
        await client.schedules.put("sync", **HOURLY, jitter_seconds=5, if_match=1)
    assert error.value.may_have_happened
    assert (await client.schedules.get("sync")).jitter_seconds == 5


async def test_lists_go_over_all_pages(client: Face, through: Through) -> None:
    names = [f"s{n:02}" for n in range(11)]
    for name in names:
        await client.schedules.put(name, **HOURLY)
    assert [one.name for one in await client.schedules.list(page_size=4)] == names
    assert through.count("GET /schedules") == 3
    ids = [(await client.schedules.run("s00")).id for _ in range(5)]
    runs = await client.schedules.runs("s00", page_size=2)
    assert [run.task_id for run in runs] == ids[::-1]
    assert {(run.kind, run.outcome, run.skipped) for run in runs} == {("manual", "submitted", 0)}
    assert through.count("GET /schedules/s00/runs") == 3


async def test_what_comes_next_is_told_of_a_schedule_and_of_an_expression(client: Face) -> None:
    berlin = {"cron": "30 2 * * *", "timezone": "Europe/Berlin"}
    await client.schedules.put(NAME, **berlin, jitter_seconds=60)
    after = datetime(2026, 3, 28, 12, tzinfo=UTC)
    first, second = await client.schedules.next(NAME, 2, after=after)
    assert first.local == "2026-03-29T03:00:00+02:00"
    assert first.occurrence_at == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert timedelta() <= first.due_at - first.occurrence_at < timedelta(seconds=60)
    assert second.local == "2026-03-30T02:30:00+02:00"
    assert len(await client.schedules.next(NAME)) == 10

    (noon,) = await client.cron("0 12 * * *", "Asia/Shanghai", 1)
    assert noon.local.endswith("T12:00:00+08:00")
    with pytest.raises(InvalidRequestError) as error:
        await client.cron("0 25 * * *")
    assert [wrong.field for wrong in error.value.errors] == ["expression"]


async def test_a_task_is_submitted_by_hand_once(client: Face, through: Through) -> None:
    await client.schedules.put("sync", **HOURLY)
    through.spoil("POST /schedules/sync/run", answer_lost)
    task = await client.schedules.run("sync")
    assert task.origin is not None
    assert task.origin.schedule == "sync"
    assert (await client.schedules.run("sync", idempotency_key="mine")).id == task.id + 1
    assert (await client.schedules.run("sync", idempotency_key="mine")).id == task.id + 1
    assert len(await client.list()) == 2
    (newest, _) = await client.schedules.runs("sync")
    assert newest.task_id == task.id + 1


async def test_a_past_time_is_filled(client: Face, through: Through) -> None:
    await client.schedules.put("daily", cron="0 0 * * *", title="x")
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), "2026-01-04T00:00:00Z"
    through.spoil("POST /schedules/daily/backfill", request_lost, refused(503))
    filled = await client.schedules.backfill("daily", begin, end)
    assert (filled.submitted, filled.existing) == (3, 0)
    again = await client.schedules.backfill("daily", begin, "2026-01-05T00:00:00Z")
    assert (again.submitted, again.existing) == (1, 3)
    newest, *_ = await client.schedules.runs("daily")
    assert (newest.kind, newest.occurrence_at) == ("backfill", datetime(2026, 1, 4, tzinfo=UTC))


async def test_management_pauses_and_resumes(client: Face) -> None:
    made = await client.schedules.put("sync", **HOURLY)
    paused = await client.admin.pause_schedule("sync")
    assert paused.paused_at is not None
    assert paused.next_at is None
    resumed = await client.admin.resume_schedule("sync")
    assert (resumed.paused_at, resumed.next_at is None) == (None, False)
    assert resumed.revision > paused.revision > made.revision


async def test_a_schedule_is_deleted_and_its_tasks_stay(client: Face, through: Through) -> None:
    await client.schedules.put("sync", **HOURLY)
    task = await client.schedules.run("sync")
    through.spoil("DELETE /schedules/sync", answer_lost)
    assert await client.schedules.delete("sync") is None
    assert await client.get(task.id) == task
    for call in ("get", "delete", "next", "runs", "run"):
        with pytest.raises(NotFoundError, match="no schedule sync"):
            await getattr(client.schedules, call)("sync")


async def test_what_is_wrong_is_named(client: Face) -> None:
    with pytest.raises(InvalidRequestError) as error:
        await client.schedules.put("sync", cron="61 * * * *", title="x")
    assert [wrong.field for wrong in error.value.errors] == ["cron"]
    with pytest.raises(InvalidRequestError) as error:
        await client.schedules.put("sync", interval_seconds=60, retry_limit=101, colour="red")
    assert [wrong.field for wrong in error.value.errors] == ["task.retry_limit", "task.colour"]
    for name in ("a?b", " a", "."):
        with pytest.raises(InvalidRequestError) as error:
            await client.schedules.put(name, **HOURLY)
        assert [wrong.field for wrong in error.value.errors] == ["name"]


async def test_a_name_that_no_path_can_have_is_refused_unsent(
    client: Face, through: Through
) -> None:
    for name in ("a/b", ""):
        with pytest.raises(ValueError, match="no slash"):
            await client.schedules.put(name, **HOURLY)
        with pytest.raises(ValueError, match="no slash"):
            await client.admin.pause_schedule(name)
    assert through.calls == []


async def test_times_without_an_offset_are_refused(client: Face, through: Through) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    for field, told in ("starts_at", "starts_at"), ("ends_at", "ends_at"), ("due_date", "task.due"):
        for value in naive, "2026-01-01T00:00:00":
            with pytest.raises(NaiveTimeError, match=f"^{told}"):
                await client.schedules.put("sync", interval_seconds=60, **{field: value})
    task = {"title": "x", "due_date": naive}
    with pytest.raises(NaiveTimeError, match=r"^task\.due_date: "):
        await client.schedules.put("sync", interval_seconds=60, task=task)
    with pytest.raises(NaiveTimeError, match=r"^after: "):
        await client.schedules.next("sync", after=naive)
    with pytest.raises(NaiveTimeError, match=r"^to: "):
        await client.schedules.backfill("sync", "2026-01-01T00:00:00Z", naive)
    assert through.calls == []


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
async def test_schedules_are_a_clients_and_pausing_is_managements(
    kind: str, settings: Settings
) -> None:
    tokens = {"client_tokens": ("c",), "worker_tokens": ("w",), "admin_tokens": ("a",)}
    async with serving(settings.model_copy(update=tokens)) as api:
        both = face_of(kind, Through(api), token="c", admin_token="a")
        await both.schedules.put("sync", **HOURLY)
        assert (await both.admin.pause_schedule("sync")).paused_at is not None
        client, admin = (face_of(kind, Through(api), token=token) for token in "ca")
        with pytest.raises(NotAllowedError):
            await client.admin.resume_schedule("sync")
        with pytest.raises(NotAllowedError):
            await admin.schedules.put("sync", **HOURLY)
        for face in (both, client, admin):
            await face.close()
