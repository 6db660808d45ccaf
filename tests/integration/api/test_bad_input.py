"""Every field of every body, with what it cannot take: refused by name, and nothing stored."""

from typing import Any, NamedTuple

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.http.problems import SYSTEM_FIELDS
from app.mysql.schema import Task
from tests.support.bad_values import BAD, MISSING, NULLABLE, put, written
from tests.support.calls import claim_one, fail, problem, submit
from tests.support.factories import ScheduleFactory, TaskFactory, lease_of
from tests.support.stored import everything_stored

PATCHED = {
    "title": "title",
    "description": "long text",
    "priority": "priority",
    "tags": "tags",
    "due_date": "time",
    "timeout_seconds": "timeout",
    "retry_limit": "retry limit",
    "retry_delay_seconds": "delay",
    "retry_backoff": "backoff",
    "payload": "json",
}
SUBMITTED = PATCHED | {
    **{"queue": "queue", "available_at": "time", "unique": "unique", "group": "group"},
    **{"depends_on": "ids", "blocks": "few ids", "on_parent_failure": "parent failure"},
}
IN_BATCH = SUBMITTED | {"depends_on": "ids or refs", "ref": "ref"}
CLAIMED = {
    "worker": "worker",
    "queues": "queues",
    "limit": "claim limit",
    "wait_seconds": "wait",
    "lease_seconds": "lease seconds",
}
FAILED = {"error": "long text", "retryable": "flag", "retry_after_seconds": "delay"}
RELEASED = {"delay_seconds": "delay", "reason": "long text"}
FINISHED = FAILED | RELEASED
FINISHED |= {"lease_id": "lease id", "outcome": "outcome", "result": "json", "submit": "list"}


SCHEDULED = {
    "cron": "cron",
    "interval_seconds": "interval",
    "timezone": "timezone",
    "catch_up": "catch up",
    "overlap": "overlap",
    "jitter_seconds": "jitter",
    "starts_at": "time",
    "ends_at": "time",
    "task": "object",
}
RATES = ("rate", "rate_per_group")
RATE = {"limit": 6, "per_seconds": 60, "burst": 2}
PACED = {"limit": "running", "per_seconds": "seconds of a rate", "burst": "running"}


class Route(NamedTuple):
    """A call that takes a body: a good one, and its fields by kind, required ones listed."""

    method: str
    path: str
    body: Any
    fields: dict[str, str]
    required: frozenset[str] = frozenset()


def _under(prefix: str, fields: dict[str, str]) -> dict[str, str]:
    return {f"{prefix}.{field}": kind for field, kind in fields.items()}


