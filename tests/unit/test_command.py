"""Commands as handlers: real processes, without a server."""

import asyncio
import logging
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from rowlock import Permanent, Retry, Task
from rowlock.encoding import JSON_LIMIT_BYTES, encode
from rowlock.worker.command import Command
from tests.acceptance.deployment import until
from tests.support.sdk import A_TASK, an_attempt


async def run(script: str, *arguments: str, **task: Any) -> Any:
    """What a shell script comes to."""
    command = Command(["/bin/sh", "-c", script, "sh", *arguments])
    return await command(Task.model_validate(A_TASK | task), an_attempt())


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("echo '{\"a\": [1, null]}'", {"a": [1, None]}),
        ("echo 12", 12),
        ("echo hello; echo world", "hello\nworld"),
        ("printf '%s' 完成", "完成"),
        ("true", None),
        ("printf 'a\\0b'", "a\\0b"),
        ("printf '\\377'", "\ufffd"),
        ("echo NaN", "NaN"),
    ],
)
async def test_what_it_writes_is_the_result(script: str, result: Any) -> None:
    assert await run(script) == result


async def test_what_it_says_on_stderr_is_passed_on_with_the_task(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "rowlock.worker")
    await run("echo one >&2; echo '::progress 40' >&2; printf two >&2", id=42)
    assert [record.getMessage() for record in caplog.records] == ["task 42: one", "task 42: two"]


@pytest.mark.parametrize("character", ["x", "\\001"])
async def test_a_result_that_is_too_long_is_cut_with_a_mark(character: str) -> None:
    result = await run(f"head -c 400000 /dev/zero | tr '\\0' '{character}'")

    assert result.endswith(" … [cut]")
    assert JSON_LIMIT_BYTES - 16 < len(encode(result)) <= JSON_LIMIT_BYTES


async def test_json_that_is_too_long_is_text_that_is_cut() -> None:
    result = await run("echo '['; yes '\"x\",' | head -n 100000; echo '1]'")

    assert result.startswith('[\n"x",\n')
    assert result.endswith(" … [cut]")


async def test_the_task_comes_on_stdin_and_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ROWLOCK_TOKEN", "a secret")
    monkeypatch.setenv("ROWLOCK_SIGNING_KEY", "another")
    monkeypatch.setenv("ELSE", "stays")
    given = await run("cat")
    environment = await run("env", title="高 $(id) `id`")

    assert given == Task.model_validate(A_TASK).model_dump(mode="json")
    lines = environment.splitlines()
    for line in ("ROWLOCK_TASK_ID=7", "ROWLOCK_ATTEMPT=1", "ROWLOCK_QUEUE=default", "ELSE=stays"):
        assert line in lines
    assert "ROWLOCK_TITLE=高 $(id) `id`" in lines
    assert "secret" not in environment
    assert "another" not in environment


async def test_arguments_reach_it_as_they_are_without_a_shell() -> None:
    command = Command(["/usr/bin/printf", "%s|", "a b", "$HOME", "*", ";id"])

    assert await command(Task.model_validate(A_TASK), an_attempt()) == "a b|$HOME|*|;id|"


async def test_one_that_does_not_read_its_stdin_is_not_held_up() -> None:
    assert await run("exec 0<&-; echo done", payload="x" * 200_000) == "done"


@pytest.mark.parametrize(
    ("script", "kind", "how"),
    [
        ("exit 65", Permanent, "exited with code 65"),
        ("exit 1", Retry, "exited with code 1"),
        ("exit 255", Retry, "exited with code 255"),
        ("kill -9 $$", Retry, "was killed by SIGKILL"),
        ("kill -TERM $$", Retry, "was killed by SIGTERM"),
    ],
)
async def test_how_it_ends_says_whether_it_is_tried_again(
    script: str, kind: type[Exception], how: str
) -> None:
    with pytest.raises(kind) as raised:
        await run(f"echo to stdout; echo first >&2; echo 'the reason' >&2; {script}")

    assert str(raised.value) == f"first\nthe reason\n[/bin/sh {how}]"


