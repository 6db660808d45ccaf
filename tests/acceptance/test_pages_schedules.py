"""What the pages show of schedules and of unique keys, run as they say."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rowlock import Client
from tests.acceptance.commands import run
from tests.acceptance.deployment import Api

SHOWN = re.compile(r"^```sh\n(.*?)^```\n+```\n(\d{3} .*?)^```", re.MULTILINE | re.DOTALL)
_TIME = re.compile(r"20\d\d-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)")
# Told by the clock of whoever runs it, as far as it is not asked of a certain day.
_MOVING = {"next_at", "created_at", "updated_at", "paused_at", "fired_at", "id", "task_id"}


def section(page: Path, begin: str, end: str) -> str:
    return f"\n{page.read_text()}".partition(f"\n{begin}\n")[2].partition(f"\n{end}\n")[0]


def heard(api: Api, command: str) -> str:
    """What a command of the page says, curl telling the head of its answer too."""
    script = f'API={api.url}\ncurl() {{ command curl -i "$@"; }}\n{command}'
    ran = subprocess.run(
        ["bash", "-euc", script], capture_output=True, text=True, timeout=30, check=True
    )
    return ran.stdout.replace("\r", "")


@pytest.mark.parametrize(
    ("page", "begin", "end"),
    [
        ("api.md", "## Schedules", "## Operations"),
        ("api.zh-CN.md", "## 周期计划", "## 运维"),
        ("api.md", "### One task a key", "### Submit many"),
        ("api.zh-CN.md", "### 每个键一个任务", "### 批量提交"),
    ],
)
def test_each_call_is_answered_as_the_page_shows(
    project: Path, api: Api, page: str, begin: str, end: str
) -> None:
    text = section(project / "docs" / page, begin, end)
    walk = SHOWN.findall(text)
    assert len(walk) == text.count("```sh\n") > 0
    for command, shown in walk:
        head, _, body = heard(api, command).partition("\n\n")
        status, *rest = shown.splitlines()
        assert head.splitlines()[0] == f"HTTP/1.1 {status}", command
        headers = dict(line.split(": ", 1) for line in rest if re.match(r"[a-z]+: ", line))
        for name, value in headers.items():
            told = dict(line.split(": ", 1) for line in head.splitlines()[1:])
            assert _steady(told[name]) == _steady(value), command
        document = "\n".join(rest[len(headers) :])
        if document:
            # `…` stands for what is left out.
            wanted = json.loads(re.sub(r",\s*…", "", document))
            assert_shows(json.loads(body), wanted, command)


def _steady(header: str) -> str:
    return re.sub(r"cursor=[\w-]+|tasks/\d+", "", header)


def assert_shows(found: Any, wanted: Any, why: str) -> None:
    """All that is shown is there, in this order, and the same but for what the clock tells."""
    if isinstance(wanted, dict):
        names = [name for name in found if name in wanted]
        assert names == [*wanted], why
        for name in names:
            is_told = name in _MOVING or (name == "occurrence_at" and "." in wanted[name])
            if is_told and wanted[name] is not None:
                assert found[name] is not None, why
            elif "/cron?" in why and isinstance(wanted[name], str):
                assert _TIME.fullmatch(found[name]), why
            else:
                assert_shows(found[name], wanted[name], why)
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), why
        for one, other in zip(found, wanted, strict=True):
            assert_shows(one, other, why)
    else:
        assert found == wanted, why


@pytest.fixture
def blocks(project: Path) -> Callable[[str, str, str, str], list[str]]:
    """The snippets of a section of a page."""

    def blocks(page: str, begin: str, end: str, language: str) -> list[str]:
        text = section(project / "docs" / page, begin, end)
        return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)

    return blocks


def test_the_workers_schedules_are_put(
    api: Api, tmp_path: Path, client: Client, blocks: Callable[..., list[str]]
) -> None:
    (snippet,) = blocks("workers.md", "### On a schedule", "### What a handler takes", "python")
    (tmp_path / "reports.py").write_text(snippet)
    environment = os.environ | {"ROWLOCK_URL": api.url, "PYTHONPATH": str(tmp_path)}
    run(environment, "worker", "--handlers", "reports:worker", "--once")
    monthly, refresh, report = sorted(client.schedules.list(), key=lambda each: each.name)
    assert (monthly.name, monthly.cron, monthly.timezone) == ("monthly report", "0 7 1 * *", "UTC")
    assert (refresh.interval_seconds, refresh.jitter_seconds) == (300, 60)
    assert refresh.task["retry_limit"] == 0
    assert (report.timezone, report.task["payload"]) == ("Europe/Berlin", {"pages": 2})
    task = client.schedules.run("monthly report")
    run(environment, "worker", "--handlers", "reports:worker", "--once")
    assert client.get(task.id).result == "40 pages for monthly report"


def test_the_page_begins_with_what_works(
    environment: dict[str, str], tmp_path: Path, client: Client, blocks: Callable[..., list[str]]
) -> None:
    begin = ("schedules.md", "# Schedules", "## Cron expressions")
    (shell,) = blocks(*begin, "sh")
    for line in shell.splitlines():
        run(environment, *shlex.split(line)[1:])
    made = client.schedules.get("nightly report")
    assert (made.cron, made.task["queue"], made.revision) == ("30 2 * * *", "reports", 1)
    assert [run.kind for run in client.schedules.runs("nightly report")] == ["manual"]

    puts, handles = blocks(*begin, "python")
    (tmp_path / "reports.py").write_text(handles)
    for code in (puts, "import reports; reports.worker.run(drain=True)"):
        python = {**environment, "PYTHONPATH": str(tmp_path)}
        subprocess.run([sys.executable, "-c", code], env=python, timeout=60, check=True)
    changed = client.schedules.get("nightly report")
    assert (changed.task["timeout_seconds"], changed.revision) == (1800, 2)
    (task,) = client.list(status="done")
    assert task.result == f"the report of {made.created_at:%d %B}"


def test_the_file_of_the_page_is_applied(
    environment: dict[str, str], tmp_path: Path, client: Client, blocks: Callable[..., list[str]]
) -> None:
    place = ("schedules.md", "## A file of schedules", "## No more")
    (file,) = blocks(*place, "toml")
    path = tmp_path / "schedules.toml"
    path.write_text(file)
    (shell,) = blocks(*place, "sh")
    tried, applied = (line.replace("schedules.toml", str(path)) for line in shell.splitlines())
    assert run(environment, *shlex.split(tried)[1:], code=3).stdout.endswith("2 to make\n")
    assert run(environment, *shlex.split(applied)[1:]).stdout.endswith("2 made\n")
    nightly, refresh = client.schedules.list()
    assert nightly.task["tags"] == refresh.task["tags"] == ["schedules:reports"]
    assert refresh.task["payload"] == {"shards": [1, 2, 3]}
