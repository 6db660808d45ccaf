"""Commands for a task, as a person and as a program use them."""

import json
import re
from typing import Any

from rowlock import Client, Worker
from tests.acceptance.commands import Run, Terminal, documents
from tests.acceptance.deployment import Api


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


def test_what_tasks_wait_for_is_said_in_sentences(rowlock: Run, client: Client) -> None:
    first, paused = client.submit("a", queue="images"), client.submit("b", queue="images")
    client.admin.pause(paused.id)
    client.admin.pause_queue("images")
    shown = rowlock("why", str(first.id), str(paused.id)).stdout.splitlines()
    assert shown[0] == f"Task {first.id} is to_do."
    assert re.fullmatch(r"- The queue 'images' has been paused for \d+ s\.", shown[1])
    assert shown[-2] == f"Task {paused.id} is paused."
    assert shown[-1].startswith("- It is paused until it is resumed")
    (document,) = documents(rowlock("why", str(first.id), "--json"))
    found = document["reasons"][0]
    assert (document["status"], document["is_claimable"]) == ("to_do", False)
    assert found.keys() == {"reason", "detail", "since"}
    assert "There is no task 404" in rowlock("why", "404", code=1).stderr


def test_a_title_can_do_nothing_to_a_terminal_or_a_table(rowlock: Run, client: Client) -> None:
    client.submit("\x1b[31mred\x07\nnext [bold]line[/bold]\x9b31m")
    shown = rowlock("list").stdout + rowlock("show", "1").stdout
    assert r"\x1b[31mred\x07\nnext [bold]line[/bold]\x9b31m" in shown
    shown += rowlock("list", "--json").stdout + rowlock("export").stdout
    shown += rowlock("import", "-", given='{"no\x9b\\n": 1}', code=1).stderr
    assert r"line 1: no\x9b\n: is unknown" in shown
    assert all(line.isprintable() for line in shown.splitlines())


def test_tables_are_for_terminals_coloured_and_for_pipes_whole(
    environment: dict[str, str], rowlock: Run, client: Client
) -> None:
    client.submit("t" * 250)
    assert "t" * 250 in rowlock("list").stdout
    with Terminal(environment, "list") as terminal:
        assert terminal.ends() == 0
    assert "\x1b[" in terminal.shown
    assert "t" * 250 not in terminal.shown
    with Terminal(environment | {"NO_COLOR": "1"}, "list") as terminal:
        assert terminal.ends() == 0
    assert "\x1b[" not in terminal.shown
    assert "\x1b[" not in rowlock("list").stdout


def test_tasks_are_counted_and_shown_in_short(rowlock: Run, client: Client) -> None:
    client.submit("a task", payload="x" * 1000)
    client.submit("a later task", available_at="2999-01-01T00:00:00Z")
    assert rowlock("count").stdout == "2\n"
    assert rowlock("count", "--title", "task", "--limit", "1").stdout == "at least 1\n"
    assert rowlock("count", "--available-after", "1h", "--json").stdout == (
        '{"count":1,"is_exact":true}\n'
    )
    assert rowlock("count", "--completed-after", "1h", "--worker", "nobody").stdout == "0\n"
    said = rowlock("list", "--cost", "--status", "to_do").stdout
    facts = dict(line.split() for line in said.splitlines())
    assert (facts["rows_at_most"], facts["may_be_cut_off"]) == ("2", "False")
    (cost,) = documents(rowlock("list", "--cost", "--title", "task", "-n", "1", "--json"))
    assert (cost["rows_at_least"], cost["rows_at_most"]) == (2, 2)
    (line,) = rowlock("list", "--order-by", "available_at", "--json").stdout.splitlines()
    assert '"a later task"' in line
    lines = rowlock("list", "--json", "--view", "summary").stdout
    assert '"payload_bytes":1002' in lines
    assert "xxx" not in lines
    assert "xxx" in rowlock("list", "--columns", "id,payload").stdout


def test_submits_with_a_unique_key_are_one_task(rowlock: Run, client: Client) -> None:
    def sent(*options: str, code: int = 0) -> str:
        return rowlock("submit", "sync", *options, "--json", code=code).stdout

    key = ("--unique-key", "customer-17")
    first = json.loads(sent(*key, "--unique-while", "active"))
    assert first["unique_key"] == "customer-17"
    assert json.loads(sent(*key, "--payload", "1")) == first
    new = json.loads(sent(*key, "--unique-conflict", "replace", "--payload", "2"))
    assert (new["id"], new["payload"]) == (first["id"], 2)
    off = sent(*key, "--unique-debounce-seconds", "60", "--unique-debounce-limit-seconds", "90")
    assert json.loads(off)["waiting_on"] == "time"
    refused = rowlock("submit", "sync", *key, "--unique-conflict", "reject", code=1)
    assert f"Task {first['id']}, which is to_do, holds the unique key" in refused.stderr
    alone = rowlock("submit", "sync", "--unique-while", "active", code=2)
    assert "--unique-while needs --unique-key" in alone.stderr
    assert client.count().count == 1


def test_tasks_that_wait_for_tasks(rowlock: Run, client: Client) -> None:
    client.submit_batch([{"title": "a", "ref": "a"}, {"title": "b", "depends_on": ["a"]}])
    (third,) = documents(rowlock("submit", "c", "--depends-on", "2", "--json"))
    assert third["waiting_on"] == "tasks"
    rowlock("submit", "d", "--blocks", "2")
    rowlock("submit", "e", "--depends-on", "2,3", "--on-parent-failure", "run")
    assert [line.split() for line in rowlock("dependencies", "2").stdout.splitlines()] == [
        ["id", "status", "name", "title"],
        ["1", "to_do", "a", "a"],
        ["4", "to_do", "–", "d"],
    ]
    (found,) = documents(rowlock("dependencies", "2", "--children", "--json"))
    assert [task["id"] for task in found["tasks"]] == [3, 5]
    assert "'x' is not a whole number" in rowlock("submit", "x", "--blocks", "1,x", code=2).stderr

    assert rowlock("cancel", "2", "--ancestors").stdout == "task 2 is cancelled\n"
    assert {task.id for task in client.list(status="cancelled")} >= {1, 2, 4}
    assert rowlock("retry", "1", "--descendants").stdout == "task 1 is to_do\n"
    asked = rowlock("retry", "--descendants", "-q", "default", code=2)
    assert "--descendants needs ids" in asked.stderr
