"""The commands that speak to a server, as a person and as a program uses them."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from app.cli import app
from rowlock import Client, Worker
from tests.acceptance.deployment import Api, until

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(api: Api) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ROWLOCK_") and k != "COLUMNS"}
    return kept | {"ROWLOCK_URL": api.url}


def run(
    environment: Mapping[str, str], *arguments: str, code: int = 0, given: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; it has to end as said."""
    ran = subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == code, ran
    assert "Traceback" not in ran.stderr
    return ran


@pytest.fixture
def rowlock(environment: dict[str, str]) -> Run:
    """Run a command against the API."""
    return partial(run, environment)


@pytest.fixture
def client(api: Api) -> Iterator[Client]:
    with Client(api.url) as client:
        yield client


def documents(ran: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    return [json.loads(line) for line in ran.stdout.splitlines()]


async def do_all(api: Api) -> None:
    worker = Worker(url=api.url)

    @worker.handler
    async def handle(task: Any, _attempt: Any) -> str:
        if task.title == "bad":
            raise ValueError("the reason")
        return f"did {task.title}"

    await worker.run_async(drain=True)


async def test_a_task_from_its_submission_to_its_end(rowlock: Run, api: Api) -> None:
    fields = (
        "-p",
        "high",
        "-t",
        "a",
        "-t",
        "b",
        "--due",
        "2030-01-01T00:00:00Z",
        "--retry-limit",
        "0",
    )
    (task,) = documents(rowlock("submit", "ok", *fields, "--payload", '{"n": 1}', "--json"))
    assert (task["priority"], task["tags"], task["payload"]) == ("高", ["a", "b"], {"n": 1})
    task_id = str(task["id"])
    assert "still to_do" in rowlock("wait", task_id, "--for", "0", code=4).stderr
    (changed,) = documents(
        rowlock("patch", task_id, "--clear", "due_date", "--payload", "@/dev/stdin", "--json",
                given="[1]")
    )  # fmt: skip
    assert (changed["due_date"], changed["payload"]) == (None, [1])
    bad = documents(rowlock("submit", "bad", "--retry-limit", "0", "--json"))[0]["id"]

    await do_all(api)

    assert "did ok" in rowlock("wait", task_id).stdout
    waited = rowlock("wait", task_id, str(bad), code=3)
    assert "the reason" in waited.stdout
    shown = rowlock("show", str(bad)).stdout.splitlines()
    assert any(line.split() == ["status", "failed"] for line in shown)
    assert any("ValueError: the reason" in line for line in shown[-3:])
    assert [t["id"] for t in documents(rowlock("list", "--status", "done", "--json"))] == [1]
    assert [line.split()[0] for line in rowlock("list").stdout.splitlines()] == ["id", "2", "1"]
    rowlock("delete", task_id, str(bad))
    assert "There is no task 1" in rowlock("show", task_id, code=1).stderr


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
        (("cancel",), "either their ids, or at least one filter"),
        (("cancel", "1", "--queue", "a"), "either their ids, or at least one filter"),
        (("list", "--url", "nowhere"), "'nowhere' is not a URL"),
        (("import", "/no/such"), "No such file"),
        (("worker",), "one of --exec, --forward and --handlers"),
        (("worker", "true"), "one of --exec, --forward and --handlers"),
        (("worker", "--exec"), "--exec is followed by the command"),
        (("worker", "--forward", "http://a", "true"), "--exec is followed by the command"),
        (("worker", "--forward", "nowhere"), "'nowhere' is not a URL"),
        (("worker", "--handlers", "no.such:thing"), "No module named 'no'"),
        (("worker", "--handlers", "json:dumps"), "that is no rowlock.Worker but function"),
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


def test_a_title_can_do_nothing_to_a_terminal_or_a_table(rowlock: Run, client: Client) -> None:
    client.submit("\x1b[31mred\x07\nnext [bold]line[/bold]")
    shown = rowlock("list").stdout + rowlock("show", "1").stdout
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert r"\x1b[31mred\x07\nnext [bold]line[/bold]" in shown


def test_tables_are_for_terminals_coloured_and_for_pipes_whole(
    environment: dict[str, str], rowlock: Run, client: Client
) -> None:
    client.submit("t" * 250)
    assert "t" * 250 in rowlock("list").stdout
    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "list"], env=environment | {"TERM": "xterm"}, stdout=side
    )
    os.close(side)
    shown = b""
    with suppress(OSError):  # the other side has closed
        while chunk := os.read(main, 4096):
            shown += chunk
    os.close(main)
    assert process.wait(10) == 0
    assert b"\x1b[" in shown
    assert b"t" * 250 not in shown


