"""Tasks that mean harm to a command or a web service that is to do them."""

import gzip
import json
import os
import re
from typing import Any

import pytest

from rowlock import Retry, Task
from rowlock.encoding import JSON_LIMIT_BYTES
from rowlock.worker.command import Command
from rowlock.worker.forward import Forward
from tests.support.hostile import STRINGS
from tests.support.sdk import A_TASK, an_attempt
from tests.unit.test_forward import a_service, forward, says

SECRETS = {
    "ROWLOCK_TOKEN": "secret",
    "ROWLOCK_ADMIN_TOKEN": "secret",
    "ROWLOCK_SIGNING_KEY": "secret",
    "ROWLOCK_DATABASE_URL": "secret",
}
OWN = {"ROWLOCK_TASK_ID", "ROWLOCK_ATTEMPT", "ROWLOCK_TITLE", "ROWLOCK_QUEUE"}
HEAD = re.compile(rb"POST /tasks\?a=b HTTP/1\.1\r\n(?:[A-Za-z-]+: [\x20-\x7e]*\r\n)+\r\n")


async def run(command: list[str], **task: Any) -> Any:
    attempt = an_attempt()
    return await Command(command)(Task.model_validate(A_TASK | task), attempt)


async def test_a_command_s_environment_is_the_worker_s_and_four_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    before = {name: value for name, value in os.environ.items() if name not in SECRETS}
    names = {"LD_PRELOAD": "/tmp/x.so", "PATH": "/evil", "BASH_ENV": "/evil", "IFS": "x"}
    for text in STRINGS:
        printed = await run(["/usr/bin/env", "-0"], title=text, payload=names, tags=[text])
        seen = dict(item.split("=", 1) for item in printed.split("\\0") if item)
        assert {name: seen.pop(name) for name in OWN}["ROWLOCK_TITLE"] == text
        assert seen == before


async def test_its_arguments_are_the_user_s_and_no_shell_s() -> None:
    given = ["{}", "%s", "$ROWLOCK_TITLE", "`id`", "*", "; id"]
    for text in ("$(id)", "; id", "{}", "%s"):
        printed = await run(["/usr/bin/printf", "%s|", *given], title=text)
        assert printed == "".join(f"{each}|" for each in given)


async def test_its_stdin_is_the_task_to_the_letter() -> None:
    for text in STRINGS:
        task = await run(["/bin/cat"], title=text, payload={text: [text]}, description=text)
        assert (task["title"], task["payload"], task["description"]) == (text, {text: [text]}, text)


@pytest.mark.parametrize(
    "task",
    [{"title": "x" * 300_000}, {"queue": "a\0b"}, {"queue": "x" * 300_000}],
    ids=["a long title", "NUL", "a long queue"],
)
async def test_what_no_environment_can_hold_fails_the_attempt_alone(task: Any) -> None:
    with pytest.raises(Retry, match="/bin/cat cannot be run"):
        await run(["/bin/cat"], **task)


async def test_what_a_command_prints_is_a_result_or_text_however_odd() -> None:
    deep = await run(["/bin/sh", "-c", "head -c 200000 /dev/zero | tr '\\0' '['"])
    assert deep == "[" * 200_000
    for odd in (r'{"a":"\ud800"}', "1e999", "[NaN]", '{"a":1}{"a":1}', "\x1b[31m"):
        assert await run(["/usr/bin/printf", "%s", odd]) == odd


async def test_a_task_can_change_neither_where_it_is_sent_nor_its_headers() -> None:
    async with a_service(says(200), answers=len(STRINGS)) as service:
        attempt = an_attempt()
        async with Forward(service.url, signing_key="the key") as handler:
            for text in STRINGS:
                fields = {"title": text, "payload": {"url": text}, "tags": [text]}
                await handler(Task.model_validate(A_TASK | fields), attempt)

    for head, body, text in zip(service.heads, service.bodies, STRINGS, strict=True):
        assert HEAD.fullmatch(head), head
        assert b"\nx-evil" not in head.lower()
        assert json.loads(body)["title"] == text


@pytest.mark.parametrize("queue", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "\ud800"])
async def test_a_header_that_cannot_be_sent_is_not(queue: str) -> None:
    """No server of ours hands out such a queue."""
    async with a_service(says(200)) as service:
        with pytest.raises((Retry, ValueError)):
            await forward(service.url, queue=queue)
    assert service.heads == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["http://127.0.0.2:{port}/", "//127.0.0.2:{port}/", "/elsewhere"])
async def test_no_redirect_leads_anywhere(status: int, place: str) -> None:
    async with a_service(says(200)) as other:
        location = place.format(port=other.url.rpartition(":")[2].partition("/")[0])
        async with a_service(says(status, Location=location)) as service:
            with pytest.raises(Retry, match="not followed"):
                await forward(service.url)
    assert len(service.heads) == 1
    assert other.heads == []


async def test_of_a_redirect_that_has_no_end_the_beginning_is_told() -> None:
    async with a_service(says(302, Location="/x" * 20_000)) as service:
        with pytest.raises(Retry, match="answered 302") as raised:
            await forward(service.url)
    assert len(str(raised.value)) < 5000


@pytest.mark.parametrize("layers", [1, 2])
async def test_what_unpacks_to_more_than_a_result_is_cut_not_unpacked(layers: int) -> None:
    packed = gzip.compress(b"x" * 50_000_000)
    for _ in range(layers - 1):
        packed = gzip.compress(packed)
    answer = says(200, packed, Content_Encoding=", ".join(["gzip"] * layers))
    async with a_service(answer) as service:
        if layers == 1:
            result = await forward(service.url)
            assert JSON_LIMIT_BYTES - 16 < len(result) <= JSON_LIMIT_BYTES
        else:
            with pytest.raises(Retry, match="was not requested"):
                await forward(service.url)
    assert b"accept-encoding: gzip\r\n" in service.heads[0].lower()


async def test_what_is_no_gzip_is_tried_again() -> None:
    async with a_service(says(200, b"no gzip", Content_Encoding="gzip")) as service:
        with pytest.raises(Retry, match="is not valid gzip"):
            await forward(service.url)


async def test_headers_without_an_end_are_hung_up_on() -> None:
    async with a_service(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10_000_000) as service:
        with pytest.raises(Retry, match=r"http://127\.0\.0\.1"):
            await forward(service.url)


def test_no_password_is_in_what_is_said_of_a_url() -> None:
    for url in ("ftp://user:secret@127.0.0.1", "http://user:secret@127.0.0.1:x"):
        with pytest.raises(ValueError, match="is not a URL") as refused:
            Forward(url)
        assert "secret" not in str(refused.value)
