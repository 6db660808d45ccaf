"""`rowlock worker --handlers`: modules that fail, that run their worker, and that log."""

import os
import re
from pathlib import Path

import pytest

from rowlock import Client
from tests.acceptance.commands import run
from tests.acceptance.deployment import Api

WORKER = """\
import asyncio, logging
from rowlock import Worker

worker = Worker()
worker.handler("known")(lambda task, attempt: None)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module `tasks` that can be imported."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "tasks.py"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "def connect():\n    return 1 / 0\n\nconnect()",
            [
                'tasks.py", line 4, in <module>',
                'tasks.py", line 2, in connect',
                "ZeroDivisionError",
            ],
        ),
        ("import no_such_thing", ['tasks.py", line 1, in <module>', "named 'no_such_thing'"]),
        ("import os\nexit(3)", ['tasks.py", line 2, in <module>', "SystemExit: 3"]),
        ("worker = (", ['tasks.py", line 1', "SyntaxError"]),
        (WORKER + "worker.run()", ["tasks.py, line 6, runs a worker", '__name__ == "__main__"']),
        (
            WORKER + "def main():\n    asyncio.run(worker.run_async())\n\nmain()",
            ["tasks.py, line 7, runs a worker", '__name__ == "__main__"'],
        ),
    ],
)
def test_what_is_wrong_with_a_module_is_said_with_its_place(
    module: Path, code: str, said: list[str]
) -> None:
    module.write_text(code)
    ran = run(os.environ, "worker", "--handlers", "tasks:worker", code=2)
    for part in said:
        assert part in ran.stderr
    assert "importlib" not in ran.stderr
    assert "rowlock/" not in ran.stderr


@pytest.mark.parametrize(
    ("code", "begins"),
    [
        ('logging.basicConfig(format="MINE %(message)s", level="INFO")', r"MINE there is no"),
        ("", r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d,\d\d\d there is no"),
    ],
)
def test_the_log_is_as_the_module_has_it(
    api: Api, client: Client, module: Path, code: str, begins: str
) -> None:
    module.write_text(WORKER + code)
    client.submit("unknown")
    environment = os.environ | {"ROWLOCK_URL": api.url}
    ran = run(environment, "worker", "--handlers", "tasks:worker", "--once")
    (line,) = [line for line in ran.stderr.splitlines() if "no handler" in line]
    assert re.match(begins, line), line
