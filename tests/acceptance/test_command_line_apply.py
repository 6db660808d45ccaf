"""`rowlock schedule apply`: a server's schedules made as a file has them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rowlock import Client
from tests.acceptance.commands import Run

FILE = """\
name = "reports"

[schedules."nightly report"]
cron = "30 2 * * *"
timezone = "Europe/Berlin"
task = { title = "report", queue = "reports", tags = ["b"], due_date = 2031-05-01T08:00:00+02:00 }

[schedules.refresh]
interval_seconds = 300
starts_at = 2030-01-01T00:00:00+01:00

[schedules.refresh.task]
priority = "low"
payload = { shards = [1, 2.5], at = 2030-01-01T00:00:00Z }
"""
TAG = "schedules:reports"

Apply = Callable[..., str]


@pytest.fixture
def apply(rowlock: Run, tmp_path: Path) -> Apply:
    """Apply a file; what that says, on stdout or on stderr."""

    def apply(text: str, *options: str, code: int = 0) -> str:
        path = tmp_path / "schedules.toml"
        path.write_text(text)
        ran = rowlock("schedule", "apply", str(path), *options, code=code)
        return (ran.stdout + ran.stderr).replace(str(tmp_path), ".")

    return apply


def names(client: Client) -> list[str]:
    return [schedule.name for schedule in client.schedules.list()]


def test_what_is_in_the_file_is_made_so_and_once(apply: Apply, client: Client) -> None:
    assert apply(FILE, "--dry-run", code=3).endswith("2 to make\n")
    assert names(client) == []
    said = apply(FILE)
    assert said.startswith('made     nightly report\n         + cron: "30 2 * * *"\n')
    assert said.endswith("2 made\n")
    nightly, refresh = client.schedules.list()
    assert (nightly.timezone, nightly.task["title"]) == ("Europe/Berlin", "report")
    assert nightly.task["tags"] == ["b", TAG]
    assert nightly.task["due_date"] == "2031-05-01T06:00:00Z"
    assert (refresh.interval_seconds, refresh.task["title"]) == (300, "refresh")
    assert refresh.task["payload"] == {"shards": [1, 2.5], "at": "2030-01-01T00:00:00Z"}
    for options in ((), ("--dry-run",), ("--prune",), ("--dry-run", "--prune")):
        assert apply(FILE, *options) == "2 the same\n"
    assert [*client.schedules.list()] == [nightly, refresh]


def test_a_difference_is_shown_field_by_field(apply: Apply, client: Client) -> None:
    apply(FILE)
    client.admin.pause_schedule("refresh")
    changed = FILE.replace("= 300", '= 60\noverlap = "allow"').replace('"low"', '"medium"')
    difference = """\
         - interval_seconds: 300
         + interval_seconds: 60
         - overlap: "skip"
         + overlap: "allow"
         - task.priority: "低"
         + task.priority: "中"
"""
    assert apply(changed, "--dry-run", code=3) == (
        f"change   refresh\n{difference}1 to change, 1 the same\n"
    )
    assert apply(changed) == f"changed  refresh\n{difference}1 changed, 1 the same\n"
    refresh = client.schedules.get("refresh")
    assert refresh.interval_seconds == 60
    assert refresh.paused_at is not None, "it stays as it was"


def test_pruned_is_what_the_file_has_made_and_has_no_more(apply: Apply, client: Client) -> None:
    apply(FILE)
    apply('name = "others"\n[schedules.theirs]\ncron = "@daily"\n')
    client.schedules.put("by hand", cron="@daily")
    client.schedules.put("reports", cron="@daily", tags=["schedules", "reports"])
    without = FILE.partition("[schedules.refresh]")[0]
    assert apply(without) == ("1 the same, 1 not in the file any more (--prune deletes)\n")
    assert apply(without, "--prune", "--dry-run", code=3) == (
        "delete   refresh\n1 to delete, 1 the same\n"
    )
    assert "refresh" in names(client)
    assert apply(without, "--prune") == "deleted  refresh\n1 deleted, 1 the same\n"
    assert names(client) == ["by hand", "nightly report", "reports", "theirs"]
    # Whoever puts it otherwise has made it theirs.
    client.schedules.put("nightly report", cron="@hourly")
    assert apply('name = "reports"\n[schedules]\n', "--prune") == "nothing to do\n"
    assert "nightly report" in names(client)


def test_one_that_was_made_by_hand_is_taken_over(apply: Apply, client: Client) -> None:
    client.schedules.put("refresh", interval_seconds=300)
    said = apply('name = "reports"\n[schedules.refresh]\ninterval_seconds = 300\n')
    assert said == (
        f'changed  refresh\n         - task.tags: []\n         + task.tags: ["{TAG}"]\n1 changed\n'
    )


def test_one_that_is_refused_keeps_the_others_from_nothing_but_being_pruned(
    apply: Apply, client: Client
) -> None:
    apply(FILE)
    bad = """\
name = "reports"
[schedules."a b"]
cron = "61 * * * *"
[schedules.c]
cron = "@daily"
timezone = "Mars"
[schedules.d]
interval_seconds = 60
task = { retry_limit = 101 }
[schedules.e]
cron = "@daily"
"""
    minute = './schedules.toml: [schedules."a b"] cron: minute: 61 is not possible'
    zone = "./schedules.toml: [schedules.c] timezone: must be the name of an IANA time zone"
    tried = apply(bad, "--dry-run", "--prune", code=1)
    assert minute in tried
    assert zone in tried
    said = apply(bad, "--prune", code=1)
    assert said.startswith('made     e\n         + cron: "@daily"\n')
    assert "1 made, 3 refused, 2 not in the file any more (--prune deletes)\n" in said
    assert minute in said
    assert zone in said
    assert "./schedules.toml: [schedules.d.task] retry_limit: Input should be less than" in said
    assert names(client) == ["e", "nightly report", "refresh"]


def test_without_a_server_nothing_is_said_to_be_done(apply: Apply) -> None:
    said = apply(FILE, "--url", "http://127.0.0.1:9", code=1)
    assert said.startswith("rowlock: GET http://127.0.0.1:9/schedules")
