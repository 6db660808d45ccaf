"""What is shown of hostile strings can do nothing to whoever looks at it."""

import json
import logging

import pytest

from rowlock import Task
from rowlock.cli import render
from rowlock.cli.columns import show_ends, show_tasks
from rowlock.cli.connection import fail, sentence
from rowlock.errors import FieldError, InvalidRequestError
from rowlock.models import Attempt
from rowlock.printable import HarmlessLines, harmless, harmless_json
from tests.support.hostile import HOSTILE, STRINGS
from tests.support.sdk import A_TASK

AN_ATTEMPT = {
    **{"attempt": 1, "worker": None, "outcome": "failed", "error": None},
    **{"started_at": A_TASK["created_at"], "finished_at": A_TASK["created_at"]},
}


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_text_is_on_one_line_and_json_is_the_same_json(text: str) -> None:
    assert harmless(text).isprintable()
    assert harmless(text) == text or not text.isprintable()
    shown = harmless_json(json.dumps({text: text}, ensure_ascii=False))
    assert shown.isprintable()
    assert json.loads(shown) == {text: text}


def test_what_can_be_shown_is_shown_as_it_is() -> None:
    assert harmless("完成 é 😀") == "完成 é 😀"
    assert harmless_json('{"a":"完成 😀"}') == '{"a":"完成 😀"}'
    assert harmless_json('"\x9b\U000e0001"') == r'"\u009b\udb40\udc01"'


@pytest.mark.parametrize("text", STRINGS, ids=ascii)
def test_a_task_is_shown_by_lines_of_its_own(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    fields = {"title": text, "tags": [text], "payload": {text: [text]}, "error": text}
    task = Task.model_validate(A_TASK | fields | {"worker": text, f"new {text}": 1})
    attempt = Attempt.model_validate(AN_ATTEMPT | {"worker": text, "error": text})

    show_tasks([task])
    show_ends([task])
    render.show_task(task, [attempt])
    render.show_json(task)

    lines = capsys.readouterr().out.split("\n")
    assert [line for line in lines if not line.isprintable()] == []
    assert len(lines) == 2 + 2 + len(task.model_dump(exclude_none=True)) + 1 + 2 + 1 + 1
    assert Task.model_validate_json(lines[-2]) == task


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_what_a_server_says_is_told_below_what_we_say(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = InvalidRequestError(422, text, text, {"detail": text})
    for error in (refused, InvalidRequestError(422, text, text, {})):
        error.errors = [FieldError(text, text)] if error is refused else []
        with pytest.raises(SystemExit):
            fail(sentence(error))
    lines = capsys.readouterr().err.split("\n")
    assert [line for line in lines if not line.isprintable()] == []
    assert [line.startswith("rowlock: ") for line in lines] == [True, False, True, False]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_what_a_worker_logs_is_a_line_and_what_belongs_to_it(text: str) -> None:
    error = ValueError(f"cannot take {text}\n2030-01-01 00:00:00,000 all is well")
    raised = (ValueError, error, None)
    record = logging.LogRecord("rowlock", 30, "", 1, "failed: %s", (text,), raised)
    first, *others = HarmlessLines("%(asctime)s %(message)s").format(record).split("\n")
    assert "failed: " in first
    assert all(line.startswith("    ") for line in others)
    assert all(line.isprintable() for line in (first, *others))
