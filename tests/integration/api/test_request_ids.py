"""A request's id: given or made, on every answer, and in every line that is logged of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from app.runtime.logging import configure_logging
from app.service.pages import PageService
from app.settings import Settings
from tests.conftest import serving

SECRET = "a-secret-token"


@pytest.fixture(autouse=True)
def _logging_is_put_back(migrated_settings: Settings) -> Iterator[None]:
    """After `capsys`, into whose file nobody may write by then."""
    yield
    configure_logging(migrated_settings.log_level, migrated_settings.log_format)


@asynccontextmanager
async def talkative(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """An API that logs each request. No fixture: capsys has another file while those are made."""
    given = {"log_level": "debug", "client_tokens": (SECRET,)}
    async with serving(settings.model_copy(update=given)) as api:
        api.headers["Authorization"] = f"Bearer {SECRET}"
        yield api


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert SECRET not in captured.err
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


@pytest.mark.parametrize("path", ["/tasks", "/tasks/x", "/nowhere", "/healthz", "/openapi.json"])
async def test_every_answer_has_the_id_it_was_given(api: httpx.AsyncClient, path: str) -> None:
    for given in ("abc-123", "x" * 128, '{"a":1}'):
        answer = await api.get(path, headers={"X-Request-Id": given})
        assert answer.headers.get_list("x-request-id") == [given]


async def test_without_one_each_gets_its_own(api: httpx.AsyncClient) -> None:
    given = [(await api.get("/healthz")).headers["x-request-id"] for _ in range(5)]
    given += [(await api.get("/nowhere")).headers["x-request-id"] for _ in range(5)]
    assert len(set(given)) == 10
    assert all(given)


@pytest.mark.parametrize("bad", ["", " ", "two words", "x" * 129, "é", "tab\t"])
async def test_one_that_would_spoil_a_log_is_replaced(api: httpx.AsyncClient, bad: str) -> None:
    answer = await api.get("/healthz", headers={b"X-Request-Id": bad.encode()})
    assert answer.status_code == 200
    assert answer.headers["x-request-id"] not in ("", bad)


async def test_the_line_of_a_request_says_what_it_was_and_how_it_ended(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with talkative(settings) as api:
        await api.get("/tasks/x", headers={"X-Request-Id": "abc"})
    (line,) = [line for line in lines(capsys) if line["event"] == "request"]
    assert line["request_id"] == "abc"
    assert (line["method"], line["path"], line["status"]) == ("GET", "/tasks/x", 422)
    assert line["level"] == "debug"
    assert line["seconds"] >= 0
    assert line["timestamp"].endswith("Z")


async def test_a_fault_is_logged_with_the_id_of_its_request(
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: object, **__: object) -> bytes:
        raise RuntimeError("it broke")

    monkeypatch.setattr(PageService, "tags", fail)
    async with talkative(settings) as api:
        await api.get("/tags", headers={"X-Request-Id": "abc"})

    found = [line for line in lines(capsys) if "request_id" in line]
    assert {line["request_id"] for line in found} == {"abc"}
    (fault,) = [line for line in found if line["level"] == "error"]
    assert "it broke" in fault["exception"]
    (request,) = [line for line in found if line["event"] == "request"]
    assert request["status"] == 500


async def test_requests_that_share_a_batch_keep_their_own_ids(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with talkative(settings) as api:
        await asyncio.gather(
            *(
                api.post("/tasks", json={"title": "x"}, headers={"X-Request-Id": f"id-{n}"})
                for n in range(20)
            )
        )
    requests = [line for line in lines(capsys) if line["event"] == "request"]
    assert sorted(line["request_id"] for line in requests) == sorted(f"id-{n}" for n in range(20))
