"""`rowlock schedule`: one schedule at a time."""

import os

import pytest

from rowlock import Client
from tests.acceptance.commands import Run, documents, run
from tests.acceptance.deployment import ServeWith
from tests.acceptance.working import Work

NIGHTLY = ("schedule", "put", "夜间 report", "--cron", "30 2 * * *", "--timezone", "Europe/Berlin")


def test_one_is_put_shown_and_changed_as_a_whole(rowlock: Run, client: Client) -> None:
    heading, row = rowlock(*NIGHTLY, "-q", "reports").stdout.splitlines()
    assert heading.split()[:4] == ["name", "when", "timezone", "next"]
    assert row.startswith("夜间 report  30 2 * * *  Europe/Berlin  20")
    options = ("--payload", '{"n": 1}', "-p", "high", "-t", "b", "-t", "a", "--retry-limit", "1")
    more = ("--overlap", "allow", "--catch-up", "all", "--jitter-seconds", "60")
    (put,) = documents(rowlock(*NIGHTLY, *options, *more, "--title", "x", "--json"))
    given = {"title": "x", "payload": {"n": 1}, "priority": "高", "tags": ["a", "b"]}
    assert given.items() <= put["task"].items()
    assert (put["task"]["queue"], put["task"]["retry_limit"]) == ("default", 1)
    assert (put["overlap"], put["catch_up"], put["jitter_seconds"]) == ("allow", "all", 60)
    assert put["revision"] == 2
    stale = rowlock(*NIGHTLY, "--if-match", "1", code=1)
    assert stale.stderr.startswith("rowlock: 412 Revision mismatch: ")
    (again,) = documents(rowlock(*NIGHTLY, "--if-match", "2", "--json"))
    assert (again["revision"], again["overlap"]) == (3, "skip")

    shown = rowlock("schedule", "show", "夜间 report").stdout
    assert "cron            30 2 * * *\n" in shown
    assert documents(rowlock("schedule", "show", "夜间 report", "--json")) == [again]
    rowlock("schedule", "put", "each minute", "--every", "60")
    every, nightly = rowlock("schedule", "list").stdout.splitlines()[1:]
    assert every.startswith("each minute  every 60 s  UTC")
    assert nightly.startswith("夜间 report")


def test_what_comes_next_is_told_of_one_and_of_an_expression(rowlock: Run) -> None:
    rowlock(*NIGHTLY)
    after = ("--after", "2026-03-28T12:00:00Z", "-n", "2")
    heading, *rows = rowlock("schedule", "next", "夜间 report", *after).stdout.splitlines()
    assert heading.split()[:2] == ["local", "occurrence"]
    assert [row.split("  ")[0] for row in rows] == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]
    tried = ("schedule", "next", "--cron", "0 9 * * MON-FRI", "--timezone", "Asia/Shanghai")
    found = documents(rowlock(*tried, "--json"))
    assert len(found) == 10
    assert all(each["local"].endswith("T09:00:00+08:00") for each in found)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("put", "x", "--cron", "61 * * * *"), 1, "\n  cron: minute: 61 is not possible"),
        (("put", "x"), 1, "\n  cron: needs either cron or interval_seconds"),
        (("put", "x", "--every", "60", "--timeout-seconds", "0"), 1, "\n  task.timeout_seconds: "),
        (("put", "a/b", "--every", "60"), 2, "Invalid value for 'NAME': a schedule's name"),
        (("put", "x", "--every", "1", "--starts-at", "2030-01-01"), 1, "starts_at: 2030-01-01 has"),
        (("show", "x"), 1, "404 Schedule not found: There is no schedule x."),
        (("next",), 2, "Name a schedule or --cron, not both."),
        (("next", "x", "--timezone", "UTC"), 2, "--timezone goes with --cron"),
        (("next", "--cron", "@daily", "--after", "1h"), 2, "--after goes with a schedule"),
        (("next", "--cron", "0 0 30 2 *"), 1, "\n  expression: 0 0 30 2 * never comes"),
        (("backfill", "x", "--from", "2d"), 2, "Missing option '--to'."),
        (("remove", "x"), 2, "No such command 'remove'."),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    rowlock: Run, words: tuple[str, ...], code: int, said: str
) -> None:
    assert said in rowlock("schedule", *words, code=code).stderr


