"""Commands of management, and the figures."""

import json
import re
import signal
import subprocess
import sys
import time

from rowlock import Client
from rowlock.http.call import Call
from tests.acceptance.commands import Run, Terminal, documents


def test_management_of_one_and_of_all_that_match(rowlock: Run, client: Client) -> None:
    client.submit_many({"title": f"t{n}", "queue": "mail"} for n in range(3))
    assert rowlock("pause", "1").stdout == "task 1 is paused\n"
    assert rowlock("resume", "1", "--json").stdout.startswith('{"id":1,')
    asked = rowlock("cancel", "--queue", "mail", code=2)
    assert "Cancel 3 tasks? Cannot ask without a terminal; add --yes." in asked.stderr
    assert client.admin.queues()[0].waiting == 3
    assert rowlock("cancel", "--queue", "mail", "--yes").stdout == "3 matched, 3 changed\n"
    assert documents(rowlock("retry", "-q", "mail", "-y", "--json")) == [
        {"matched": 3, "changed": 3}
    ]
    assert rowlock("cancel", "--queue", "none").stdout == "0 matched, 0 changed\n"
    assert "Not allowed in this state" in rowlock("retry", "1", code=1).stderr
    assert rowlock("delete", "1", "2").stdout == ""
    assert rowlock("delete", "-q", "mail", "-y").stdout == "1 matched, 1 changed\n"
    assert [*client.list()] == []


def test_what_would_change_is_shown_and_nothing_is_changed(rowlock: Run, client: Client) -> None:
    client.submit_many({"title": f"t{n}", "queue": "mail"} for n in range(3))
    client.admin.pause(1)
    shown = rowlock("cancel", "-q", "mail", "--dry-run").stdout.splitlines()
    assert [line.split() for line in shown[:3]] == [
        ["status", "tasks", "becomes"],
        ["paused", "1", "cancelled"],
        ["to_do", "2", "cancelled"],
    ]
    assert shown[3:] == ["3 matched, 0 changed"]
    (counted,) = documents(rowlock("resume", "-q", "mail", "--dry-run", "--json"))
    assert (counted["by_status"], counted["is_exact"]) == ({"paused": 1, "to_do": 2}, True)
    assert counted["to"] == {"paused": ["retrying", "to_do"]}
    nothing = rowlock("cancel", "-q", "none", "--dry-run").stdout.splitlines()
    assert nothing[-1] == "0 matched, 0 changed"
    assert [task.status for task in client.list(order="asc")] == ["paused", "to_do", "to_do"]


def test_more_than_expected_is_left_alone(rowlock: Run, client: Client) -> None:
    client.submit_many({"title": f"t{n}", "queue": "mail"} for n in range(3))
    few = ("-q", "mail", "--yes", "--expect-at-most")
    refused = rowlock("delete", *few, "2", code=1).stderr
    assert "At least 3 tasks match, more than 2; nothing was changed." in refused
    assert client.stats().queues[0].waiting == 3
    assert rowlock("delete", *few, "3").stdout == "3 matched, 3 changed\n"
    for more in (["--dry-run"], ["--expect-at-most", "1"]):
        assert "need a filter" in rowlock("cancel", "1", *more, code=2).stderr


def test_stopped_by_ctrl_c_it_says_how_much_is_done(
    environment: dict[str, str], client: Client
) -> None:
    for _ in range(10):
        client.submit_many({"title": "t", "queue": "mail"} for _ in range(1000))
    with Terminal(environment, "cancel", "-q", "mail", "--yes") as terminal:
        terminal.shows(" of 10,000 tasks")
        terminal.types("\x03")
        terminal.shows("changed so far")
        assert terminal.ends() == 130
    said = re.search("([0-9,]+) matched, ([0-9,]+) changed so far", terminal.shown)
    assert said is not None
    changed = int(said[2].replace(",", ""))
    # The page that was under way may have been carried out unheard.
    left = 10_000 - changed - client.stats().queues[0].waiting
    assert changed < 10_000
    assert left in (0, 500)


def test_asked_on_a_terminal_no_means_no(environment: dict[str, str], client: Client) -> None:
    client.submit_many({"title": f"t{n}"} for n in range(2))
    for answer, code, waiting in (("n", 1, 2), ("y", 0, 0)):
        with Terminal(environment, "cancel", "--status", "to_do") as terminal:
            terminal.shows("Cancel 2 tasks? [y/N]")
            terminal.types(f"{answer}\n")
            assert terminal.ends() == code
        # Those of `stats` may be a second old.
        assert client.admin.queues()[0].waiting == waiting


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


