"""What the SDK shows: two clients with the same verbs, and where they look for the server."""

import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

import rowlock
from app.local.ports import free_port
from rowlock import AsyncClient, Client, UnexpectedAnswerError, UnreachableError, Worker
from rowlock.client import calls
from rowlock.client.admin import Admin, AsyncAdmin
from rowlock.client.schedules import AsyncSchedules, Schedules
from rowlock.http.answer import Answer, NotAnsweredError
from rowlock.http.request import Request, request_of
from rowlock.http.target import target
from tests.support.sdk import A_TASK


class Answering:
    """In the place of connections: gives each request what `answer` makes of it, as JSON."""

    def __init__(self, answer: Callable[[Request], object]) -> None:
        self.asked: list[Request] = []
        self._answer = answer

    def send(self, request: Request, seconds: float) -> Answer:
        self.asked.append(request)
        return Answer(200, {}, json.dumps(self._answer(request)).encode(), request.url)

    def close(self) -> None:
        """Nothing is kept open."""


def verbs(kind: type) -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(member)
        for name, member in vars(kind).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }


@pytest.mark.parametrize(
    ("blocking", "awaited"),
    [(Client, AsyncClient), (Admin, AsyncAdmin), (Schedules, AsyncSchedules)],
)
def test_both_clients_have_the_same_verbs_with_the_same_arguments(
    blocking: type, awaited: type
) -> None:
    assert verbs(blocking).keys() == verbs(awaited).keys()
    for name, signature in verbs(blocking).items():
        theirs = verbs(awaited)[name]
        assert signature.parameters.keys() == theirs.parameters.keys(), name
        for parameter in signature.parameters.values():
            assert parameter.default == theirs.parameters[parameter.name].default, name


def test_everything_that_is_offered_is_there() -> None:
    assert len(rowlock.__all__) > 20
    for name in rowlock.__all__:
        assert getattr(rowlock, name).__name__ == name
    with pytest.raises(AttributeError, match="nonsense"):
        _ = rowlock.nonsense


@pytest.mark.parametrize(
    ("wanted", "not_loaded"),
    [("__version__", "http.client"), ("Task", "http.client"), ("Client", "aiohttp")],
)
def test_what_is_asked_for_alone_is_loaded(wanted: str, not_loaded: str, project: Path) -> None:
    code = f"import rowlock, sys; rowlock.{wanted}; sys.exit({not_loaded!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=project, check=True)


def authorization(path: str, *given: str, method: str = "POST") -> str | None:
    return target(*given).headers(method, path).get("Authorization")


def test_the_environment_says_where_the_server_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROWLOCK_URL", raising=False)
    assert str(target().url) == "http://127.0.0.1:8000"
    monkeypatch.setenv("ROWLOCK_URL", "https://tasks.example/below")
    assert str(target().url) == "https://tasks.example/below"
    assert str(target("http://other:1").url) == "http://other:1"


def test_each_door_has_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    doors = {"/tasks/1": "client", "/leases/finish": "worker", "/admin/queues": "admin"}
    monkeypatch.delenv("ROWLOCK_TOKEN", raising=False)
    for path, door in doors.items():
        monkeypatch.delenv(f"ROWLOCK_{door.upper()}_TOKEN", raising=False)
        assert authorization(path) is None
    monkeypatch.setenv("ROWLOCK_TOKEN", "all")
    for path, door in doors.items():
        assert authorization(path) == "Bearer all"
        monkeypatch.setenv(f"ROWLOCK_{door.upper()}_TOKEN", f"the-{door}")
        assert authorization(path) == f"Bearer the-{door}"
        assert authorization(path, "", "given") == "Bearer given"
    assert authorization("/tasks", "", "given", "for-admin") == "Bearer given"
    assert authorization("/admin/queues", "", "given", "for-admin") == "Bearer for-admin"
    monkeypatch.delenv("ROWLOCK_ADMIN_TOKEN")
    assert authorization("/admin/queues") == "Bearer all"


def test_whoever_only_reads_may_have_a_token_for_that_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for door in ("CLIENT_", "WORKER_", "ADMIN_", "VIEWER_", ""):
        monkeypatch.delenv(f"ROWLOCK_{door}TOKEN", raising=False)

    def read(path: str) -> str | None:
        return authorization(path, method="GET")

    monkeypatch.setenv("ROWLOCK_ADMIN_TOKEN", "the-admin")
    assert read("/tasks") == "Bearer the-admin"
    monkeypatch.setenv("ROWLOCK_TOKEN", "all")
    assert read("/tasks") == "Bearer all"
    monkeypatch.setenv("ROWLOCK_VIEWER_TOKEN", "the-viewer")
    for path in ("/tasks", "/me", "/leases/1.a/parents"):
        assert read(path) == "Bearer the-viewer"
        assert authorization(path) == "Bearer all"
    assert read("/admin/queues") == "Bearer the-admin"
    monkeypatch.setenv("ROWLOCK_CLIENT_TOKEN", "the-client")
    assert read("/tasks") == "Bearer the-client"
    assert authorization("/tasks", "", "given", method="GET") == "Bearer given"


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8000", "ftp://x", "http://", "http://x:port", "http://x..y", "nonsense"]
)
def test_what_is_no_url_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(ValueError, match="is not a URL"):
        Client(url)
    with pytest.raises(ValueError, match="is not a URL"):
        Worker(url=url)


