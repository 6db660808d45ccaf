"""The command line: its help, and what it says of what is wrong."""

import os
import subprocess
import sys

import pytest

from rowlock import Client
from rowlock.cli import COMMANDS, main
from rowlock.cli.terminal import cells
from tests.acceptance.commands import Run, Terminal, run


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


def test_help_names_every_command_and_completion_is_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = run(os.environ, "--help").stdout
    for command in COMMANDS:
        assert f"\n  {command} " in shown
        main([command, "--help"])
        assert f"Usage: rowlock {command} " in capsys.readouterr().out
    assert "_ROWLOCK_COMPLETE=complete_bash" in run(os.environ, "completion", "bash").stdout


@pytest.mark.parametrize("width", [120, 80, 40])
def test_help_fits_the_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    below = (["schedule", name] for name in COMMANDS["schedule"].below)
    for words in ([], *([command] for command in COMMANDS), *below):
        main([*words, "-h"])
        shown = capsys.readouterr().out
        assert max(map(cells, shown.splitlines())) <= width
        assert "-h, --help" in shown


def test_without_a_command_help_is_shown_and_it_is_no_success() -> None:
    assert run(os.environ, code=2).stdout == run(os.environ, "--help").stdout


def test_ctrl_c_ends_a_command_as_shells_say_it(
    environment: dict[str, str], client: Client
) -> None:
    client.submit("t")
    with Terminal(environment, "submit", "another", "--wait") as terminal:
        terminal.shows("Waiting for task 2")
        terminal.types("\x03")
        assert terminal.ends() == 130
    assert "Traceback" not in terminal.shown


def test_a_reader_that_goes_is_no_fault(environment: dict[str, str], client: Client) -> None:
    client.submit_many({"title": "t" * 200} for _ in range(1000))
    for command in ("export", "list -n 1000"):
        with subprocess.Popen(
            [sys.executable, "-m", "app", *command.split()],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as writing:
            assert writing.stdout is not None
            assert writing.stderr is not None
            assert writing.stdout.readline()
            writing.stdout.close()
            assert writing.stderr.read() == b""
            assert writing.wait(60) == 1