def test_a_file_of_tasks_is_stored_once_however_often_it_is_sent(
    rowlock: Run, client: Client, tmp_path: Path
) -> None:
    lines = [json.dumps({"title": f"t{n}", "tags": ["imported"]}) for n in range(1200)]
    lines[700] = '{"title": "", "nonsense": 1}'
    file = tmp_path / "tasks.jsonl"
    file.write_text("\n\n".join(lines))
    ran = rowlock("import", str(file), code=1)
    assert "line 1401: title: " in ran.stderr
    assert "line 1401: nonsense: is not known here" in ran.stderr
    assert "500 tasks are stored. Run the same command again" in ran.stderr
    assert ran.stdout == ""
    lines[700] = "{"
    file.write_text("\n".join(lines))
    assert "line 701 is not JSON" in rowlock("import", str(file), code=1).stderr
    lines[700] = '{"title": "mended"}'
    file.write_text("\n".join(lines))
    ran = rowlock("import", str(file))
    assert ran.stdout == "700 tasks are stored, 500 were stored before.\n"
    ran = rowlock("import", str(file))
    assert ran.stdout == "0 tasks are stored, 1,200 were stored before.\n"
    assert "--key imports it once more" in ran.stderr
    assert [task.title for task in client.list(order="asc")] == [
        json.loads(line)["title"] for line in lines
    ]
    again = rowlock("import", "-", "--key", "once more", "--json", given="\n".join(lines))
    assert documents(again) == [{"stored": 1200, "found": 0}]
    assert client.stats().queues[0].waiting == 2400


def test_an_import_that_is_killed_goes_on(
    environment: dict[str, str], rowlock: Run, client: Client, tmp_path: Path
) -> None:
    file = tmp_path / "tasks.jsonl"
    file.write_text("".join(f'{{"title": "t{n}"}}\n' for n in range(20_000)))
    arguments = ("import", str(file), "--batch-size", "50")
    first = subprocess.Popen([sys.executable, "-m", "app", *arguments], env=environment)
    until(lambda: bool(list(client.list(page_size=1, id=1))), "begun")
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert client.stats().queues[0].waiting < 20_000, "too late to prove anything"
    rowlock(*arguments)
    assert client.stats().queues[0].waiting == 20_000


def test_what_was_exported_can_be_imported(rowlock: Run, client: Client, tmp_path: Path) -> None:
    client.submit_many(
        {"title": f"t{n}", "queue": f"q{n % 2}", "priority": "high", "payload": {"id": n}}
        for n in range(10)
    )
    out = tmp_path / "tasks.jsonl"
    assert "5 tasks are in" in rowlock("export", "--queue", "q1", "-o", str(out)).stderr
    exported = [json.loads(line) for line in out.read_text().splitlines()]
    assert [task["title"] for task in exported] == ["t1", "t3", "t5", "t7", "t9"]
    assert rowlock("export", "--queue", "q1").stdout == out.read_text()
    rowlock("delete", *(str(task["id"]) for task in exported))
    rowlock("import", str(out))
    again = [json.loads(line) for line in rowlock("export", "--queue", "q1").stdout.splitlines()]
    driven = {"id", "created_at", "updated_at"}
    assert [{k: v for k, v in task.items() if k not in driven} for task in again] == [
        {k: v for k, v in task.items() if k not in driven} for task in exported
    ]