def test_without_a_command_help_names_each_and_it_is_no_success() -> None:
    ran = run(os.environ, "schedule", code=2)
    assert ran.stdout == run(os.environ, "schedule", "--help").stdout
    for name in ("put", "list", "show", "next", "runs", "run", "pause", "resume", "delete"):
        assert f"\n  {name} " in ran.stdout
    assert "Usage: rowlock schedule put [OPTIONS] NAME" in (
        run(os.environ, "schedule", "put", "--help").stdout
    )


def test_one_is_run_by_hand_and_waited_for(rowlock: Run, client: Client, work: Work) -> None:
    work("pool", "--handlers", "tests.acceptance.handlers:worker")
    rowlock("schedule", "put", "nightly", "--cron", "@daily", "--title", "coroutine")
    (done,) = documents(rowlock("schedule", "run", "nightly", "--wait", "--json"))
    assert (done["status"], done["origin"]["schedule"]) == ("done", "nightly")
    rowlock("schedule", "put", "failing", "--cron", "@daily", "--title", "chain", "-q", "none")
    (left,) = documents(rowlock("schedule", "run", "failing", "--idempotency-key", "k", "--json"))
    (same,) = documents(rowlock("schedule", "run", "failing", "--idempotency-key", "k", "--json"))
    assert (left["id"], left["status"]) == (same["id"], "to_do")
    client.admin.cancel(left["id"])
    again = ("schedule", "run", "failing", "--idempotency-key", "k", "--wait")
    assert "cancelled" in rowlock(*again, code=3).stdout


def test_a_past_time_is_filled_and_its_runs_are_listed(rowlock: Run, client: Client) -> None:
    rowlock("schedule", "put", "daily", "--cron", "0 0 * * *")
    span = ("--from", "2026-01-01T00:00:00Z", "--to", "2026-01-04T00:00:00Z")
    filled = rowlock("schedule", "backfill", "daily", *span).stdout
    assert filled == "3 submitted, 0 had a task already\n"
    (again,) = documents(rowlock("schedule", "backfill", "daily", *span, "--json"))
    assert again == {"submitted": 0, "existing": 3}
    assert rowlock("schedule", "backfill", "daily", "--from", "49h", "--to", "1h").stdout in (
        "2 submitted, 0 had a task already\n",
        "3 submitted, 0 had a task already\n",
    )
    runs = documents(rowlock("schedule", "runs", "daily", "-n", "3", "--json"))
    assert [run["kind"] for run in runs] == ["backfill"] * 3
    heading, first = rowlock("schedule", "runs", "daily", "-n", "1").stdout.splitlines()
    assert heading.split() == ["occurrence", "kind", "outcome", "skipped", "task", "decided"]
    assert first.split()[2:5] == ["backfill", "submitted", "0"]
    shown = rowlock("schedule", "show", "daily").stdout
    assert shown.count("backfill") >= 5


def test_some_are_paused_resumed_and_deleted(rowlock: Run, client: Client) -> None:
    for name in ("a", "b"):
        rowlock("schedule", "put", name, "--every", "60")
    for line in rowlock("schedule", "pause", "a", "b").stdout.splitlines()[1:]:
        assert line.split()[5] == "paused"
    assert client.schedules.get("b").paused_at is not None
    (resumed,) = documents(rowlock("schedule", "resume", "b", "--json"))
    assert (resumed["paused_at"], resumed["name"]) == (None, "b")
    assert rowlock("schedule", "delete", "a", "b").stdout == ""
    assert rowlock("schedule", "list", "--json").stdout == ""


def test_pausing_needs_the_admins_token(serve_with: ServeWith) -> None:
    api = serve_with({"CLIENT_TOKENS": "c", "WORKER_TOKENS": "w", "ADMIN_TOKENS": "a"})
    clients = os.environ | {"ROWLOCK_URL": api.url, "ROWLOCK_CLIENT_TOKEN": "c"}
    run(clients, "schedule", "put", "a", "--every", "60")
    refused = run(clients, "schedule", "pause", "a", code=1)
    assert "ROWLOCK_ADMIN_TOKEN" in refused.stderr
    assert "paused" in run(clients | {"ROWLOCK_ADMIN_TOKEN": "a"}, "schedule", "pause", "a").stdout
