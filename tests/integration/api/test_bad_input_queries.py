"""Paths, queries and headers that are wrong: refused by name, never a 5xx."""

from typing import Any, NamedTuple

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.http.problems import FAULTS_NAMED
from app.mysql.schema import Task
from tests.support.calls import problem, submit
from tests.support.factories import TaskFactory, lease_of
from tests.support.routes import Call, calls
from tests.support.stored import everything_stored

JSON = {"Content-Type": "application/json"}
# Of whatever is there to be read, with or without a task.
READABLE = [
    *(
        "/tasks",
        "/tasks/1",
        "/tasks/count",
        "/tasks/cost",
        "/tasks/1/attempts",
        "/tasks/1/why",
        "/tags",
        "/stats",
        "/stats/history",
        "/admin/queues",
        "/healthz",
    ),
    *("/readyz", "/metrics"),
]
BAD_TEXT = ["a\0b", "\0"]
NO_TIME = [
    *("", "now", "2026", "2026-01-31", "2026-02-30T00:00:00Z", "2026-01-31T08:00:00+24:00"),
    *("0999-12-31T23:59:59Z", "10000-01-01T00:00:00Z", "9999-12-31T23:59:59-00:01", "1769846400"),
    *("1000-01-01T00:00:00+00:01", "２０２６-01-31T08:00:00Z", "2026-01-31T08:00:00Z\0"),
]
NO_INTEGER = ["", "x", "1.5", "1.0", "1_0", " 1", "+1", "1e1", "0x1", "١", "nan", "9" * 5000]
FILTERS: dict[str, list[Any]] = {
    "status": ["", "TO_DO", "to_do,done", "todo", "0", "to_do\0"],
    "priority": ["", "urgent", "0", "HIGH", "高,中"],
    "queue": ["", "A", "a b", "é", "x" * 65, "a\0", "a\n"],
    "tag": ["", " ", "x" * 65, *BAD_TEXT, [str(n) for n in range(33)]],
    "id": ["0", "-1", str(2**63), "1,2", *NO_INTEGER, ["1"] * 1001],
    "title": ["", " ", "x" * 256, *BAD_TEXT],
    "created_after": NO_TIME,
    "created_before": NO_TIME,
    "due_after": NO_TIME,
    "due_before": NO_TIME,
    "worker": ["", " ", "x" * 256, *BAD_TEXT],
    "completed_after": NO_TIME,
    "completed_before": NO_TIME,
    "available_after": NO_TIME,
    "available_before": NO_TIME,
}
LIST: dict[str, list[Any]] = {
    **FILTERS,
    "limit": ["0", "1001", "-1", *NO_INTEGER],
    "order": ["", "ASC", "newest"],
    "order_by": ["", "CREATED_AT", "due_date", "id"],
    "view": ["", "Summary", "short"],
    "cursor": ["", "x", "\0", "é"],
}
COUNT: dict[str, list[Any]] = {**FILTERS, "limit": ["0", "100001", "-1", *NO_INTEGER]}
WORKERS: dict[str, list[Any]] = {
    "queue": [*FILTERS["queue"], ["a"] * 65],
    "seen_within_seconds": ["0", "-1", "86401", *NO_INTEGER],
    "limit": LIST["limit"],
    "cursor": LIST["cursor"],
}
HISTORY: dict[str, list[Any]] = {
    "queue": FILTERS["queue"],
    "minutes": ["0", "-1", "20161", str(2**63), *NO_INTEGER],
}
WAIT = ["0", "0.9", "60.1", "61", "-1", "inf", "-inf", "Infinity", "1e1", "5_0"]
WAIT += [i for i in NO_INTEGER if i not in ("1.0", "1.5")]


class Case(NamedTuple):
    """A parameter of a call, and values that it does not take."""

    method: str
    path: str
    name: str
    values: list[Any]

    def __str__(self) -> str:
        return f"{self.path}-{self.name}"

    async def send(self, api: httpx.AsyncClient, *values: Any) -> httpx.Response:
        """The call, with the parameter once for each value."""
        query = httpx.QueryParams([(self.name, value) for value in values])
        mark = "&" if "?" in self.path else "?"
        return await api.request(self.method, f"{self.path}{mark}{query}")