ROUTES = {
    "submit": Route("POST", "/tasks", {"title": "x"}, SUBMITTED, frozenset({"title"})),
    "submit a batch": Route(
        "POST",
        "/tasks/batch",
        {"tasks": [{"title": "x", "tags": ["new"]}, {"title": "x"}]},
        {"tasks": "list"} | _under("tasks.1", IN_BATCH),
        frozenset({"tasks", "tasks.1.title"}),
    ),
    "patch": Route("PATCH", "/tasks/{id}", {"title": "new"}, PATCHED),
    "put a schedule": Route(
        "PUT",
        "/schedules/each-hour",
        {"cron": "0 * * * *", "task": {"title": "x", "tags": ["new"]}},
        SCHEDULED | _under("task", PATCHED | {"queue": "queue"}),
        frozenset({"cron", "task", "task.title"}),
    ),
    "backfill": Route(
        "POST",
        "/schedules/default/backfill",
        {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T02:00:00Z"},
        {"from": "time", "to": "time"},
        frozenset({"from", "to"}),
    ),
    "claim": Route("POST", "/leases", {"worker": "w"}, CLAIMED, frozenset({"worker"})),
    "heartbeat": Route("POST", "/leases/{lease}/heartbeat", {}, {"progress": "json"}),
    "complete": Route(
        "POST",
        "/leases/{lease}/complete",
        {"submit": [{"title": "x", "tags": ["new"]}, {"title": "x"}]},
        {"result": "json", "submit": "list"} | _under("submit.1", IN_BATCH),
        frozenset({"submit.1.title"}),
    ),
    "fail": Route("POST", "/leases/{lease}/fail", {}, FAILED | {"submit": "list"}),
    "release": Route("POST", "/leases/{lease}/release", {}, RELEASED),
    "finish": Route(
        "POST",
        "/leases/finish",
        {
            "items": [{"lease_id": "{lease}", "outcome": "complete", "submit": [{"title": "x"}]}]
            * 2,
            "claim": {"worker": "w"},
        },
        {"items": "list", "claim": "object"}
        | _under("items.1", FINISHED)
        | _under("items.1.submit.0", {"title": "title", "payload": "json"})
        | _under("claim", CLAIMED),
        frozenset({"items", "items.1.lease_id", "items.1.outcome", "claim.worker"}),
    ),
    "limit of a group": Route(
        "PUT",
        "/admin/queues/mail/groups/a",
        {"running": 5, "weight": 3},
        {"running": "running", "weight": "weight"},
    ),
    "settings of a queue": Route(
        "PUT",
        "/admin/queues/mail/settings",
        {"ageing_seconds": {"中": 600, "低": 3600}} | dict.fromkeys(RATES, RATE),
        {"ageing_seconds": "object", "running": "running", "running_per_group": "running"}
        | {"fair": "truth"}
        | dict.fromkeys(RATES, "object")
        | _under("ageing_seconds", {"中": "age", "低": "age of 低"})
        | _under("rate", PACED)
        | _under("rate_per_group", PACED),
        frozenset(f"{of}.{field}" for of in RATES for field in ("limit", "per_seconds")),
    ),
}
CASES = [(name, field) for name, route in ROUTES.items() for field in route.fields]
OBJECTS = {
    name: sorted({field.rpartition(".")[0] for field in route.fields})
    for name, route in ROUTES.items()
}


@pytest.fixture
def held(session: Session) -> Task:
    """A task that a worker holds, and one that waits beside it."""
    TaskFactory(title="waits")
    ScheduleFactory(name="default")
    task = TaskFactory(in_progress=True, tags=["a"])
    assert isinstance(task, Task)
    return task


async def send(api: httpx.AsyncClient, route: Route, held: Task, body: Any) -> httpx.Response:
    content = written(body).replace(b"{lease}", lease_of(held).encode())
    return await api.request(
        route.method,
        route.path.format(id=held.id, lease=lease_of(held)),
        content=content,
        headers={"Content-Type": "application/json"},
    )


@pytest.mark.parametrize(("name", "field"), CASES, ids=[f"{n}-{f}" for n, f in CASES])
async def test_a_field_takes_what_it_may_and_nothing_else(
    api: httpx.AsyncClient, engine: Engine, held: Task, name: str, field: str
) -> None:
    route = ROUTES[name]
    before = everything_stored(engine)
    bad = list(BAD[route.fields[field]])
    last = field.rpartition(".")[2]
    if last not in NULLABLE and (name, field) != ("patch", "tags"):
        bad.append(None)
    if field in route.required:
        bad.append(MISSING)
    for value in bad:
        answer = await send(api, route, held, put(route.body, field, value))
        try:
            problem(answer, 422, field)
        except AssertionError as error:
            raise AssertionError(f"{value!r:.80}: {error}") from error
    assert everything_stored(engine) == before


async def test_a_whole_number_may_be_written_with_a_point(api: httpx.AsyncClient) -> None:
    fields = {"timeout_seconds": 60.0, "retry_limit": -0.0, "retry_delay_seconds": 86_400.0}
    task = await submit(api, **fields)
    assert task == task | fields
    assert {type(task[name]) for name in fields} == {int}

    lease = await claim_one(api, limit=2.0, lease_seconds=5.0)
    assert (await fail(api, lease, retry_after_seconds=1e1))["status"] == "failed"


@pytest.mark.parametrize("name", ROUTES)
async def test_an_unknown_field_is_refused_by_name(
    api: httpx.AsyncClient, engine: Engine, held: Task, name: str
) -> None:
    before = everything_stored(engine)
    for prefix in OBJECTS[name]:
        for unknown in ("nonsense", "Title", "title ", "a-b", "claim_rank", "lease_token", "状态"):
            field = f"{prefix}.{unknown}".lstrip(".")
            answer = await send(api, ROUTES[name], held, put(ROUTES[name].body, field, "x"))
            found = problem(answer, 422)
            named = [error["field"] for error in found.errors or ()]
            assert named == [field]
    assert everything_stored(engine) == before


@pytest.mark.parametrize("name", ["submit", "submit a batch", "patch"])
@pytest.mark.parametrize("field", sorted(SYSTEM_FIELDS))
async def test_what_the_system_drives_is_nobody_elses(
    api: httpx.AsyncClient, engine: Engine, held: Task, name: str, field: str
) -> None:
    before = everything_stored(engine)
    path = f"tasks.1.{field}" if name == "submit a batch" else field
    answer = await send(api, ROUTES[name], held, put(ROUTES[name].body, path, 1))
    assert "system" in problem(answer, 422, path).detail
    assert everything_stored(engine) == before


@pytest.mark.parametrize("name", ROUTES)
async def test_the_good_body_is_good(
    api: httpx.AsyncClient, engine: Engine, held: Task, name: str
) -> None:
    """So that what the other tests see refused is refused for what they put in."""
    answer = await send(api, ROUTES[name], held, ROUTES[name].body)
    assert answer.status_code in (200, 201), answer.text


async def test_every_fault_is_told_at_once(api: httpx.AsyncClient) -> None:
    body = {"title": "", "retry_limit": "3", "nonsense": 1, "due_date": "soon", "status": "done"}
    found = problem(await api.post("/tasks", json=body), 422)
    assert {e["field"] for e in found.errors or ()} == body.keys()
    assert all(error["message"] for error in found.errors or ())
