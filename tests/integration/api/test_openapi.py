"""`/openapi.json` is complete, and what is answered is what it says; `/docs` is whole."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.api import answers, dependencies, reasons
from app.processes.application import create_app
from app.settings import Settings
from tests.support.calls import NO_LEASE, PROBLEM, Document
from tests.support.factories import ScheduleFactory, ScheduleRunFactory, TaskFactory, lease_of
from tests.support.routes import Call, calls
from tests.support.shapes import assert_has_the_shape_of

# They may find a unique key held, and refuse that.
UNIQUE = (
    *("POST /tasks", "POST /tasks/batch"),
    *("POST /schedules/{name}/run", "POST /schedules/{name}/backfill"),
)
CALLS = calls()
IDS = [str(call) for call in CALLS]
OPEN = ("/healthz", "/readyz")
TAKES_BODY = [c for c in CALLS if c.method in ("PATCH", "PUT") or str(c) in (
    "POST /tasks", "POST /tasks/batch", "POST /leases", "POST /leases/finish",
    "POST /leases/{lease_id}/heartbeat", "POST /leases/{lease_id}/complete",
    "POST /leases/{lease_id}/fail", "POST /leases/{lease_id}/release", "POST /leases/heartbeat",
    "PUT /schedules/{name}", "POST /schedules/{name}/backfill",
)]  # fmt: skip
ANSWERS: dict[str, Any] = {
    "POST /tasks": answers.TaskDocument,
    "POST /tasks/batch": list[answers.TaskDocument],
    "GET /tasks": list[answers.TaskDocument],
    "GET /tasks/count": answers.CountDocument,
    "GET /tasks/cost": answers.CostDocument,
    "GET /tasks/{task_id}": answers.TaskDocument,
    "PATCH /tasks/{task_id}": answers.TaskDocument,
    "DELETE /tasks/{task_id}": None,
    "GET /tasks/{task_id}/attempts": list[answers.AttemptDocument],
    "GET /tasks/{task_id}/why": reasons.WhyDocument,
    "GET /tasks/{task_id}/dependencies": dependencies.DependenciesDocument,
    "GET /leases/{lease_id}/parents": list[dependencies.ParentDocument],
    "PUT /schedules/{name}": answers.ScheduleDocument,
    "GET /schedules": list[answers.ScheduleDocument],
    "GET /schedules/{name}": answers.ScheduleDocument,
    "DELETE /schedules/{name}": None,
    "GET /schedules/{name}/next": list[answers.OccurrenceDocument],
    "GET /schedules/{name}/runs": list[answers.RunDocument],
    "POST /schedules/{name}/run": answers.TaskDocument,
    "POST /schedules/{name}/backfill": answers.BackfilledDocument,
    "GET /cron": list[answers.OccurrenceDocument],
    "POST /admin/schedules/{name}/pause": answers.ScheduleDocument,
    "POST /admin/schedules/{name}/resume": answers.ScheduleDocument,
    "GET /tags": list[answers.TagDocument],
    "GET /stats": answers.StatsDocument,
    "GET /stats/history": answers.HistoryDocument,
    "POST /leases": list[answers.LeaseDocument],
    "POST /leases/finish": answers.FinishedDocument,
    "POST /leases/{lease_id}/heartbeat": answers.HeartbeatDocument,
    "POST /leases/heartbeat": answers.HeartbeatsDocument,
    "POST /leases/{lease_id}/complete": answers.EndedTask,
    "POST /leases/{lease_id}/fail": answers.EndedTask,
    "POST /leases/{lease_id}/release": answers.TaskDocument,
    "GET /admin/queues": list[answers.QueueDocument],
    "GET /admin/workers": list[answers.WorkerDocument],
    "GET /admin/workers/{worker}": answers.WorkerDetailsDocument,
    "POST /admin/queues/{name}/pause": answers.QueueStateDocument,
    "POST /admin/queues/{name}/resume": answers.QueueStateDocument,
    "GET /admin/queues/{name}/settings": answers.QueueSettingsDocument,
    "PUT /admin/queues/{name}/settings": answers.QueueSettingsDocument,
    "GET /admin/queues/{name}/groups": list[answers.GroupDocument],
    "PUT /admin/queues/{name}/groups/{group}": answers.GroupDocument,
    "DELETE /admin/queues/{name}/groups/{group}": None,
    "POST /admin/tasks/{task_id}/{action}": answers.TaskDocument,
    "POST /admin/tasks/{action}": answers.BulkDocument,
    "GET /healthz": answers.HealthDocument,
    "GET /readyz": answers.ReadinessDocument,
    "GET /metrics": None,
    "GET /me": answers.MeDocument,
    "GET /admin/doctor": answers.ExaminationDocument,
    "GET /admin/processes": answers.ProcessesDocument,
}


@pytest.fixture
async def document(api: httpx.AsyncClient) -> Document:
    answer = await api.get("/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def operation(document: Document, call: Call) -> Document:
    return dict(document["paths"][call.template][call.method.lower()])


def everything_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every object anywhere in it."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from everything_in(item)


async def test_every_route_is_in_it_and_nothing_else(document: Document) -> None:
    said = {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert said == set(IDS) == set(ANSWERS)


@pytest.mark.parametrize("call", CALLS, ids=str)
async def test_each_says_what_it_does_and_who_may_call_it(document: Document, call: Call) -> None:
    said = operation(document, call)
    assert said["summary"]
    assert said["tags"]
    first = call.template.split("/")[1]
    everyone = {"client", "worker", "admin", "viewer"}
    doors = {"leases": {"worker"}, "admin": {"admin"}, "metrics": everyone, "me": everyone}
    expected = set() if call.template in OPEN else doors.get(first, {"client"})
    if expected and call.method == "GET":
        expected = expected | {"admin", "viewer"}
    said_doors = [door for each in said["security"] for door in each]
    assert sorted(said_doors) == sorted(expected)
    for parameter in said.get("parameters", ()):
        assert parameter["schema"], parameter
        is_documented = parameter.get("description") or parameter["schema"].get("description")
        assert is_documented, parameter


@pytest.mark.parametrize("call", CALLS, ids=str)
async def test_each_says_what_it_answers(document: Document, call: Call) -> None:
    responses = operation(document, call)["responses"]
    good = {status for status in responses if status.startswith("2")}
    both = (
        "POST /tasks",
        "POST /tasks/batch",
        "PUT /schedules/{name}",
        "POST /schedules/{name}/run",
    )
    expected = {"204"} if call.method == "DELETE" else {"200"}
    assert good == ({"200", "201"} if str(call) in both else expected)
    for status in good - {"204"}:
        (content,) = responses[status]["content"].values()
        assert content["schema"], f"{status} has no schema"

    bad = {"422"}
    if call.template not in OPEN:
        bad |= {"401", "403", "429", "503"}
    if call.method in ("POST", "PATCH", "PUT"):
        bad |= {"400", "413", "415"}
    if re.search(r"\{(task_id|lease_id|worker)\}|/schedules/\{name\}", call.template):
        bad |= {"412"} if call.method == "PUT" else {"404"}
    if "{lease_id}" in call.template or call.method == "PATCH" or "{action}" in call.template:
        bad |= {"409"}
    if str(call) in UNIQUE:
        bad |= {"409"}
    if call.template == "/stats":
        bad |= {"304"}
    if call.template == "/readyz":
        bad |= {"503"}
    assert responses.keys() - good == bad
    bad -= {"304"}  # it has no body
    for status in bad - ({"503"} if call.template == "/readyz" else set()):
        assert list(responses[status]["content"]) == [PROBLEM]
        shown = responses[status]["content"][PROBLEM]
        assert shown["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert answers.Problem.model_validate(shown["example"]).status == int(status)
        assert responses[status]["description"]


async def test_whatever_it_points_to_is_there(document: Document) -> None:
    pointers = {each["$ref"] for each in everything_in(document) if "$ref" in each}
    assert len(pointers) > 20
    for pointer in pointers:
        found: Any = document
        for part in pointer.removeprefix("#/").split("/"):
            found = found[part]
    assert not [name for name in document["components"]["schemas"] if "Validation" in name]


@pytest.mark.parametrize("call", TAKES_BODY, ids=str)
async def test_the_example_of_each_body_can_be_sent_as_it_stands(
    api: httpx.AsyncClient, document: Document, session: Session, call: Call
) -> None:
    contents = operation(document, call)["requestBody"]["content"]
    kinds = ["application/json", "application/merge-patch+json"]
    assert [*contents] == kinds[: 2 if call.method == "PATCH" else 1]
    (name,) = {content["schema"]["$ref"].rpartition("/")[2] for content in contents.values()}
    (example,) = document["components"]["schemas"][name]["examples"]
    held = TaskFactory(in_progress=True)
    waiting = TaskFactory()
    ScheduleFactory(name="nightly")

    path = call.template.format(
        task_id=waiting.id, lease_id=lease_of(held), name="nightly", group="a"
    )
    answer = await api.request(call.method, path, json=example)

    assert answer.status_code in (200, 201), answer.text


async def test_a_patch_made_from_it_fills_in_nothing(document: Document) -> None:
    fields = document["components"]["schemas"]["PatchTask"]["properties"]
    assert not [name for name, field in fields.items() if "default" in field]


async def test_bounds_are_said_in_the_words_of_json_schema(document: Document) -> None:
    assert not [each for each in everything_in(document) if {"ge", "le", "gt", "lt"} & each.keys()]
    (task_id, wait) = operation(document, Call("GET", "/tasks/{task_id}"))["parameters"]
    assert (task_id["schema"]["minimum"], task_id["schema"]["maximum"]) == (1, 2**63 - 1)
    assert wait["schema"]["anyOf"][0] == {"type": "number", "minimum": 1, "maximum": 60}


async def test_what_may_be_asked_of_a_list_is_in_it(document: Document) -> None:
    said = {p["name"]: p for p in operation(document, Call("GET", "/tasks"))["parameters"]}
    assert said.keys() == {
        *("status", "priority", "queue", "tag", "id", "title", "created_after", "created_before"),
        *("due_after", "due_before", "worker", "completed_after", "completed_before"),
        *("available_after", "available_before", "limit", "order", "order_by", "view", "cursor"),
    }
    assert {name for name, p in said.items() if p["schema"].get("type") == "array"} == {
        *("status", "priority", "queue", "tag", "id")
    }
    submit = operation(document, Call("POST", "/tasks"))
    assert [p["name"].lower() for p in submit["parameters"]] == ["idempotency-key", "traceparent"]
    assert "Location" in submit["responses"]["201"]["headers"]
    assert "Link" in operation(document, Call("GET", "/tasks"))["responses"]["200"]["headers"]


async def test_what_no_text_and_no_time_may_be_is_in_it(document: Document) -> None:
    fields = document["components"]["schemas"]["SubmitTask"]["properties"]
    title, tag = fields["title"]["pattern"], fields["tags"]["items"]["pattern"]
    description, due = (fields[name]["anyOf"][0] for name in ("description", "due_date"))
    for pattern in (title, tag):
        assert all(re.search(pattern, text) for text in ("x", " a b ", "高\n"))
        assert not any(re.search(pattern, text) for text in ("", " \t\x85", "a\0", "\0"))
    assert re.search(description["pattern"], " \n")
    assert not re.search(description["pattern"], "a\0b")
    assert description["maxLength"] == 65_535
    assert re.search(due["pattern"], "1000-01-01T00:00:00Z")
    assert not re.search(due["pattern"], "0999-12-31T23:59:59Z")

    lease_id = operation(document, Call("POST", "/leases/{lease_id}/complete"))["parameters"][0]
    item = document["components"]["schemas"]["FinishItem"]["properties"]["lease_id"]
    for schema in (lease_id["schema"], item):
        assert re.search(schema["pattern"], NO_LEASE)
        assert not re.search(schema["pattern"], f"0{NO_LEASE}")


@pytest.mark.parametrize("has_tokens", [True, False])
def test_it_says_where_no_token_is_needed(settings: Settings, has_tokens: bool) -> None:
    tokens = {"client_tokens": ("a-token",)} if has_tokens else {}
    app = create_app(settings.model_copy(update=tokens))
    optional = {
        str(call)
        for call in CALLS
        if {} in operation(app.openapi(), call)["security"] and call.template not in OPEN
    }
    doored = {str(call) for call in CALLS if call.template not in OPEN}
    assert optional == ({"GET /metrics"} if has_tokens else doored)


@pytest.fixture
def rich_api(api: httpx.AsyncClient, session: Session) -> httpx.AsyncClient:
    """With something to answer to every call."""
    TaskFactory(tags=["a"], payload='{"a": [1]}')
    TaskFactory(id=1000, done=True, tags=["a", "b"], due_date=TaskFactory.build().created_at)
    for trait in ("retrying", "failed", "paused", "cancelled", "delayed"):
        TaskFactory(**{trait: True})
    session.execute(text("INSERT INTO task_groups (id, queue, group_key, held) "
                         "VALUES ('1', 'default', 'a', 1)"))  # fmt: skip
    session.commit()
    ScheduleRunFactory(schedule=ScheduleFactory(name="default").name)
    return api


@pytest.mark.parametrize("call", CALLS, ids=str)
async def test_what_is_answered_is_what_it_says(
    rich_api: httpx.AsyncClient, document: Document, session: Session, call: Call
) -> None:
    held = TaskFactory(in_progress=True)
    target = TaskFactory() if call.template.startswith("/admin") else TaskFactory(failed=True)
    parts: dict[str, Any] = {"lease_id": lease_of(held), "task_id": str(target.id)}
    if call.template.endswith("/attempts"):
        parts["task_id"] = "1000"
    if call.template.endswith(("/dependencies", "/parents")):
        edges = text(
            "INSERT INTO task_dependencies (parent_id, child_id) VALUES (:a, :b), (:b, :a)"
        )
        session.execute(edges, {"a": target.id, "b": held.id})
        session.commit()
    answers = [
        await call.send(rich_api, **parts),
        await call.send(rich_api, params={"nonsense": "1"}),
        await call.send(rich_api, lease_id=f"{held.id}.{'f' * 32}", task_id=str(2**62)),
    ]

    responses = operation(document, call)["responses"]
    for answer in answers:
        said = responses[str(answer.status_code)]
        kind = answer.headers.get("content-type", "").partition(";")[0]
        assert kind in said.get("content", {"": None}), answer.text
        headers = said["headers"] | document["components"]["headers"]
        needed = {name for name, header in headers.items() if header.get("required")}
        assert {name.lower() for name in needed} <= answer.headers.keys()
    good = answers[0]
    assert good.is_success, good.text
    if ANSWERS[str(call)] is not None:
        assert good.json() != []
        assert_has_the_shape_of(ANSWERS[str(call)], good.json())


async def test_the_docs_need_no_other_host(api: httpx.AsyncClient) -> None:
    page = await api.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    sources = re.findall(r'(?:src|href|url)\s*[=:]\s*["\']([^"\']+)', page.text)
    assert sources
    for source in sources:
        assert httpx.URL(source).host in ("", api.base_url.host), source
        answer = await api.get(source)
        assert answer.status_code == 200, source
