"""What is logged of a request is a line, whatever the request brings along."""

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from app.http import auth
from app.processes.doctor import examine
from app.runtime.logging import LONGEST_VALUE, configure_logging
from app.service.pages import PageService
from app.settings import Settings
from tests.conftest import serving
from tests.support.hostile import HOSTILE, quoted, raw

TEXTS = [text[:5000] for text in HOSTILE]
SECRET = "a-secret-token"
BEGINS = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z \[(debug|warning|error) *\] ")


@pytest.fixture(autouse=True)
def _logging_is_put_back(
    migrated_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """After `capsys`, into whose file nobody may write by then. The caller of these tests, who
    is in the same process, does not log."""
    monkeypatch.setattr(logging.getLogger("httpx"), "disabled", True)
    yield
    configure_logging(migrated_settings.log_level, migrated_settings.log_format)


@pytest.fixture(params=["json", "console"])
def talkative(
    settings: Settings, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    monkeypatch.setattr(auth, "GUESS_SECONDS", 0.0)
    given = {"log_level": "debug", "log_format": request.param, "client_tokens": (SECRET,)}
    return settings.model_copy(update=given)


def events(settings: Settings, capsys: pytest.CaptureFixture[str]) -> list[Any]:
    """What was logged: each one a line. Console: what belongs to one is indented below it."""
    captured = capsys.readouterr()
    lines = captured.err.split("\n")
    assert lines.pop() == ""
    assert captured.out == ""
    assert SECRET not in captured.err
    for line in lines:
        assert line.isprintable(), repr(line)
    if settings.log_format == "json":
        return [json.loads(line) for line in lines]
    assert all(BEGINS.match(line) or line.startswith("    ") for line in lines)
    return [line for line in lines if BEGINS.match(line)]


async def test_a_request_is_a_line(talkative: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(talkative) as api:
        for text in TEXTS:
            own = (b"Authorization", b"Bearer " + SECRET.encode())
            headers = [(b"X-Request-Id", raw(text)), (b"User-Agent", raw(text)), own]
            await api.get(f"/{quoted(text)}?{quoted(text[:1000])}=1", headers=headers)
            await api.get(f"/tasks/{quoted(text)}", headers=headers)

    found = events(talkative, capsys)
    assert len(found) == 2 * len(TEXTS)
    if talkative.log_format == "json":
        paths = [event["path"] for event in found[1::2]]
        assert f"/tasks/{TEXTS[8]}" in paths, "JSON says it to the letter"
    assert max(len(str(event)) for event in found) < LONGEST_VALUE + 500


async def test_a_refused_token_is_a_line_without_the_token(
    talkative: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(talkative) as api:
        for text in TEXTS:
            headers = [(b"Authorization", b"Bearer no-" + raw(text)), (b"Host", raw(text))]
            answer = await api.get(f"/tasks/{quoted(text)}/attempts", headers=headers)
            assert answer.status_code in (401, 404)

    found = [event for event in events(talkative, capsys) if "token_refused" in str(event)]
    assert len(found) > len(TEXTS) - 10
    assert "no-" not in str(found)


async def test_an_error_is_a_line_whatever_it_quotes(
    talkative: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = iter(TEXTS)

    async def fail(*_: object) -> bytes:
        raise RuntimeError(f"cannot take {next(texts)}\n2026-01-01T00:00:00.000000Z [error    ] x")

    monkeypatch.setattr(PageService, "tags", fail)
    async with serving(talkative) as api:
        for _ in TEXTS:
            headers = {"Authorization": f"Bearer {SECRET}"}
            answer = await api.get("/tags", headers=headers)
            assert answer.status_code == 500
            assert "cannot take" not in answer.text

    assert len(events(talkative, capsys)) == 2 * len(TEXTS)


async def test_so_is_what_libraries_log(
    talkative: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(talkative):
        for text in TEXTS:
            logging.getLogger("another").error("cannot take %s", text, exc_info=ValueError(text))
            logging.getLogger("another").warning(text)

    assert len(events(talkative, capsys)) == 2 * len(TEXTS)


async def test_no_secret_is_in_what_a_process_says(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither tokens, whosever, nor the passwords of MySQL and Redis."""
    given = {
        **{"log_level": "debug", "client_tokens": (SECRET,), "worker_tokens": (f"{SECRET}-2",)},
        "database_url": f"mysql://rowlock:{SECRET}@127.0.0.1:1/rowlock",
        "redis_url": f"redis://:{SECRET}@127.0.0.1:1/0",
    }
    secretive = Settings(**settings.model_dump() | given)
    assert SECRET not in repr(secretive) + str(secretive)
    said = []
    async with serving(secretive) as api:
        for path in ("/tasks", "/readyz", "/metrics", "/docs", "/openapi.json", "/nowhere"):
            for token in (SECRET, f"{SECRET}-2", "wrong"):
                answer = await api.get(path, headers={"Authorization": f"Bearer {token}"})
                said.append(f"{answer.status_code} {answer.headers} {answer.text}")
    findings = [str(finding) for finding in await asyncio.to_thread(examine, secretive)]

    captured = capsys.readouterr()
    assert "redis_away" in captured.err
    assert any(each.startswith("503") for each in said)
    assert findings
    assert SECRET not in "".join([*said, *findings, captured.err, captured.out])


def test_a_setting_that_is_refused_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWLOCK_DATABASE_URL", f"postgres://rowlock:{SECRET}@127.0.0.1/rowlock")
    monkeypatch.setenv("ROWLOCK_REDIS_URL", f"http://:{SECRET}@127.0.0.1")
    with pytest.raises(ValueError, match="2 validation errors") as raised:
        Settings()
    assert SECRET not in str(raised.value) + repr(raised.value)
