"""`rowlock import` and `export`."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

from rowlock import Client
from tests.acceptance.commands import Run, Terminal, documents
from tests.acceptance.deployment import until


def test_a_file_of_tasks_is_stored_once_however_often_it_is_sent(
    rowlock: Run, client: Client, tmp_path: Path
) -> None:
    lines = [json.dumps({"title": f"t{n}", "tags": ["imported"]}) for n in range(1200)]
    lines[700] = '{"title": "", "nonsense": 1}'
    file = tmp_path / "tasks.jsonl"
    file.write_text("\n\n".join(lines))
    ran = rowlock("import", str(file), code=1)
    assert "line 1401: title: " in ran.stderr
    assert "line 1401: nonsense: is unknown" in ran.stderr
    assert "500 tasks are stored. Run the same command again" in ran.stderr
    assert ran.stdout == ""
    lines[700] = "{"
    file.write_text("\n".join(lines))
    assert "line 701 is not JSON" in rowlock("import", str(file), code=1).stderr
    lines[700] = '{"title": "mended"}'
    file.write_text("\n".join(lines))
    ran = rowlock("import", str(file))
    assert ran.stdout == "700 tasks are stored, 500 were already stored.\n"
    ran = rowlock("import", str(file))
    assert ran.stdout == "0 tasks are stored, 1,200 were already stored.\n"
    assert "use --key to import them again" in ran.stderr
    assert [task.title for task in client.list(order="asc")] == [
        json.loads(line)["title"] for line in lines
    ]
    again = rowlock("import", "-", "--key", "once more", "--json", given="\n".join(lines))
    assert documents(again) == [{"stored": 1200, "found": 0}]
    assert client.admin.queues()[0].waiting == 2400


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
    assert client.admin.queues()[0].waiting < 20_000, "too late to prove anything"
    rowlock(*arguments)
    assert client.admin.queues()[0].waiting == 20_000


def test_what_was_exported_can_be_imported(rowlock: Run, client: Client, tmp_path: Path) -> None:
    client.submit_many(
        {"title": f"t{n}", "queue": f"q{n % 2}", "priority": "high", "payload": {"id": n}}
        for n in range(10)
    )
    out = tmp_path / "tasks.jsonl"
    assert "5 tasks were written to" in rowlock("export", "--queue", "q1", "-o", str(out)).stderr
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


def test_on_a_terminal_an_import_has_a_bar_and_figures_a_live_table(
    environment: dict[str, str], client: Client, tmp_path: Path
) -> None:
    file = tmp_path / "tasks.jsonl"
    file.write_text("".join(f'{{"title": "t{n}"}}\n' for n in range(2000)))
    with Terminal(environment, "import", str(file), "--batch-size", "100") as terminal:
        assert terminal.ends() == 0
    assert re.search(r"[0-9]+%.*[0-9,]+ stored", terminal.shown)
    assert "2,000 tasks are stored." in terminal.shown
    with Terminal(environment, "stats", "--watch", "--every", "0.1") as terminal:
        terminal.shows("2,000")
        client.submit("one more")
        terminal.shows("2,001")
        terminal.types("\x03")
        assert terminal.ends() == 0
