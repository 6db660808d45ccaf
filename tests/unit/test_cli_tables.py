"""What the command line shows: in any width, of any length, at times that people say."""

import asyncio
import itertools
import json
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.local.ports import free_port
from rowlock.cli.columns import NAMES, show_tasks
from rowlock.cli.table import plain_lines, table
from rowlock.cli.terminal import cells
from rowlock.cli.times import time_of
from rowlock.models import Task
from tests.support.sdk import A_TASK

COLUMNS = ("queue", "waiting", "oldest", "done", "title")
ROW = ("a-queue", 1_234_567, "12 min", 89_012_345, "t" * 80)


def drawn(width: int) -> list[str]:
    return table(COLUMNS, [ROW], droppable=("oldest", "done"), room=width)


def test_a_narrow_terminal_leaves_columns_out_and_cuts_no_number() -> None:
    heading, row = drawn(120)
    assert heading.split() == list(COLUMNS)
    assert {"1,234,567", "89,012,345", "t" * 80} < set(row.split())
    heading, row = drawn(60)
    assert heading.split() == list(COLUMNS)
    assert "89,012,345" in row
    assert row.rstrip().endswith("t…")
    heading, row = drawn(45)
    assert heading.split() == ["queue", "waiting", "done", "title"]
    assert {"1,234,567", "89,012,345"} < set(row.split())
    heading, row = drawn(33)
    assert heading.split() == ["queue", "waiting", "title"]
    assert "1,234,567" in row
    heading, row = drawn(27)
    assert heading.split() == ["queue", "waiting", "title"]
    assert "1,234,567" in row


def test_no_line_is_wider_than_the_terminal_whatever_the_characters() -> None:
    rows = [
        ("a-queue", 1, "2 h", 3, "缩小三百张照片，然后发送电子邮件给所有的订阅者"),
        ("another", 1_000, "5 min", 0, "e\u0301" * 40),
        ("a-third", 7, "1 d", 12, "😀" * 30),
    ]
    for width in range(27, 100):
        lines = table(COLUMNS, rows, droppable=("oldest", "done"), room=width)
        assert max(map(cells, lines)) <= width
        assert "1,000" in lines[2]
    # Two cells each, so that what follows stands below its heading.
    (heading, row) = plain_lines(("title", "queue"), [("照片照片", "mail")])
    assert (heading, row) == ("title     queue", "照片照片  mail")


def test_lines_for_a_file_come_before_the_last_row_is_known() -> None:
    def endless() -> Iterator[Sequence[object]]:
        for number in itertools.count():
            yield (str(number), "x")

    lines = list(itertools.islice(plain_lines(("id", "status"), endless()), 5000))
    assert lines[0] == "id   status"
    assert lines[1] == "0    x"
    assert lines[-1] == "4998  x"


def test_every_column_can_be_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    task = Task.model_validate(A_TASK | {"status": "in_progress", "error": "Traceback\n  last"})
    show_tasks([task], NAMES, get=lambda _: task.model_copy(update={"progress": {"percent": 40}}))
    heading, row, _ = capsys.readouterr().out.split("\n")
    assert heading.split() == list(NAMES)
    assert '{"percent":40}' in row
    assert "  last" in row
    assert "Traceback" not in row


@pytest.mark.parametrize(
    ("text", "is_past", "seconds"),
    [
        *(("90s", True, -90), ("15m", True, -900), ("15min", True, -900), ("1h", True, -3600)),
        *(("2d", False, 172_800), ("1w", False, 604_800), ("-1h", False, -3600)),
        ("+1h", True, 3600),
    ],
)
def test_a_time_may_be_told_from_now(text: str, is_past: bool, seconds: int) -> None:
    found = datetime.fromisoformat(time_of(text, is_past=is_past))
    assert abs(found - datetime.now(UTC) - timedelta(seconds=seconds)) < timedelta(seconds=30)


@pytest.mark.parametrize("text", ["2026-01-31T08:00:00Z", "1 h", "h", "1y", "", "999999w"])
def test_what_is_no_such_time_is_left_to_the_server(text: str) -> None:
    assert time_of(text, is_past=True) == text


async def test_waiting_outlives_an_outage(project: Path) -> None:
    port = free_port()
    waiting = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "wait", "7", "--url", f"http://127.0.0.1:{port}", "--json"),
        cwd=project,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert waiting.stdout is not None
    assert waiting.stderr is not None
    try:
        async with asyncio.timeout(60):
            said = await waiting.stderr.readline() + await waiting.stderr.readline()
            assert re.search(rb"127\.0\.0\.1:%d.*refused.*\nStill waiting" % port, said)
            async with await asyncio.start_server(answer, "127.0.0.1", port):
                shown = json.loads(await waiting.stdout.read())
            assert (shown["id"], shown["status"]) == (7, "done")
            assert await waiting.wait() == 0
    finally:
        if waiting.returncode is None:
            waiting.kill()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    body = json.dumps(A_TASK | {"status": "done"}).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()
    writer.close()