def test_management_of_one_and_of_all_that_match(rowlock: Run, client: Client) -> None:
    client.submit_many({"title": f"t{n}", "queue": "mail"} for n in range(3))
    assert rowlock("pause", "1").stdout == "task 1 is paused\n"
    assert rowlock("resume", "1", "--json").stdout.startswith('{"id":1,')
    asked = rowlock("cancel", "--queue", "mail", code=2)
    assert "Cancel 3 tasks? There is nobody to ask; add --yes." in asked.stderr
    assert client.stats().queues[0].waiting == 3
    assert rowlock("cancel", "--queue", "mail", "--yes").stdout == "3 matched, 3 changed\n"
    assert documents(rowlock("retry", "-q", "mail", "-y", "--json")) == [
        {"matched": 3, "changed": 3}
    ]
    assert rowlock("cancel", "--queue", "none").stdout == "0 matched, 0 changed\n"
    assert "Not allowed in this state" in rowlock("retry", "1", code=1).stderr


def test_asked_on_a_terminal_no_means_no(environment: dict[str, str], client: Client) -> None:
    client.submit_many({"title": f"t{n}"} for n in range(2))
    for answer, code, waiting in (("n", 1, 2), ("y", 0, 0)):
        main, side = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "cancel", "--status", "to_do"],
            env=environment, stdin=side, stdout=side, stderr=side,
        )  # fmt: skip
        os.close(side)
        shown = b""
        while b"Cancel 2 tasks? [y/N]" not in shown:
            shown += os.read(main, 4096)
        os.write(main, f"{answer}\n".encode())
        with suppress(OSError):
            while os.read(main, 4096):
                pass
        os.close(main)
        assert process.wait(10) == code
        assert client.stats().queues[0].waiting == waiting


def test_queues_and_figures(rowlock: Run, client: Client) -> None:
    client.submit_many({"title": f"t{n}", "queue": f"q{n}"} for n in range(2))
    shown = rowlock("queues", "--pause", "q1").stdout.splitlines()
    assert [line.split()[:3] for line in shown] == [
        ["queue", "paused", "waiting"],
        ["q0", "no", "1"],
        ["q1", "yes", "1"],
    ]
    (state,) = [q for q in documents(rowlock("queues", "--resume", "q1", "--json"))
                if q["queue"] == "q1"]  # fmt: skip
    assert state["paused"] is False
    heading, *rows = rowlock("stats").stdout.splitlines()
    assert heading.split()[:3] == ["queue", "waiting", "oldest"]
    assert [row.split()[:2] for row in rows] == [["q0", "1"], ["q1", "1"]]


def test_figures_are_watched_until_ctrl_c(environment: dict[str, str], client: Client) -> None:
    client.submit("t")
    watching = subprocess.Popen(
        [sys.executable, "-m", "app", "stats", "--watch", "--every", "0.1", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watching.stdout is not None
    assert json.loads(watching.stdout.readline())["queues"][0]["waiting"] == 1
    client.submit("another")
    give_up_at = time.monotonic() + 10
    while json.loads(watching.stdout.readline())["queues"][0]["waiting"] == 1:
        assert time.monotonic() < give_up_at
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=10)
    assert watching.returncode == 0


def test_help_names_every_command_and_completion_is_there() -> None:
    shown = run(os.environ, "--help").stdout
    for command in getattr(get_command(app), "commands"):  # noqa: B009  (a group's own)
        assert f"│ {command} " in shown
        assert "Usage:" in CliRunner().invoke(app, [command, "--help"]).stdout
    completion = run(os.environ, "--show-completion", "bash").stdout
    assert "_ROWLOCK_COMPLETE=complete_bash" in completion