CASES = [
    *(Case("GET", "/tasks", name, values) for name, values in LIST.items()),
    *(Case("GET", "/tasks/count", name, values) for name, values in COUNT.items()),
    *(Case("GET", "/tasks/cost", name, values) for name, values in LIST.items()),
    *(Case("POST", "/admin/tasks/cancel", name, values) for name, values in FILTERS.items()),
    Case("POST", "/admin/tasks/cancel?status=to_do", "dry_run", ["", "maybe", "2", "\0"]),
    Case("POST", "/admin/tasks/cancel?status=done", "limit", LIST["limit"]),
    Case("POST", "/admin/tasks/cancel?status=done", "after", LIST["cursor"]),
    Case(
        "POST", "/admin/tasks/cancel?status=done", "expect_at_most", ["-1", "100001", *NO_INTEGER]
    ),
    Case("GET", "/tasks/1", "wait_seconds", WAIT),
    *(Case("GET", "/admin/workers", name, values) for name, values in WORKERS.items()),
    *(Case("GET", "/stats/history", name, values) for name, values in HISTORY.items()),
]
SINGLE = [case for case in CASES if case.name not in ("status", "priority", "queue", "tag", "id")]


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_parameter_takes_what_it_may_and_nothing_else(
    api: httpx.AsyncClient, session: Session, engine: Engine, case: Case
) -> None:
    TaskFactory()
    before = everything_stored(engine)
    for value in case.values:
        answer = await case.send(api, *(value if isinstance(value, list) else [value]))
        try:
            problem(answer, 422, case.name)
        except AssertionError as error:
            raise AssertionError(f"{value!r:.60}: {error}") from error
    assert everything_stored(engine) == before


@pytest.mark.parametrize("case", SINGLE, ids=str)
async def test_a_single_parameter_given_twice_is_refused(
    api: httpx.AsyncClient, case: Case
) -> None:
    found = problem(await case.send(api, "1", "1"), 422, case.name)
    assert "only once" in found.detail


@pytest.mark.parametrize("call", calls(), ids=str)
async def test_an_unknown_parameter_is_refused_by_name_on_every_route(
    api: httpx.AsyncClient, session: Session, engine: Engine, call: Call
) -> None:
    TaskFactory()
    before = everything_stored(engine)
    for name in ("nonsense", "Limit", "limit ", "a-b", "статус"):
        answer = await call.send(api, params={name: "1"})
        named = [error["field"] for error in problem(answer, 422).errors or ()]
        assert named == [name]
    assert everything_stored(engine) == before


async def test_every_fault_of_a_query_is_told_at_once(api: httpx.AsyncClient) -> None:
    answer = await api.get("/tasks?limit=0&order=up&nonsense=1&status=x&status=to_do&id=1&id=x")
    found = problem(answer, 422)
    assert {error["field"] for error in found.errors or ()} == {
        *("limit", "order", "nonsense", "status.0", "id.1")
    }


NO_TASK_ID = ["0", "-1", str(2**63), "9" * 5000, "x", "1.0", "1_0", "+1", "%201", "1e1", "%D9%A1"]
NO_TASK_ID += ["%00", "1%00", "%FF", "null", "True"]


@pytest.mark.parametrize(
    "call", [call for call in calls() if "{task_id}" in call.template], ids=str
)
async def test_a_task_id_is_a_number_in_digits(
    api: httpx.AsyncClient, session: Session, engine: Engine, call: Call
) -> None:
    TaskFactory(id=1)
    TaskFactory(id=10)
    before = everything_stored(engine)
    for task_id in NO_TASK_ID:
        answer = await call.send(api, task_id=task_id)
        problem(answer, 422, "task_id")
    assert everything_stored(engine) == before


@pytest.mark.parametrize(
    "call", [call for call in calls() if "{lease_id}" in call.template], ids=str
)
async def test_a_forged_or_cut_lease_id_opens_nothing(
    api: httpx.AsyncClient, session: Session, engine: Engine, call: Call
) -> None:
    held = TaskFactory(in_progress=True, lease_token="ab" * 16)
    assert isinstance(held, Task)
    lease, token = lease_of(held), held.lease_token
    before = everything_stored(engine)

    malformed = ["x", "1", f"{held.id}.", f".{token}", lease[:-1], f"{lease}0", f"0{lease}"]
    malformed += [f"{held.id}.{'AB' * 16}", f"{held.id}-{token}", f"{held.id}.{'g' * 32}"]
    malformed += [f"{lease}%00", f"{lease}%0A", f"%20{lease}", f"0.{token}", f"-1.{token}"]
    malformed += [f"{2**63}.{token}", f"{'9' * 400}.{token}", f"%D9%A1.{token}", "%FF"]
    for lease_id in malformed:
        problem(await call.send(api, lease_id=lease_id), 422, "lease_id")
    forged = problem(await call.send(api, lease_id=f"{held.id}.{'0' * 32}"), 409)
    assert forged.model_extra is not None
    assert forged.model_extra["task_status"] == "in_progress"
    problem(await call.send(api, lease_id=f"{held.id + 1}.{token}"), 404)

    assert everything_stored(engine) == before


@pytest.mark.parametrize("name", ["A", "a b", "%00", "é", "x" * 65, "a%0A"])
@pytest.mark.parametrize("action", ["pause", "resume"])
async def test_a_queue_has_a_name(
    api: httpx.AsyncClient, engine: Engine, name: str, action: str
) -> None:
    problem(await api.post(f"/admin/queues/{name}/{action}"), 422, "name")
    problem(await api.get(f"/admin/queues/{name}/settings"), 422, "name")
    problem(await api.put(f"/admin/queues/{name}/settings", json={}), 422, "name")
    assert not any(everything_stored(engine).values())


