"""The command line: its help, and what it says of what is wrong."""

import os

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from rowlock.cli import app
from tests.acceptance.commands import Run, run


def test_what_the_server_refuses_is_said_on_stderr_by_field(rowlock: Run) -> None:
    for arguments, said in (
        (("submit", ""), "rowlock: 422 Invalid request\n  title: "),
        (("submit", "t", "--due", "soon"), "  due_date: "),
        (("list", "--status", "lost"), "  status.0: "),
        (("list", "--created-after", "yesterday"), "  created_after: "),
        (("show", "7"), "404 Task not found"),
        # What is empty is no filter that lets everything through.
        (("cancel", "--yes", "--status", "to_do", "--created-before", ""), "  created_before: "),
        (("cancel", "--yes", "--status", "to_do", "--title", ""), "  title: "),
    ):
        ran = rowlock(*arguments, code=1)
        assert said in ran.stderr
        assert ran.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("submit", "t", "-p", "urgent"), "'urgent' is not one of"),
        (("submit", "t", "--payload", "{a"), "--payload is not JSON"),
        (("submit", "t", "--payload", "@/no/such"), "No such file"),
        (("patch", "1"), "Nothing to change"),
        (("patch", "1", "-t", "a", "--clear", "tags"), "tags is both set and cleared"),
        (("cancel",), "by their ids or by at least one filter"),
        (("cancel", "1", "--queue", "a"), "by their ids or by at least one filter"),
        (("list", "--url", "nowhere"), "'nowhere' is not a URL"),
        (("import", "/no/such"), "No such file"),
        (("worker",), "one of --exec, --forward and --handlers"),
        (("worker", "no-such-command"), "the command no-such-command was not found"),
        (("worker", "--exec"), "Put the command after --exec"),
        (("worker", "--forward", "http://a", "true"), "Put the command after --exec"),
        (("worker", "--forward", "nowhere"), "'nowhere' is not a URL"),
        (("worker", "--handlers", "no.such:thing"), "No module named 'no'"),
        (("worker", "--handlers", "json:dumps"), "must be a rowlock.Worker, not function"),
    ],
)
def test_what_is_asked_wrongly_is_said_on_stderr(arguments: tuple[str, ...], said: str) -> None:
    ran = run(os.environ, *arguments, code=2)
    assert said in ran.stderr
    assert ran.stdout == ""


def test_a_server_that_is_not_there_is_named() -> None:
    ran = run(os.environ, "list", "--url", "http://127.0.0.1:9", code=1)
    assert "rowlock: GET http://127.0.0.1:9/tasks" in ran.stderr
    assert "Connection refused" in ran.stderr


def test_help_names_every_command_and_completion_is_there() -> None:
    shown = run(os.environ, "--help").stdout
    for command in getattr(get_command(app), "commands"):  # noqa: B009  (a group's own)
        assert f"│ {command} " in shown
        assert "Usage:" in CliRunner().invoke(app, [command, "--help"]).stdout
    # Whoever runs the tests need not be a shell, which typer asks for by itself.
    given = os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    completion = run(given, "--show-completion", "bash").stdout
    assert "_ROWLOCK_COMPLETE=complete_bash" in completion
