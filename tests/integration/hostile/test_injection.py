"""Hostile strings in every place of every call: refused by name, or kept to the letter; nothing
else changes, and none of them becomes anything but a string."""

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.http.problems import FAULTS_NAMED
from app.mysql.connection import Connection
from tests.support.attack import JSON, Attack
from tests.support.calls import Document, problem
from tests.support.factories import TaskFactory
from tests.support.hostile import HOSTILE, STRINGS, Place, places_of, quoted, written
from tests.support.routes import Call, calls
from tests.support.stored import everything_stored

CALLS = calls()
REFUSALS = {400, 404, 405, 409, 413, 415}
# What only chooses is not kept; and nothing of what is there is chosen by it.
FILTERS = {"title", "tag", "queue", "worker"}
NOTHING: tuple[Any, ...] = (
    *([], {"matched": 0, "changed": 0, "next": None}, {"queues": []}),
    {"count": 0, "is_exact": True},
)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What goes to MySQL, before the driver has put the values in."""
    seen: set[str] = set()

    def note(name: str) -> None:
        method = getattr(Connection, name)

        async def noted(connection: Connection, statement: str, *values: Any) -> Any:
            seen.add(statement)
            return await method(connection, statement, *values)

        monkeypatch.setattr(Connection, name, noted)

    note("fetch")
    note("execute")
    return seen


@pytest.fixture
def bystanders(session: Session) -> None:
    """One in each state; none of their strings is hostile."""
    TaskFactory(queue="others", title="bystander", tags=["calm"], description="none")
    for trait in ("in_progress", "done", "retrying", "failed", "paused", "cancelled", "delayed"):
        TaskFactory(queue="others", title="bystander", **{trait: True})


def assert_harmless(answer: httpx.Response) -> None:
    """No bug, and nothing of a caller's has become a part of a header."""
    assert answer.status_code < 500, answer.text
    for name, value in answer.headers.raw:
        assert re.fullmatch(rb"[a-z0-9-]+", name), answer.headers
        assert re.fullmatch(rb"[\x20-\x7e]*", value), answer.headers
    assert "x-evil" not in answer.headers


def assert_refused(place: Place, answer: httpx.Response, why: str) -> None:
    """Clearly, and by its name."""
    if answer.status_code != 422:
        problem(answer, answer.status_code)
        assert answer.status_code in REFUSALS, why
    # A slash in a path leads to another route, which may find fault with another part of it.
    elif place.where != "path":
        named = [error["field"].lower() for error in problem(answer, 422).errors or ()]
        assert any(f"{field}.".startswith(f"{place.name}.") for field in named), why


def is_history_of_nothing(answer: httpx.Response) -> bool:
    found = answer.json()
    buckets = found.get("buckets", []) if isinstance(found, dict) else []
    return bool(buckets) and not any(bucket["submitted"] for bucket in buckets)


def is_shown(call: Call, place: Place) -> bool:
    """Whether what is in that place is found again in an answer."""
    if "/groups" in call.template and place.name == "name":
        return False
    return place.where != "header" and not place.name.endswith(("queues.0", ".ref"))


@pytest.mark.usefixtures("bystanders")
@pytest.mark.parametrize("call", CALLS, ids=str)
async def test_whatever_it_takes_stays_a_string(
    api: httpx.AsyncClient, engine: Engine, statements: set[str], call: Call
) -> None:
    before = everything_stored(engine)
    listed = (await api.get("/tasks?queue=others")).json()
    document: Document = (await api.get("/openapi.json")).json()
    attack = Attack(api, document, call)

    for place in places_of(document, call.method, call.template):
        targets = await attack.targets(len(HOSTILE))
        answers = await asyncio.gather(
            *(attack.send(place, *each) for each in zip(HOSTILE, targets, strict=True))
        )
        kept: list[Coroutine[Any, Any, None]] = []
        for text, target, answer in zip(HOSTILE, targets, answers, strict=True):
            why = f"{place}: {text!r:.60}: {answer.status_code} {answer.text:.300}"
            assert_harmless(answer)
            if not answer.is_success:
                assert_refused(place, answer, why)
            elif place.where == "query":
                assert place.name in FILTERS, why
                assert (
                    answer.json() in NOTHING
                    or is_history_of_nothing(answer)
                    or str(call) == "GET /tasks/cost"  # of what is looked through
                ), why
            elif call.method == "DELETE":  # there was nothing, and there is nothing
                assert answer.status_code == 204, why
            elif is_shown(call, place):
                kept.append(attack.assert_kept(text, target, answer, why))
        await asyncio.gather(*kept)

    after = everything_stored(engine)
    for table, rows in before.items():
        assert set(rows) <= set(after[table]), table
    assert (await api.get("/tasks?queue=others")).json() == listed
    telling = [text for text in STRINGS if len(text) > len("LIMIT %s")]
    assert not [(text, each) for each in statements for text in telling if text in each]


async def test_every_call_has_been_looked_into(api: httpx.AsyncClient) -> None:
    """What the document does not show would be left out unseen."""
    document: Document = (await api.get("/openapi.json")).json()
    found = {str(call): [*places_of(document, call.method, call.template)] for call in CALLS}
    assert {call for call in found if not found[call]} == {
        *("GET /healthz", "GET /readyz", "GET /metrics"),
        *("GET /me", "GET /admin/doctor", "GET /admin/processes"),
    }
    names = {str(place) for place in found["POST /leases/finish"]}
    assert {"body items.0.result as a key", "body claim.queues.0", "body items.0.error"} <= names
    assert {"body tags.0", "header idempotency-key"} <= {str(p) for p in found["POST /tasks"]}


async def test_an_unknown_name_is_told_as_it_is(api: httpx.AsyncClient, engine: Engine) -> None:
    for text in STRINGS:
        answers = [
            await api.post("/tasks", content=written({"title": "x", text: 1}), headers=[JSON]),
            await api.get(f"/tasks?{quoted(text)}=1"),
            await api.get(f"/tags?{quoted(text)}=1"),
        ]
        for answer in answers:
            assert_harmless(answer)
            assert [e["field"] for e in problem(answer, 422).errors or ()] == [text]
    assert not any(everything_stored(engine).values())


async def test_of_too_many_faults_the_number_is_told(api: httpx.AsyncClient) -> None:
    """An answer must not be many times as large as what it is about."""
    names = [f"n{number}" for number in range(FAULTS_NAMED + 1)]
    for unknown in (names[1:], names):
        body = written({"title": "x", **dict.fromkeys(unknown, 1)})
        found = problem(await api.post("/tasks", content=body, headers=[JSON]), 422)
        told = [error["field"] for error in found.errors or ()]
        assert told == unknown[:FAULTS_NAMED]
        assert ("1 more" in found.detail) is (unknown is names)
    body = written({"title": "x", **{f"n{number}": 1 for number in range(80_000)}})
    found = problem(await api.post("/tasks", content=body, headers=[JSON]), 422, "body")
    assert "80,000 errors" in found.detail