def test_how_it_went(rowlock: Run, client: Client) -> None:
    client.submit_many({"title": f"t{n}", "queue": f"q{n % 2}"} for n in range(3))
    heading, *rows = rowlock("history", "--minutes", "5").stdout.splitlines()
    assert heading.split()[:4] == ["begins", "at", "submitted", "started"]
    assert len(rows) in (6, 7)
    assert sum(int(row.split()[2]) for row in rows) == 3
    (document,) = documents(rowlock("history", "--queue", "q1", "--minutes", "20160", "--json"))
    assert (document["queue"], document["bucket_seconds"]) == ("q1", 3600)
    assert sum(bucket["submitted"] for bucket in document["buckets"]) == 1
    assert "--minutes" in rowlock("history", "--minutes", "0", code=2).stderr
    assert "queue" in rowlock("history", "--queue", "No Queue", code=1).stderr


def test_what_is_set_for_a_queue(rowlock: Run, client: Client) -> None:
    heading, row = rowlock("queue", "settings", "mail").stdout.splitlines()
    assert heading.split()[:3] == ["queue", "ageing", "running"]
    assert row.split() == ["mail", "no", "any", "any", "any", "any", "no", "–"]
    aged = ("--ageing", "中=600", "--ageing", "low=3600")
    (document,) = documents(rowlock("queue", "settings", "mail", *aged, "--json"))
    assert document["ageing_seconds"] == {"中": 600, "低": 3600}
    assert client.admin.queue_settings("mail").ageing_seconds == {"中": 600, "低": 3600}
    assert "中=600 低=3600" in rowlock("queue", "settings", "mail").stdout
    assert (
        "ageing_seconds.低"
        in rowlock("queue", "settings", "mail", "--ageing", "低=9", code=1).stderr
    )
    for nonsense in ("低", "低=", "=9", "低=-1", "低=1.5"):
        refused = rowlock("queue", "settings", "mail", "--ageing", nonsense, code=2)
        assert "such as 低=3600" in refused.stderr
    rowlock("queue", "settings", "mail", *aged, "--no-ageing", code=2)
    assert (
        rowlock("queue", "settings", "mail", "--no-ageing").stdout.splitlines()[1].split()[1]
        == "no"
    )
    assert client.admin.queue_settings("mail").ageing_seconds is None
    many = ("--running", "10", "--running-per-group", "2")
    (document,) = documents(rowlock("queue", "settings", "mail", *many, "--json"))
    assert (document["running"], document["running_per_group"]) == (10, 2)
    # What is not named stays.
    row = rowlock("queue", "settings", "mail", *aged, "--no-running").stdout.splitlines()[1]
    assert row.split()[:5] == ["mail", "中=600", "低=3600", "any", "2"]
    rowlock("queue", "settings", "mail", *many, "--no-running", code=2)
    paced = ("--rate", "100/60", "--rate-per-group", "6/60/5", "--fair")
    (document,) = documents(rowlock("queue", "settings", "mail", *paced, "--json"))
    assert document["rate"] == {"limit": 100, "per_seconds": 60, "burst": 2}
    assert document["rate_per_group"] == {"limit": 6, "per_seconds": 60, "burst": 5}
    assert (document["fair"], document["running_per_group"]) == (True, 2)
    row = rowlock("queue", "settings", "mail", "--no-fair", "--no-rate").stdout.splitlines()[1]
    assert row.split()[5:8] == ["any", "6/60/5", "no"]
    for nonsense in ("100", "100/", "/60", "1/2/3/4", "-1/60", "1.5/60", "a/b"):
        refused = rowlock("queue", "settings", "mail", "--rate", nonsense, code=2)
        assert "such as 100/60" in refused.stderr
    refused = rowlock("queue", "settings", "mail", "--rate", "100/1/2", code=1)
    assert "rate.burst" in refused.stderr
    rowlock("queue", "settings", "mail", "--fair", "--no-fair", code=2)


def test_limits_of_groups(rowlock: Run, client: Client) -> None:
    of_group = ("--queue", "mail", "--group", "customer/17")
    rowlock("queue", "group", "set", "mail", "customer/17", "--running", "1")
    (first,) = documents(rowlock("submit", "x", *of_group, "--json"))
    assert (first["group"], first["waiting_on"]) == ("customer/17", None)
    deadline = time.monotonic() + 10
    while rowlock("queue", "groups", "mail", "--waiting").stdout.count("\n") < 2:
        assert time.monotonic() < deadline  # every process knows of it in about a second
        rowlock("submit", "y", *of_group)
    (group,) = documents(rowlock("queue", "groups", "mail", "--json"))
    assert (group["group"], group["held"], group["running_limit"]) == ("customer/17", 1, 1)
    (raised,) = documents(
        rowlock("queue", "group", "set", "mail", "customer/17", "--running", "9", "--json")
    )
    assert (raised["waiting"], raised["running_limit"]) == (0, 9)
    rowlock("queue", "group", "unset", "mail", "customer/17")
    (found,) = client.admin.queue_groups("mail")
    assert found.running_limit is None
    rowlock("queue", "group", "set", "mail", "a", "--running", "0", code=2)