async def test_of_much_stderr_the_end_is_kept() -> None:
    with pytest.raises(Retry) as raised:
        await run("yes 'no good' | head -n 100000 >&2; echo 'the last word' >&2; exit 1")

    said = str(raised.value)
    assert len(said) < 20_000
    assert said.endswith("no good\nthe last word\n[/bin/sh exited with code 1]")


async def test_a_line_without_an_end_is_not_kept_whole() -> None:
    with pytest.raises(Retry) as raised:
        await run("head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1")

    assert len(str(raised.value)) < 20_000


async def test_a_command_that_is_not_there_is_tried_again_and_named() -> None:
    with pytest.raises(Retry, match=r"/no/such/command cannot be run: .*No such file"):
        await Command(["/no/such/command"])(Task.model_validate(A_TASK), an_attempt())


async def test_progress_is_told_and_is_no_part_of_the_error() -> None:
    told: list[bytes] = []
    attempt = an_attempt(lambda: told.append(attempt.progress_json))
    script = (
        "for n in 10 40.5 '70 %'; do printf '::progress %s\\r' \"$n\" >&2; done; echo x >&2; exit 1"
    )
    with pytest.raises(Retry) as raised:
        await Command(["/bin/sh", "-c", script])(Task.model_validate(A_TASK), attempt)

    assert told == [b'{"percent":10}', b'{"percent":40.5}', b'{"percent":70}']
    assert str(raised.value).splitlines()[0] == "x"


@pytest.mark.parametrize("trap", ["", "trap '' TERM; "])
async def test_cut_short_its_whole_group_ends_though_it_will_not(
    trap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rowlock.worker.command.END_SECONDS", 0.5)
    pids = tmp_path / "pids"
    script = f"{trap}sleep 600 & echo $! $$ > {pids}.part; mv {pids}.part {pids}; wait; sleep 600"
    running = asyncio.create_task(run(script))
    await asyncio.to_thread(until, pids.exists, "begun")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert not any(lives(int(pid)) for pid in pids.read_text().split())


async def test_cut_short_as_it_is_started_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rowlock.worker.command.END_SECONDS", 0.5)
    pid = tmp_path / "pid"
    running = asyncio.create_task(run(f"trap '' TERM; echo $$ > {pid}; sleep 600; sleep 600"))
    for _ in range(3):
        await asyncio.sleep(0)  # as far as the fork
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert not (pid.exists() and pid.read_text() and lives(int(pid.read_text())))


async def test_whoever_cancels_whatever_runs_ends_it_too(tmp_path: Path) -> None:
    bystanders, runs = asyncio.all_tasks(), asyncio.Event()
    script = f"echo $$ > {tmp_path}/pid; echo '::progress 1' >&2; sleep 600; true"
    command = Command(["/bin/sh", "-c", script])
    running = asyncio.ensure_future(command(Task.model_validate(A_TASK), an_attempt(runs.set)))
    async with asyncio.timeout(20):
        await runs.wait()
    for task in asyncio.all_tasks() - bystanders:
        task.cancel()
    async with asyncio.timeout(20):
        await asyncio.wait([running])
    assert running.cancelled()
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not lives(pid), "ended")


async def test_told_to_end_it_may_clean_up(tmp_path: Path) -> None:
    begun, cleaned = tmp_path / "begun", tmp_path / "cleaned"
    script = f"trap 'touch {cleaned}; exit 0' TERM; touch {begun}; sleep 600 & wait"
    running = asyncio.create_task(run(script))
    await asyncio.to_thread(until, begun.exists, "begun")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert cleaned.exists()


async def test_what_it_leaves_in_its_group_ends_with_it(tmp_path: Path) -> None:
    assert await run(f"sleep 600 & echo $! > {tmp_path}/pid; echo done") == "done"
    assert not lives(int((tmp_path / "pid").read_text()))


async def test_one_that_has_left_the_group_with_the_pipes_does_not_hold_it_up(
    tmp_path: Path,
) -> None:
    pid = tmp_path / "pid"
    result = await run(
        f"setsid sh -c 'echo $$ > {pid}; exec sleep 600' & "
        f"while [ ! -s {pid} ]; do sleep 0.01; done; echo done"
    )
    os.kill(int(pid.read_text()), signal.SIGKILL)

    assert result == "done"
