"""Four doors, each with its tokens: every route there is, with every token there is."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.http import auth
from app.http.route import ApiRoute
from app.processes.application import create_app
from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import problem
from tests.support.factories import ScheduleFactory, TaskFactory
from tests.support.routes import Call, calls
from tests.support.stored import everything_stored

TOKENS = {
    "client": ("client-1", "client-2"),
    "worker": ("worker-1", "worker-2"),
    "admin": ("admin-1", "admin-2"),
    "viewer": ("viewer-1", "viewer-2"),
}
ANY = ("/metrics", "/me")
OPEN = ("/healthz", "/readyz")
DOORED = [call for call in calls() if call.template not in (*OPEN, *ANY)]


def door_of(call: Call) -> str:
    """As the contract has it."""
    first = call.template.split("/")[1]
    return {"leases": "worker", "admin": "admin"}.get(first, "client")


def opened_by(call: Call) -> set[str]:
    """Who only looks comes in everywhere by two of them."""
    return {door_of(call)} | ({"admin", "viewer"} if call.method == "GET" else set())


@pytest.fixture(autouse=True)
def _guesses_are_answered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "GUESS_SECONDS", 0.0)


@pytest.fixture
def guarded(settings: Settings) -> Settings:
    return settings.model_copy(update={f"{door}_tokens": tokens for door, tokens in TOKENS.items()})


@pytest.fixture
def api_settings(guarded: Settings) -> Settings:
    return guarded


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_every_route_is_behind_its_door() -> None:
    assert Counter(map(door_of, DOORED)) == {"client": 23, "worker": 8, "admin": 16}


def test_what_has_no_door_is_pages(settings: Settings) -> None:
    paths = [r.path for r in create_app(settings).routes if not isinstance(r, ApiRoute)]  # type: ignore[attr-defined]
    pages = ("/docs", "/openapi.json", "/swagger", "/ui")
    assert all(path == "/" or path.startswith(pages) for path in paths), paths


@pytest.mark.parametrize("call", DOORED, ids=str)
async def test_a_door_opens_to_its_own_tokens_and_to_viewers_where_they_only_look(
    api: httpx.AsyncClient, session: Session, engine: Engine, call: Call
) -> None:
    TaskFactory(id=1)
    ScheduleFactory(name="default")
    before = everything_stored(engine)
    for door, tokens in TOKENS.items():
        for token in tokens:
            if door not in opened_by(call):
                answer = await call.send(api, headers=bearer(token))
                found = problem(answer, 403)
                assert all(each in found.detail for each in opened_by(call))
    assert everything_stored(engine) == before

    for token in (token for door in opened_by(call) for token in TOKENS[door]):
        answer = await call.send(api, headers=bearer(token))
        assert answer.status_code not in (401, 403), "old and new are good while they rotate"


@pytest.mark.parametrize("call", DOORED, ids=str)
async def test_without_a_token_that_is_known_no_door_opens(
    api: httpx.AsyncClient, session: Session, engine: Engine, call: Call
) -> None:
    TaskFactory(id=1)
    ScheduleFactory(name="default")
    before = everything_stored(engine)
    own = TOKENS[door_of(call)][0]
    headers = [{}, {"Authorization": ""}, {"Authorization": own}, {"X-Token": own}]
    headers += [{"Authorization": f"{scheme} {own}"} for scheme in ("Basic", "Token", "Bear")]
    headers += [bearer(token) for token in ("", "wrong", own[:-1], f"{own}1", own.upper())]
    headers += [bearer(",".join(TOKENS[door_of(call)])), bearer(f"{own},"), bearer("é")]
    for each in headers:
        raw = {k.encode(): v.encode() for k, v in each.items()}
        answer = await call.send(api, headers=raw)
        problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert everything_stored(engine) == before


async def test_nothing_is_learnt_without_a_token(api: httpx.AsyncClient) -> None:
    """Not even whether the task is there, or what is wrong with the call."""
    for call in DOORED:
        problem(await call.send(api, params={"nonsense": "1"}), 401)
        problem(await call.send(api, task_id="x", lease_id="x", name="X"), 401)
    for body in (b"{", b"x" * (17 * 1024 * 1024)):
        problem(await api.post("/tasks", content=body), 401)


async def test_the_scheme_is_read_in_any_case(api: httpx.AsyncClient) -> None:
    for scheme in ("bearer", "BEARER", "Bearer "):
        headers = {"Authorization": f"{scheme} client-2"}
        assert (await api.get("/tasks", headers=headers)).status_code == 200


async def test_a_token_is_the_bytes_that_it_was_set_to(settings: Settings) -> None:
    async with serving(settings.model_copy(update={"client_tokens": ("clé à",)})) as api:
        for token, status in (("clé à".encode(), 200), ("clé à".encode("latin-1"), 401)):
            headers = {b"Authorization": b"Bearer " + token}
            assert (await api.get("/tasks", headers=headers)).status_code == status


def test_a_doorkeeper_keeps_no_token(guarded: Settings, tokens_file: Path) -> None:
    kept = auth.Doorkeeper(guarded.model_copy(update={"tokens_file": tokens_file}))
    shown = repr(vars(kept))
    assert not [token for tokens in TOKENS.values() for token in tokens if token in shown]
    assert "'old'" not in shown


async def test_a_token_may_open_two_doors(settings: Settings) -> None:
    both = {"client_tokens": ("a", "b"), "worker_tokens": ("b",), "admin_tokens": ("c",)}
    async with serving(settings.model_copy(update=both)) as api:
        assert (await api.get("/tasks", headers=bearer("b"))).status_code == 200
        claim = await api.post("/leases", json={"worker": "w"}, headers=bearer("b"))
        assert claim.status_code == 200
        problem(await api.post("/leases", json={"worker": "w"}, headers=bearer("a")), 403)


async def test_a_door_that_was_given_no_token_stays_shut_while_another_has_one(
    settings: Settings,
) -> None:
    only_workers = settings.model_copy(update={"worker_tokens": ("w",)})
    async with serving(only_workers) as api:
        for call in DOORED:
            problem(await call.send(api), 401)
            if "worker" not in opened_by(call):
                problem(await call.send(api, headers=bearer("w")), 403)


async def test_with_no_token_set_every_door_is_open(settings: Settings, session: Session) -> None:
    TaskFactory(id=1)
    async with serving(settings) as api:
        for call in DOORED:
            for headers in ({}, bearer("whatever")):
                assert (await call.send(api, headers=headers)).status_code not in (401, 403)


@pytest.mark.parametrize("path", [*OPEN, "/docs", "/openapi.json"])
async def test_whether_it_is_well_and_how_to_use_it_is_no_secret(
    guarded: Settings, path: str
) -> None:
    async with serving(guarded, address="10.0.0.9") as api:
        assert (await api.get(path)).status_code == 200


async def test_a_viewer_changes_nothing(
    api: httpx.AsyncClient, session: Session, engine: Engine
) -> None:
    TaskFactory(id=1)
    ScheduleFactory(name="default")
    before = everything_stored(engine)
    for call in DOORED:
        answer = await call.send(api, headers=bearer("viewer-1"))
        assert (answer.status_code == 403) is (call.method != "GET"), call
    assert (await api.head("/tasks", headers=bearer("viewer-1"))).status_code == 200
    refused = problem(await api.post("/tasks", json={}, headers=bearer("viewer-1")), 403)
    assert refused.detail == "This call needs a token for the client door."
    assert everything_stored(engine) == before


async def test_a_viewers_token_alone_shuts_every_door(settings: Settings) -> None:
    async with serving(settings.model_copy(update={"viewer_tokens": ("v",)})) as api:
        problem(await api.get("/tasks"), 401)
        problem(await api.get("/me"), 401)
        assert (await api.get("/tasks", headers=bearer("v"))).status_code == 200
        problem(await api.post("/tasks", json={"title": "x"}, headers=bearer("v")), 403)


@pytest.mark.parametrize("door", [*TOKENS])
async def test_a_token_is_told_what_it_opens(guarded: Settings, door: str) -> None:
    both = guarded.model_copy(update={"worker_tokens": ("w", "client-1")})
    async with serving(both, address="10.0.0.9") as api:
        found = await api.get("/me", headers=bearer(TOKENS[door][0] if door != "worker" else "w"))
        also = ["worker"] if door == "client" else []
        assert found.json()["doors"] == [door, *also]


async def test_who_has_no_token_is_told_so_even_on_this_machine(api: httpx.AsyncClient) -> None:
    """Else a page would not know that it has to ask for one."""
    problem(await api.get("/me"), 401)
    problem(await api.get("/me", headers=bearer("wrong")), 401)


async def test_without_tokens_everybody_has_every_door(settings: Settings) -> None:
    async with serving(settings) as api:
        for headers in ({}, bearer("whatever")):
            assert (await api.get("/me", headers=headers)).json()["doors"] == [*TOKENS]
        problem(await api.get("/me", headers={"Origin": "https://evil.example"}), 403)


@pytest.mark.parametrize("token", ["client-2", "worker-1", "admin-2", "viewer-1"])
async def test_figures_are_for_whoever_has_any_token(guarded: Settings, token: str) -> None:
    async with serving(guarded, address="10.0.0.9") as api:
        problem(await api.get("/metrics"), 401)
        problem(await api.get("/metrics", headers=bearer("wrong")), 401)
        assert (await api.get("/metrics", headers=bearer(token))).status_code == 200


async def test_figures_need_no_token_on_this_machine_unless_it_is_but_a_proxy(
    api: httpx.AsyncClient,
) -> None:
    assert (await api.get("/metrics")).status_code == 200
    for forwarded in ({"X-Forwarded-For": "10.0.0.9"}, {"Forwarded": "for=10.0.0.9"}):
        problem(await api.get("/metrics", headers=forwarded), 401)


def put(file: Path, text: str | None) -> None:
    """None: take it away."""
    if text is None:
        file.unlink()
    else:
        file.write_text(text, encoding="latin-1")


@pytest.fixture
def tokens_file(tmp_path: Path) -> Path:
    file = tmp_path / "tokens"
    file.write_text("# ours\nclient old\n\nworker w\nadmin a\nviewer v\n")
    return file


async def test_tokens_of_a_file_are_rotated_without_a_restart(
    settings: Settings, tokens_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "LOOK_SECONDS", 0.0)
    named = settings.model_copy(update={"tokens_file": tokens_file, "client_tokens": ("named",)})
    async with serving(named) as api:

        async def opens(*tokens: str) -> list[bool]:
            answers = [await api.get("/tasks", headers=bearer(token)) for token in tokens]
            return [answer.status_code == 200 for answer in answers]

        problem(await api.get("/tasks"), 401)
        assert await opens("old", "new", "named", "w") == [True, False, True, False]
        assert await opens("v") == [True]
        put(tokens_file, "client old\nclient new\nworker w\n")
        assert await opens("old", "new", "named") == [True, True, True]
        put(tokens_file, "client new\nworker w\n")
        assert await opens("old", "new") == [False, True]
        for nonsense in ("", "client", "clients new", "client new 2", "\xff"):
            put(tokens_file, nonsense)
            assert await opens("old", "new") == [False, True], "what was good stays good"
        put(tokens_file, None)
        assert await opens("new") == [True]
        put(tokens_file, "client newest\n")
        assert await opens("new", "newest") == [False, True]


async def test_a_file_is_not_looked_at_for_each_call(
    settings: Settings, tokens_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Path] = []
    stat = Path.stat

    def noted(path: Path, **how: Any) -> Any:
        looked.append(path)
        return stat(path, **how)

    monkeypatch.setattr(Path, "stat", noted)
    monkeypatch.setattr(auth, "LOOK_SECONDS", 600.0)
    async with serving(settings.model_copy(update={"tokens_file": tokens_file})) as api:
        for _ in range(20):
            assert (await api.get("/tasks", headers=bearer("old"))).status_code == 200
    assert looked.count(tokens_file) == 1


async def test_a_guess_waits_and_holds_up_nobody(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "GUESS_SECONDS", 600.0)
    guess = asyncio.create_task(api.get("/tasks", headers=bearer("guess")))
    problem(await api.get("/tasks"), 401)
    problem(await api.get("/tasks", headers=bearer("worker-1")), 403)
    assert (await api.get("/tasks", headers=bearer("client-1"))).status_code == 200
    assert not guess.done()
    guess.cancel()
