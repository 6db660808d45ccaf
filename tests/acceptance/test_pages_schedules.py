"""What the pages show of schedules, run as they say."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.deployment import Api

_SHOWN = re.compile(r"^```sh\n(.*?)^```\n+```\n(\d{3} .*?)^```", re.MULTILINE | re.DOTALL)
_TIME = re.compile(r"20\d\d-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)")
# Told by the clock of whoever runs it, as far as it is not asked of a certain day.
_MOVING = {"next_at", "created_at", "updated_at", "paused_at", "fired_at", "id", "task_id"}


def section(page: Path, begin: str, end: str) -> str:
    return page.read_text().partition(f"\n{begin}\n")[2].partition(f"\n{end}\n")[0]


def heard(api: Api, command: str) -> str:
    """What a command of the page says, curl telling the head of its answer too."""
    script = f'API={api.url}\ncurl() {{ command curl -i "$@"; }}\n{command}'
    ran = subprocess.run(
        ["bash", "-euc", script], capture_output=True, text=True, timeout=30, check=True
    )
    return ran.stdout.replace("\r", "")


@pytest.mark.parametrize(
    ("page", "begin", "end"),
    [("api.md", "## Schedules", "## Operations"), ("api.zh-CN.md", "## 周期计划", "## 运维")],
)
def test_each_call_about_schedules_is_answered_as_the_page_shows(
    project: Path, api: Api, page: str, begin: str, end: str
) -> None:
    text = section(project / "docs" / page, begin, end)
    walk = _SHOWN.findall(text)
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
