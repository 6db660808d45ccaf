"""Both clients, every verb, on the real API."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

import rowlock
from app.settings import Settings
from rowlock import AsyncClient
from rowlock.errors import (
    ConflictError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    UnavailableError,
    UnreachableError,
    WaitTimeoutError,
)
from rowlock.http.answer import Answer
from tests.conftest import serving
from tests.support.calls import claim_one, complete, fail
from tests.support.sdk import (
    Answering,
    Face,
    Held,
    Through,
    answer_lost,
    face_of,
    refused,
    request_lost,
)

pytest_plugins = ["tests.support.sdk_clients"]


async def test_what_is_submitted_is_what_is_got(client: Face) -> None:
    due = datetime(2031, 5, 1, 8, 30, tzinfo=UTC)
    task = await client.submit(
        "resize",
        description="all of it",
        priority="high",
        tags=["b", "a"],
        due_date=due,
        available_at="2001-01-01T00:00:00Z",
        timeout_seconds=60,
        retry_limit=1,
        retry_delay_seconds=2,
        retry_backoff="fixed",
        queue="images",
        payload={"path": "/x", "n": 2**70, "text": "高 😀"},
    )
    assert (task.status, task.priority, task.tags) == ("to_do", "高", ["a", "b"])
    assert task.due_date == due
    assert task.payload == {"path": "/x", "n": 2**70, "text": "高 😀"}
    assert await client.get(task.id) == task


async def test_of_tasks_with_a_unique_key_one_is_stored(client: Face) -> None:
    first = await client.submit("sync", unique={"key": "k", "while": "active"}, payload=1)
    assert first.unique_key == "k"
    kept = await client.submit("sync", unique={"key": "k"}, payload=2)
    assert (kept.id, kept.payload) == (first.id, 1)
    replaced = await client.submit("sync", unique={"key": "k", "conflict": "replace"}, payload=3)
    assert (replaced.id, replaced.payload) == (first.id, 3)
    put_off = await client.submit("sync", unique={"key": "k", "debounce_seconds": 60}, payload=4)
    assert (put_off.id, put_off.waiting_on, put_off.payload) == (first.id, "time", 4)
    with pytest.raises(ConflictError) as refused_by:
        await client.submit("sync", unique={"key": "k", "conflict": "reject"})
    assert refused_by.value.problem["task_id"] == first.id
    assert refused_by.value.task_status == "to_do"
    ids = await client.submit_many({"title": "x", "unique": {"key": key}} for key in "kka")
    assert ids[:2] == [first.id] * 2 != ids[1:]
    assert (await client.count()).count == 2


async def test_a_list_goes_over_all_pages(client: Face, through: Through) -> None:
    ids = await client.submit_many({"title": "x", "queue": "a"} for _ in range(23))
    await client.submit_many({"title": "x", "queue": "b"} for _ in range(5))
    listed = await client.list(queue="a", order="asc", page_size=5)
    assert [task.id for task in listed] == ids
    assert through.count("GET /tasks") == 5
    assert [task.id for task in await client.list(queue="a", page_size=7)] == ids[::-1]


async def test_tasks_are_counted_and_listed_in_short(client: Face) -> None:
    first, last = datetime(2031, 5, 1, tzinfo=UTC), datetime(2031, 6, 1, tzinfo=UTC)
    late = await client.submit("late", available_at=last, payload={"a": 1})
    soon = await client.submit("soon", available_at=first)
    now = await client.submit("now")
    listed = await client.list(order="asc", order_by="available_at", view="summary", page_size=1)
    assert [task.id for task in listed] == [soon.id, late.id]
    assert [task.waiting_on for task in (now, *listed)] == [None, "time", "time"]
    assert listed[1].is_summary
    assert (listed[1].payload, listed[1].payload_bytes) == (None, 7)
    known = await client.count(status="to_do", limit=1)
    assert (known.count, known.is_exact) == (3, True)
    counted = await client.count(available_before=last, limit=1)
    assert (counted.count, counted.is_exact) == (1, True)
    counted = await client.count(available_after=first, limit=1)
    assert (counted.count, counted.is_exact) == (1, False)
    cost = await client.cost(title="no", page_size=1)
    assert (cost.rows_at_least, cost.rows_at_most, cost.may_be_cut_off) == (2, 3, False)
    later = await client.cost(order_by="available_at", order="asc")
    assert None is not later.index != cost.index


async def test_what_a_task_waits_for(client: Face, api: httpx.AsyncClient) -> None:
    until = datetime(2031, 5, 1, 8, 30, tzinfo=UTC)
    later = await client.why((await client.submit("x", available_at=until)).id)
    assert (later.status, later.is_claimable, later.reasons[0].until) == ("to_do", False, until)
    task = await client.submit("y")
    assert (await client.why(task.id)).is_claimable
    await claim_one(api, worker="w", lease_seconds=30)
    (held, *_) = (await client.why(task.id)).reasons
    assert (held.reason, held.worker, held.attempt, held.retry) == ("held", "w", 1, None)
    assert held.detail.startswith("'w' has had it for ")
    assert held.started_at is not None
    assert held.started_at <= held.last_heartbeat_at <= held.ends_at
    with pytest.raises(NotFoundError):
        await client.why(404)


async def test_pages_are_fetched_as_they_are_asked_for(sdk: AsyncClient, through: Through) -> None:
    await sdk.submit_many({"title": "x"} for _ in range(9))
    async for _ in sdk.list(page_size=3):
        break
    assert through.count("GET /tasks") == 1


async def test_filters_combine(client: Face) -> None:
    wanted = await client.submit("100% of it", tags=["a", "b"], priority="low", queue="q")
    await client.submit("of it", tags=["a"], priority="low", queue="q")
    other = await client.submit("other", tags=["b"], due_date="2030-01-01T00:00:00Z")

    async def found(**filters: object) -> list[int]:
        return [task.id for task in await client.list(**filters)]

    assert await found(tag=["a", "b"], status=["to_do", "done"], priority="低") == [wanted.id]
    assert await found(title="100%", queue="q") == [wanted.id]
    assert await found(id=[wanted.id, other.id], queue=["q", "default"]) == [other.id, wanted.id]
    assert await found(id=other.id) == [other.id]
    assert await found(due_before=datetime(2030, 1, 2, tzinfo=UTC)) == [other.id]
    assert await found(created_after=other.created_at) == [other.id]
    assert await found(created_before=wanted.created_at) == []


async def test_waiting_ends_with_the_task(client: Face, api: httpx.AsyncClient) -> None:
    task = await client.submit("a task", retry_limit=0)
    waiting = asyncio.create_task(client.wait(task.id))
    lease = await claim_one(api)
    await fail(api, lease, error="it broke")
    async with asyncio.timeout(20):
        ended = await waiting
    assert (ended.status, ended.error, ended.has_ended) == ("failed", "it broke", True)
    assert await client.wait(task.id) == ended


async def test_waiting_outlasts_a_server_that_goes_away(
    client: Face, api: httpx.AsyncClient, through: Through
) -> None:
    task = await client.submit("a task")
    through.spoil(f"GET /tasks/{task.id}", refused(502), answer_lost, request_lost)
    await complete(api, await claim_one(api), {"n": 1})
    assert (await client.wait(task.id)).result == {"n": 1}
    assert through.count(f"GET /tasks/{task.id}") == 4


@pytest.mark.parametrize("seconds", [0, 0.05, 1])
async def test_waiting_may_be_limited(client: Face, seconds: float) -> None:
    task = await client.submit("a task")
    with pytest.raises(WaitTimeoutError, match="still to_do") as error:
        await client.wait(task.id, timeout_seconds=seconds)
    assert error.value.task is not None
    assert error.value.task.id == task.id
    assert isinstance(error.value, TimeoutError)


async def test_a_task_is_changed_and_deleted(client: Face, through: Through) -> None:
    task = await client.submit("a task", tags=["a"], payload=1)
    changed = await client.patch(task.id, title="another", tags=["b"], priority="low", payload=None)
    assert (changed.title, changed.tags, changed.priority) == ("another", ["b"], "低")
    assert changed.payload is None
    assert changed.timeout_seconds == task.timeout_seconds
    through.spoil(f"DELETE /tasks/{task.id}", answer_lost)
    assert await client.delete(task.id) is None
    with pytest.raises(NotFoundError):
        await client.delete(task.id)
    with pytest.raises(NotFoundError):
        await client.get(task.id)


async def test_history_tags_and_figures(client: Face, api: httpx.AsyncClient) -> None:
    task = await client.submit("a task", tags=["a", "b"], retry_delay_seconds=0)
    await client.submit("another", tags=["a"], queue="other")
    await fail(api, await claim_one(api), error="it broke")
    (attempt,) = await client.attempts(task.id)
    assert (attempt.attempt, attempt.outcome, attempt.error) == (1, "failed", "it broke")
    assert attempt.started_at <= attempt.finished_at
    assert [(tag.name, tag.tasks) for tag in await client.tags()] == [("a", 2), ("b", 1)]
    default, other = (await client.stats()).queues
    assert (default.queue, default.waiting, default.recent_failed_attempts) == ("default", 1, 1)
    assert other.tasks["to_do"]["中"] == 1
    for asked, submitted in ((await client.history(), 2), (await client.history("other"), 1)):
        assert sum(bucket.submitted for bucket in asked.buckets) == submitted
    assert (await client.history("other", minutes=61)).bucket_seconds == 3600


async def test_management_of_one_task(client: Face) -> None:
    task = await client.submit("a task")
    for action, status in {
        "pause": "paused",
        "resume": "to_do",
        "cancel": "cancelled",
        "retry": "to_do",
    }.items():
        assert (await getattr(client.admin, action)(task.id)).status == status
    with pytest.raises(ConflictError) as error:
        await client.admin.retry(task.id)
    assert error.value.task_status == "to_do"


async def test_management_of_all_that_match(client: Face) -> None:
    await client.submit_many({"title": "x", "queue": "q"} for _ in range(3))
    await client.submit("y")
    admin = client.admin
    counted = await admin.pause_all(queue="q", dry_run=True)
    assert (counted.matched, counted.changed) == (3, 0)
    for action, status in {
        "pause_all": "paused",
        "resume_all": "to_do",
        "cancel_all": "cancelled",
        "retry_all": "to_do",
    }.items():
        result = await getattr(admin, action)(queue="q")
        assert (result.matched, result.changed) == (3, 3)
        assert len(await client.list(queue="q", status=status)) == 3
    with pytest.raises(InvalidRequestError, match="at least one filter"):
        await admin.cancel_all()
    assert (await admin.delete_all(queue="q")).changed == 3
    assert [task.title for task in await client.list()] == ["y"]


async def test_management_page_by_page(client: Face) -> None:
    await client.submit_many({"title": "x", "queue": "q"} for _ in range(5))
    admin = client.admin
    pages = await admin.in_pages("pause", queue="q", limit=2)
    assert [(page.matched, page.changed) for page in pages] == [(2, 2), (2, 2), (1, 1)]
    assert pages[-1].next is None
    first = await admin.resume_all(queue="q", limit=2)
    rest = await admin.in_pages("resume", queue="q", after=first.next)
    assert [page.changed for page in rest] == [3]
    with pytest.raises(ConflictError, match="At least 5 tasks match"):
        await admin.in_pages("delete", queue="q", expect_at_most=4)
    bounded = await admin.in_pages("cancel", queue="q", limit=3, expect_at_most=5)
    assert [page.changed for page in bounded] == [3, 2]
    counted = await admin.retry_all(queue="q", dry_run=True)
    assert (counted.by_status, counted.is_exact) == ({"cancelled": 5}, True)
    assert counted.to == {"cancelled": ["to_do"]}


async def test_of_more_than_were_expected_only_so_many_are_acted_on(
    client: Face, api: httpx.AsyncClient, through: Through
) -> None:
    """One more is there by the time of the second page."""
    await client.submit_many({"title": "x", "queue": "q"} for _ in range(3))

    async def and_one_more(answer: Answering) -> Answer:
        answered = await answer()
        await api.post("/tasks", json={"title": "late", "queue": "q"})
        return answered

    through.spoil("POST /admin/tasks/cancel", and_one_more)
    pages = await client.admin.in_pages("cancel", queue="q", limit=2, expect_at_most=3)
    assert [page.changed for page in pages] == [2, 1]
    assert pages[-1].next is not None
    assert [task.title for task in await client.list(status="to_do")] == ["late"]


async def test_management_is_not_done_twice_unheard(client: Face, through: Through) -> None:
    task = await client.submit("a task")
    through.spoil(f"POST /admin/tasks/{task.id}/pause", answer_lost)
    with pytest.raises(UnreachableError) as error:
        await client.admin.pause(task.id)
    assert error.value.may_have_happened
    assert (await client.get(task.id)).status == "paused"


async def test_every_field_that_is_wrong_is_named(client: Face) -> None:
    with pytest.raises(InvalidRequestError) as error:
        await client.submit("", timeout_seconds=0, colour="red")
    named = {fault.field: fault.message for fault in error.value.errors}
    assert named.keys() == {"title", "timeout_seconds", "colour"}
    assert named["colour"] == "is unknown"


async def test_patience_ends(client: Face, through: Through) -> None:
    impatient = face_of("asyncio", through, retry_seconds=0.5)
    through.spoil("GET /tags", refused(503, Retry_After="1"))
    with pytest.raises(UnavailableError, match="said the proxy"):
        await impatient.tags()
    assert through.count("GET /tags") == 1
    assert await client.tags() == []


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
async def test_each_door_wants_its_token(settings: Settings, kind: str) -> None:
    tokens = {"client_tokens": ("c",), "worker_tokens": ("w",), "admin_tokens": ("a",)}
    async with serving(settings.model_copy(update=tokens)) as api:
        through = Through(api)
        client, admin, nobody = (face_of(kind, through, token=token) for token in ("c", "a", None))
        task = await client.submit("a task")
        assert (await admin.admin.cancel(task.id)).status == "cancelled"
        for face, status in ((nobody, 401), (admin, 403)):
            with pytest.raises(NotAllowedError) as error:
                await face.delete(task.id)
            assert error.value.status == status


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
async def test_a_viewer_reads_everything_and_changes_nothing(settings: Settings, kind: str) -> None:
    tokens = {"client_tokens": ("c",), "viewer_tokens": ("v",)}
    async with serving(settings.model_copy(update=tokens)) as api:
        through = Through(api)
        client, viewer = (face_of(kind, through, token=token) for token in "cv")
        task = await client.submit("a task")
        assert await viewer.get(task.id) == task
        assert [state.waiting for state in (await viewer.stats()).queues] == [1]
        assert [state.waiting for state in await viewer.admin.queues()] == [1]
        assert ((await viewer.me()).doors, (await client.me()).doors) == (["viewer"], ["client"])
        with pytest.raises(NotAllowedError, match="client door"):
            await viewer.submit("another")
        with pytest.raises(NotAllowedError, match="admin door"):
            await viewer.admin.cancel(task.id)


async def test_the_server_says_how_it_is(client: Face, settings: Settings) -> None:
    me = await client.me()
    assert me.doors == ["client", "worker", "admin", "viewer"]
    assert me.version == rowlock.__version__
    assert me.time is not None
    assert me.time.tzinfo == UTC
    assert (me.redis, me.retention_days) == ("ok", settings.retention_days)

    examination = await client.admin.doctor()
    findings = {finding.what: finding for finding in examination.findings}
    assert findings["SKIP LOCKED"].verdict == "ok"
    assert findings["SKIP LOCKED"].fix is None
    assert findings["scheduler"].fix == "rowlock scheduler"
    assert examination.verdict in ("note", "bad")

    (process,) = (await client.admin.processes()).processes
    assert (process.kind, process.state) == ("api", "running")


async def test_calls_at_the_same_time_do_not_wait_for_each_other(
    sdk: AsyncClient, through: Through
) -> None:
    held = Held()
    through.spoil("GET /tags", held)
    tags = asyncio.create_task(sdk.tags())
    await held.is_there.wait()
    await sdk.submit("a task")
    held.let_go.set()
    assert await tags == []
