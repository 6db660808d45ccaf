"""Times in programs whose zone is not UTC: each says its offset, or is refused."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rowlock import Client
from tests.acceptance.commands import Run, documents

ZONES = ("Asia/Shanghai", "America/New_York", "UTC")

PROGRAM = """
import asyncio, sys
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo
import pytest
from rowlock import AsyncClient, Client, NaiveTimeError
from tests.support.sdk import Face

MOMENT = datetime(2030, 1, 31, 8, 0, tzinfo=UTC)
SAME = [
    MOMENT.astimezone(),  # as this process has it
    datetime.fromtimestamp(MOMENT.timestamp()).astimezone(),
    MOMENT.astimezone(ZoneInfo("Asia/Kolkata")),
    MOMENT.astimezone(timezone(timedelta(hours=-3, minutes=-7, seconds=-30))),
    "2030-01-31T08:00:00Z", "2030-01-31T03:00:00-05:00",
]
NAIVE = [
    datetime(2030, 1, 31, 8, 0), datetime.now(), date(2030, 1, 31),
    "2030-01-31T08:00:00", "2030-01-31 08:00", "2030-01-31",
]
FIELDS = ("due_date", "available_at")
FILTERS = ("created_after", "created_before", "due_after", "due_before")

async def main():
    for face in (Face(Client()), Face(AsyncClient())):
        count = len(await face.list())
        for time in SAME:
            made = [await face.submit("t", due_date=time, available_at=time)]
            made += await face.submit_batch([{"title": "t", "due_date": time}])
            for task_id in await face.submit_many([{"title": "t", "due_date": time}]):
                made.append(await face.get(task_id))
            made.append(await face.patch(made[0].id, due_date=time))
            count += 3
            assert [task.due_date for task in made] == [MOMENT] * 4, (time, made)
            assert made[0].available_at == MOMENT
            for name, found in {"due_after": True, "due_before": False}.items():
                assert bool(await face.list(**{name: time})) == found, (time, name)
        for time in NAIVE:
            for name in FIELDS:
                for refused in (
                    face.submit("t", **{name: time}),
                    face.submit_batch([{"title": "t", name: time}]),
                    face.submit_many([{"title": "t", name: time}]),
                    face.patch(made[0].id, **{name: time}),
                ):
                    with pytest.raises(NaiveTimeError, match=f"^{name}: .* has no time zone"):
                        await refused
            for name in FILTERS:
                with pytest.raises(NaiveTimeError, match=f"^{name}: "):
                    await face.list(**{name: time})
                with pytest.raises(NaiveTimeError, match=f"^{name}: "):
                    await face.admin.cancel_all(**{name: time})
        assert len(await face.list()) == count
        await face.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("zone", ZONES)
def test_a_time_is_the_same_in_every_zone_or_refused(
    environment: dict[str, str], zone: str
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment | {"TZ": zone},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


@pytest.fixture(params=ZONES)
def environment_of_a_zone(request: pytest.FixtureRequest, environment: dict[str, str]) -> None:
    environment["TZ"] = request.param


@pytest.mark.usefixtures("environment_of_a_zone")
def test_the_commands_take_no_other_times(rowlock: Run, client: Client, tmp_path: Path) -> None:
    (task,) = documents(rowlock("submit", "t", "--due", "2030-01-31T16:00:00+08:00", "--json"))
    assert task["due_date"] == "2030-01-31T08:00:00Z"
    for command in (
        ("submit", "t", "--due", "2030-01-31T08:00"),
        ("submit", "t", "--available-at", "2030-01-31 08:00:00"),
        ("patch", str(task["id"]), "--due", "2030-01-31"),
        ("list", "--created-after", "2030-01-31T08:00"),
        ("cancel", "--yes", "--due-before", "2031-01-31"),
        ("export", "--created-before", "2031-01-31"),
    ):
        ran = rowlock(*command, code=1)
        assert "has no time zone" in ran.stderr
    lines = tmp_path / "tasks.jsonl"
    lines.write_text('{"title": "a"}\n{"title": "b", "due_date": "2030-01-31T08:00:00"}\n')
    ran = rowlock("import", str(lines), code=1)
    assert "line 2: due_date: 2030-01-31T08:00:00 has no time zone" in ran.stderr
    assert [found.id for found in client.list()] == [task["id"]]


@pytest.mark.usefixtures("environment_of_a_zone")
def test_a_time_that_is_shown_can_be_asked_for(rowlock: Run) -> None:
    rowlock("submit", "first")
    (task,) = documents(rowlock("list", "--json"))
    shown = f"{task['created_at'][:10]} {task['created_at'][11:19]}Z"
    assert shown in rowlock("list").stdout
    for command in (("--created-after", shown), ("--created-before", "2999-01-01 00:00:00Z")):
        assert [found["id"] for found in documents(rowlock("list", "--json", *command))] == [
            task["id"]
        ]
    assert json.loads(rowlock("show", str(task["id"]), "--json").stdout) == task
