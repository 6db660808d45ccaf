"""What the pages show of ends that store tasks, run as they say."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.deployment import Api
from tests.acceptance.test_pages_schedules import SHOWN, heard, section

# Of the page's own program, what one call leaves for the next.
_KEEPS = "(declare -p LEASE GO_ON > state) 2> /dev/null || true"


@pytest.mark.parametrize(
    ("page", "begin", "end"),
    [
        ("api.md", "### End and go on", "## Admin door"),
        ("api.zh-CN.md", "### 结束并继续", "## 管理入口"),
    ],
)
def test_an_end_and_what_comes_of_it_are_answered_as_the_page_shows(
    project: Path,
    api: Api,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    page: str,
    begin: str,
    end: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "state").touch()
    text = (project / "docs" / page).read_text()
    (claim,) = re.findall(r"^claim\(\) \{.*?^\}$", text, re.MULTILINE | re.DOTALL)
    walk = SHOWN.findall(section(project / "docs" / page, begin, end))
    assert len(walk) == 3
    told: list[Any] = []
    for command, shown in walk:
        answer = heard(api, f"{claim}\n. ./state\n{command}\n{_KEEPS}")
        head, _, body = answer.partition("\n\n")
        status, _, document = shown.partition("\n")
        assert head.splitlines()[0] == f"HTTP/1.1 {status}", command
        wanted, found = json.loads(re.sub(r",\s*…", "", document)), json.loads(body)
        assert found.keys() >= wanted.keys()
        for name in wanted.keys() - {"id", "submitted"}:
            assert found[name] == wanted[name], command
        told.append(found)
    first, again, refused = told
    assert first == again
    assert len(first["submitted"]) == 2
    assert "submitted" not in refused
