"""`rowlock run`: a handler once, without a server."""

import os
from pathlib import Path

import pytest

from tests.acceptance.commands import run

TASKS = """\
from pydantic import BaseModel
from rowlock import Permanent, Worker

worker = Worker()


class Photo(BaseModel):
    path: str
    width: int = 640


@worker.handler("resize")
async def resize(photo: Photo):
    return {"path": photo.path, "width": photo.width}


@worker.handler("fail")
def fail(task, attempt):
    raise Permanent("no such file")


@worker.handler("hang")
async def hang(task, attempt):
    import asyncio
    await asyncio.Event().wait()
"""


@pytest.fixture
def handlers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    (tmp_path / "photos.py").write_text(TASKS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "--handlers", "photos:worker"


def once(handlers: tuple[str, str], *arguments: str, code: int = 0) -> tuple[str, str]:
    # Nobody listens there.
    environment = os.environ | {"ROWLOCK_URL": "http://127.0.0.1:1"}
    ran = run(environment, "run", *arguments, *handlers, code=code)
    return ran.stdout, ran.stderr


def test_the_result_is_printed(handlers: tuple[str, str]) -> None:
    assert once(handlers, "resize", "--payload", '{"path": "a.png"}') == (
        '{"path":"a.png","width":640}\n',
        "",
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("fail",), 3, "no such file"),
        (("resize", "--payload", '{"path": 1}'), 3, "path"),
        (("hang", "--timeout-seconds", "0.2"), 3, "timed_out"),
        (("unknown",), 2, "photos:worker has no handler for 'unknown'"),
        (("resize", "--payload", "nonsense"), 2, "--payload is not JSON"),
    ],
)
def test_the_exit_code_says_what_came_of_it(
    handlers: tuple[str, str], arguments: tuple[str, ...], code: int, said: str
) -> None:
    shown, errors = once(handlers, *arguments, code=code)
    assert shown == ""
    assert said in errors