@pytest.mark.parametrize("path", ["/admin/tasks/1/done", "/admin/tasks/done?status=to_do"])
async def test_there_are_four_actions(api: httpx.AsyncClient, session: Session, path: str) -> None:
    TaskFactory(id=1)
    found = problem(await api.post(path), 422, "action")
    assert "cancel" in found.detail


async def test_an_action_on_all_tasks_needs_a_filter(
    api: httpx.AsyncClient, session: Session, engine: Engine
) -> None:
    TaskFactory()
    before = everything_stored(engine)
    for query in ("", "?dry_run=true", "?dry_run=false"):
        found = problem(await api.post(f"/admin/tasks/cancel{query}"), 422)
        assert "filter" in found.detail
    assert everything_stored(engine) == before


@pytest.mark.parametrize("path", ["/", "/nope", "/tasks/1/2/3", "/tasks/batch/x", "/tasks/1%2F2/3"])
async def test_a_path_that_is_not_there_is_404(api: httpx.AsyncClient, path: str) -> None:
    problem(await api.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/tasks", {"GET", "HEAD", "POST"}),
        ("DELETE", "/tasks", {"GET", "HEAD", "POST"}),
        ("PUT", "/tasks/1", {"GET", "HEAD", "PATCH", "DELETE"}),
        ("GET", "/tasks/batch", {"POST"}),
        ("PATCH", "/tasks/batch", {"POST"}),
        ("OPTIONS", "/tasks/batch", {"POST"}),
        ("GET", "/leases", {"POST"}),
        ("POST", "/stats", {"GET", "HEAD"}),
        ("GET", "/admin/tasks/1/cancel", {"POST"}),
        ("POST", "/admin/queues/default/settings", {"GET", "HEAD", "PUT"}),
        ("POST", "/healthz", {"GET", "HEAD"}),
    ],
)
async def test_a_method_that_is_not_there_is_405_and_says_which_are(
    api: httpx.AsyncClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = await api.request(method, path)
    problem(answer, 405)
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == allowed


@pytest.mark.parametrize("path", [*READABLE, "/docs", "/openapi.json", "/tasks/1?x=1", "/nope"])
async def test_what_can_be_read_can_be_asked_after(api: httpx.AsyncClient, path: str) -> None:
    """Of that answer the connection sends the head alone (`tests/unit`)."""
    get, head = await api.get(path), await api.head(path)
    assert head.status_code == get.status_code
    for name in ("content-type", "content-length"):
        if path != "/metrics" or name != "content-length":
            assert head.headers[name] == get.headers[name]


async def test_of_a_query_that_is_one_fault_after_the_other_some_are_named(
    api: httpx.AsyncClient,
) -> None:
    """Naming all of them took 70 ms, and an answer many times as large."""
    names = "&".join(f"{number:x}" for number in range(12_000))
    for path in ("/healthz", "/readyz", "/metrics", "/tags", "/tasks/1/attempts"):
        found = problem(await api.get(f"{path}?{names}"), 422)
        assert 1 <= len(found.errors or ()) <= FAULTS_NAMED
    for path in ("/tasks", "/tasks/1"):
        problem(await api.get(f"{path}?{names}"), 422, "query")
        few = "&".join(f"a{number:x}" for number in range(1000))
        found = problem(await api.get(f"{path}?{few}"), 422)
        assert len(found.errors or ()) == FAULTS_NAMED
        assert f"{1000 - FAULTS_NAMED} more" in found.detail


async def test_a_name_without_end_is_told_by_its_beginning(api: httpx.AsyncClient) -> None:
    long = "n" * 50_000
    answers = [
        await api.get(f"/healthz?{long}"),
        await api.get(f"/tasks?{long}=1"),
        await api.post("/tasks", json={"title": "x", long: 1}),
        await api.post("/tasks", content=b"{}", headers={"Content-Type": long}),
        await api.post("/tasks", content=b"{}", headers=JSON | {"Content-Encoding": long}),
    ]
    for answer in answers:
        found = problem(answer, answer.status_code)
        assert found.status in {415, 422}
        assert len(answer.content) < 1000
        assert "n" * 70 in answer.text


async def test_a_thousand_ids_can_be_asked_for(api: httpx.AsyncClient) -> None:
    ids = "&".join(f"id={number}" for number in range(1, 1001))
    assert (await api.get(f"/tasks?{ids}")).status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [("title=%FF", "title"), ("title=a&tag=%ED%A0%80", "tag"), ("status=to_do&queue=%C3", "queue")],
)
async def test_bytes_that_are_no_text_are_refused_by_name(
    api: httpx.AsyncClient, query: str, field: str
) -> None:
    problem(await api.get(f"/tasks?{query}"), 422, field)


async def test_the_replacement_character_itself_is_text(api: httpx.AsyncClient) -> None:
    await submit(api, title="a \ufffd b")
    answer = await api.get("/tasks", params={"title": "\ufffd"})
    assert [task["title"] for task in answer.json()] == ["a \ufffd b"]