def test_a_server_below_a_path_is_found_there() -> None:
    state = {"queue": "a/b?c", "paused": True, "paused_at": None}
    server = Answering(lambda request: [] if request.method == "GET" else state)
    with Client("https://example/below/", exchange=server) as client:
        assert client.tags() == []
        client.admin.pause_queue("a/b?c")
    assert [request.url for request in server.asked] == [
        "https://example/below/tags",
        "https://example/below/admin/queues/a%2Fb%3Fc/pause",
    ]
    assert server.asked[0].target == "/below/tags"
    assert target("http://example/ü/a%20b/").url.path == "/%C3%BC/a%20b"


def test_a_server_that_is_not_there_is_named() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with Client(url, retry_seconds=0) as client, pytest.raises(UnreachableError) as error:
        client.tags()
    assert url in str(error.value)
    assert not error.value.may_have_happened


def test_one_title_has_one_handler() -> None:
    worker = Worker()

    @worker.handler
    def anything(task: rowlock.Task, attempt: rowlock.RunningAttempt) -> None: ...

    @worker.handler("resize")
    async def resize(task: rowlock.Task, attempt: rowlock.RunningAttempt) -> None: ...

    with pytest.raises(ValueError, match="already a handler for tasks titled 'resize'"):
        worker.handler("resize")(resize)
    with pytest.raises(ValueError, match="already a handler for any task"):
        worker.handler()(anything)


async def test_a_worker_without_a_handler_says_so() -> None:
    with pytest.raises(RuntimeError, match="no handler"):
        await Worker().run_async()


@pytest.mark.parametrize("token", ["secret\nX-Evil: 1", "sec\0ret", "secret\x7f", "secret\udcff"])
def test_a_token_that_no_header_can_hold_is_refused_unshown(token: str) -> None:
    with pytest.raises(ValueError, match="the token contains a character") as refused:
        Client(token=token)
    assert "secret" not in str(refused.value)


def test_no_secret_is_in_what_is_said_of_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWLOCK_TOKEN", "secret")
    url = f"http://user:secret@127.0.0.1:{free_port()}/below"
    said = [repr(target(url)), repr(request_of(calls.get(1), target(url)))]
    with Client(url, retry_seconds=0) as client, pytest.raises(UnreachableError) as away:
        client.tags()
    said.append(str(away.value))
    nonsense = Answering(lambda _: {"a": 1})
    with Client(url, exchange=nonsense) as client, pytest.raises(UnexpectedAnswerError) as other:
        client.tags()
    said.append(str(other.value))
    for bad in (
        "ftp://user:secret@127.0.0.1",
        "http://user:secret@127.0.0.1:x",
        "http://user:secret/secret@127.0.0.1",
        "http://user:secret#secret@127.0.0.1",
        "http://user:secret@127.0.0.1\N{ACCOUNT OF}",
    ):
        with pytest.raises(ValueError, match="is not a URL") as refused:
            Client(bad)
        said.append(str(refused.value))
    assert "secret" not in " ".join(said)
    assert all("//127.0.0.1" in each for each in said)


@pytest.mark.parametrize("name", ["..", ".", "a/../b", "a?b=c#d", "a%2Fb", "a\r\nb", "é"])
def test_whatever_stands_in_a_path_is_one_part_of_it(name: str) -> None:
    state = {"queue": name, "paused": True, "paused_at": None}

    def answer(request: Request) -> object:
        if "next" in request.target:
            return []
        return state if "queues" in request.target else A_TASK

    server = Answering(answer)
    with Client(exchange=server) as client:
        client.admin.pause_queue(name)
        client.admin.cancel(name)  # type: ignore[arg-type]
        client.get(name)  # type: ignore[arg-type]
        if "/" not in name:
            client.schedules.next(name)
    paths = [request.target.removesuffix("?count=10") for request in server.asked]
    assert [[unquote(part) for part in path.split("/")] for path in paths] == [
        ["", "admin", "queues", name, "pause"],
        ["", "admin", "tasks", name, "cancel"],
        ["", "tasks", name],
        *([] if "/" in name else [["", "schedules", name, "next"]]),
    ]
    assert not any("#" in part or "?" in part for part in paths)


def test_a_task_that_is_stored_is_no_error_where_the_rest_of_it_cannot_be_had() -> None:
    """A batch that is sent again may be answered in short."""

    def in_short(request: Request) -> object:
        if request.method == "GET":
            raise NotAnsweredError("away", may_have_arrived=False)
        return {name: value for name, value in A_TASK.items() if name != "payload"}

    task = Client(exchange=Answering(in_short), retry_seconds=0).submit("x")
    assert task.is_summary
