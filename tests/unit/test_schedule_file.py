"""What may stand in a file of schedules, and how it is set beside what a server has."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rowlock import Schedule
from rowlock.cli.schedule.difference import Change, changes
from rowlock.cli.schedule.file import FileError, read

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
TASK: dict[str, Any] = {
    **{"title": "x", "description": None, "priority": "高", "tags": ["a", "b"]},
    **{"due_date": "2026-01-01T00:00:00Z", "timeout_seconds": 300, "retry_limit": 3},
    **{"retry_delay_seconds": 5, "retry_backoff": "exponential", "queue": "default"},
    "payload": {"a": 1.0, "b": 10**30},
    "unique": {
        **{"key": "k", "while": "waiting", "conflict": "keep"},
        **{"debounce_seconds": None, "debounce_limit_seconds": None},
    },
}
FOUND = Schedule(
    name="x",
    cron="@daily",
    interval_seconds=None,
    timezone="UTC",
    task=TASK,
    catch_up="one",
    overlap="skip",
    jitter_seconds=0,
    starts_at=MOMENT,
    ends_at=None,
    paused_at=None,
    next_at=None,
    last_task_id=None,
    revision=1,
    created_at=MOMENT,
    updated_at=MOMENT,
)
WANTED: dict[str, Any] = {
    "cron": "@daily",
    "starts_at": "2026-01-01T01:00:00+01:00",
    "task": {
        "title": " x ",
        "priority": "high",
        "tags": ["b", "a", " a "],
        "due_date": datetime(2026, 1, 1, tzinfo=UTC),
        "payload": {"a": 1.0, "b": 10**30},
        "unique": {"key": "k"},
    },
}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name =", "Invalid value (at end of document)"),
        ("[schedules]", "name: is needed: 1 to 54 characters"),
        ('name = ""\n[schedules]', "name: is needed"),
        ('name = " a"\n[schedules]', "name: is needed"),
        ("name = 5\n[schedules]", "name: is needed"),
        (f'name = "{"x" * 55}"\n[schedules]', "name: is needed"),
        ('name = "a"', "[schedules]: is needed"),
        ('name = "a"\nschedules = 5', "[schedules]: is needed"),
        ('name = "a"\nprune = true\n[schedules]', "prune: is unknown"),
        ('name = "a"\n[schedules]\nx = 5', "[schedules.x]: must be a table"),
        ('name = "a"\n[schedules."a b"]\ncrn = "x"', '[schedules."a b"] crn: is unknown'),
        ('name = "a"\n[schedules.x.task]\ntitel = "x"', "[schedules.x.task] titel: is unknown"),
        (
            'name = "a"\n[schedules.x.task]\navailable_at = 1',
            "[schedules.x.task] available_at: is unknown",
        ),
        ('name = "a"\n[schedules.x]\ntask = "x"', "[schedules.x] task: must be a table"),
        ('name = "a"\n[schedules.x.task]\ntags = "x"', "[schedules.x.task] tags: must be an array"),
        ('name = "a"\n[schedules."x/y"]', '[schedules."x/y"]: a schedule\'s name has'),
        ('name = "a"\n[schedules.""]', '[schedules.""]: a schedule\'s name has'),
        (
            'name = "a"\n[schedules.x]\nstarts_at = 2030-01-01T00:00:00',
            "[schedules.x] starts_at: 2030-01-01 00:00:00 has no time zone",
        ),
        (
            'name = "a"\n[schedules.x.task]\ndue_date = 2030-01-01',
            "[schedules.x.task] due_date: 2030-01-01 has no time zone",
        ),
        (
            'name = "a"\n[schedules.x.task]\npayload = [nan]',
            "[schedules.x]: NaN is not valid in JSON",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_place(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "schedules.toml"
    path.write_text(text)
    with pytest.raises(FileError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: {said}")


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "schedules.toml"
    path.write_text("[schedules.x]\ncrn = 1\nb = 2\n[schedules.y]\ntask = 5\n")
    with pytest.raises(FileError) as error:
        read(path)
    assert [line.removeprefix(f"{path}: ") for line in str(error.value).splitlines()] == [
        "name: is needed: 1 to 54 characters, no space at its ends",
        "[schedules.x] b: is unknown",
        "[schedules.x] crn: is unknown",
        "[schedules.y] task: must be a table",
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none\.toml: No such file"):
        read(tmp_path / "none.toml")
    (tmp_path / "latin").write_bytes(b'name = "\xe9"')
    with pytest.raises(FileError, match=r"latin: .*utf-8"):
        read(tmp_path / "latin")


def test_each_task_gets_the_files_tag(tmp_path: Path) -> None:
    path = tmp_path / "schedules.toml"
    path.write_text('name = "一"\n[schedules.x]\n[schedules.y]\ntask = { tags = ["a"] }\n')
    file = read(path)
    assert file.tag == "schedules:一"
    assert file.schedules == {
        "x": {"task": {"tags": ["schedules:一"]}},
        "y": {"task": {"tags": ["a", "schedules:一"]}},
    }


def test_what_the_server_keeps_otherwise_is_no_difference() -> None:
    assert changes("x", WANTED, FOUND) == []
    assert changes("x", {**WANTED, "timezone": "UTC", "ends_at": None}, FOUND) == []


def test_what_is_said_of_a_unique_key_is_all_that_counts() -> None:
    debounced = {"key": "k", "debounce_seconds": 5}
    kept = {**TASK["unique"], "conflict": None, "debounce_seconds": 5}
    found = FOUND.model_copy(update={"task": {**TASK, "unique": kept}})
    task = {**WANTED["task"], "unique": debounced}
    assert changes("x", {**WANTED, "task": task}, found) == []
    (change,) = changes("x", WANTED, found)
    assert change.field == "task.unique"


def test_what_is_left_out_goes_back_to_its_default() -> None:
    task = {**WANTED["task"], "payload": {"b": 10**30, "a": 1.0}}
    wanted = {"interval_seconds": 60, "task": task, "jitter_seconds": 5}
    assert changes("x", wanted, FOUND) == [
        Change("cron", '"@daily"', "null"),
        Change("interval_seconds", "null", "60"),
        Change("jitter_seconds", "0", "5"),
        Change("starts_at", '"2026-01-01T00:00:00+00:00"', "null"),
        # The order of keys is kept, and so it counts.
        Change("task.payload", f'{{"a":1.0,"b":{10**30}}}', f'{{"b":{10**30},"a":1.0}}'),
    ]


def test_of_a_new_one_all_but_the_defaults_is_shown() -> None:
    wanted = {"cron": "@daily", "overlap": "skip", "task": {"queue": "default", "retry_limit": 0}}
    assert [(each.field, each.after) for each in changes("x", wanted, None)] == [
        ("cron", '"@daily"'),
        ("task.title", '"x"'),
        ("task.retry_limit", "0"),
    ]