def test_weights_of_groups(rowlock: Run, client: Client) -> None:
    weighed = ("queue", "group", "set", "mail", "a", "--weight")
    (document,) = documents(rowlock(*weighed, "3", "--running", "5", "--json"))
    assert (document["weight"], document["running_limit"]) == (3, 5)
    heading, row = rowlock(*weighed, "2").stdout.splitlines()
    assert heading.split()[:5] == ["group", "held", "limit", "waiting", "weight"]
    (found,) = client.admin.queue_groups("mail")
    assert (found.weight, found.running_limit, found.next_token_at) == (2, None, None)
    assert "2" in row.split()
    assert "--weight" in rowlock("queue", "group", "set", "mail", "a", code=2).stderr
    assert "weight" in rowlock(*weighed, "101", code=1).stderr


def test_how_the_server_is(rowlock: Run, client: Client) -> None:
    heading, line = rowlock("processes").stdout.splitlines()[:2]
    assert heading.split()[:4] == ["process", "kind", "version", "state"]
    assert line.split()[3] == "running"
    (document,) = documents(rowlock("processes", "--json"))
    assert "api" in [each["kind"] for each in document["processes"]]

    bad = any(each.verdict == "bad" for each in client.admin.doctor().findings)
    (document,) = documents(rowlock("findings", "--json", code=int(bad)))
    lines = rowlock("findings", code=int(bad)).stdout.splitlines()
    assert len(lines) == len(document["findings"])
    for line, each in zip(lines, document["findings"], strict=True):
        assert each["what"] in line
        assert (each["fix"] or "") in line

    assert "client" in rowlock("me").stdout
    (document,) = documents(rowlock("me", "--json"))
    assert document["doors"] == ["client", "worker", "admin", "viewer"]


def test_workers(rowlock: Run, client: Client) -> None:
    client.submit("resize", queue="images")
    claim = json.dumps({"worker": "host-1 a/b", "queues": ["images"]}).encode()
    client.ask(Call("POST", "/leases", lambda _: None, body=claim))
    heading, line = rowlock("workers").stdout.splitlines()
    assert re.split("  +", heading) == [
        *("worker", "agent", "queues", "state", "running", "last seen"),
    ]
    worker, _, *rest = re.split("  +", line)
    assert (worker, rest[:3]) == ("host-1 a/b", ["images", "running", "1"])
    for queue, count in (("images", 2), ("mail", 1)):
        found = rowlock("workers", "--queue", queue, "--seen-within-seconds", "60").stdout
        assert found.count("\n") == count

    shown = rowlock("workers", "host-1 a/b").stdout
    assert re.search("^worker +host-1 a/b$", shown, re.MULTILINE)
    assert re.search("^1 +resize +images +1 ", shown, re.MULTILINE)
    (document,) = documents(rowlock("workers", "host-1 a/b", "--json"))
    assert [held["title"] for held in document["leases"]] == ["resize"]
    (document,) = documents(rowlock("workers", "--json"))
    assert (document["worker"], document["running"]) == ("host-1 a/b", 1)
    assert "There is no worker none." in rowlock("workers", "none", code=1).stderr
    assert "not both" in rowlock("workers", "host-2", "-q", "a", code=2).stderr
    refused = rowlock("workers", "--seen-within-seconds", "-1", code=1).stderr
    assert "seen_within_seconds" in refused


def test_figures_are_watched_until_ctrl_c(environment: dict[str, str], client: Client) -> None:
    client.submit("t")
    with subprocess.Popen(
        [sys.executable, "-m", "app", "stats", "--watch", "--every", "0.1", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as watching:
        try:
            assert watching.stdout is not None
            assert json.loads(watching.stdout.readline())["queues"][0]["waiting"] == 1
            client.submit("another")
            give_up_at = time.monotonic() + 30
            while json.loads(watching.stdout.readline())["queues"][0]["waiting"] == 1:
                assert time.monotonic() < give_up_at
            watching.send_signal(signal.SIGINT)
            watching.communicate(timeout=60)
            assert watching.returncode == 0
        finally:
            watching.kill()
