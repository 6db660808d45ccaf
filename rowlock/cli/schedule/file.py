"""A file of schedules: what may stand in it, and what is wrong with it."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from pydantic_core import to_json

from rowlock.client.schedule_calls import check_name
from rowlock.client.schedule_fields import (
    TASK_FIELDS,
    TIMING_FIELDS,
    ScheduledTask,
    encode_schedule,
)
from rowlock.errors import NaiveTimeError

# A tag has 64 characters at most.
_TAG: Final = "schedules:"
NAME_LIMIT: Final = 64 - len(_TAG)
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


class FileError(Exception):
    """What is wrong with a file: a line each."""


class ScheduleFile(NamedTuple):
    """The schedules of a file by their names. The task of each has the file's tag."""

    tag: str
    schedules: Mapping[str, Mapping[str, Any]]


def read(path: Path) -> ScheduleFile:
    """Raises `FileError`, with all that can be known of it without a server."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise FileError(f"{path}: {said}") from error
    if wrong := [*_wrong(document)]:
        raise FileError("\n".join(f"{path}: {said}" for said in wrong))
    tag = _TAG + document["name"]
    return ScheduleFile(
        tag, {name: _tagged(tag, table) for name, table in document["schedules"].items()}
    )


def place(name: str, field: str = "") -> str:
    """A schedule's field as it stands in a file."""
    table = name if _BARE.fullmatch(name) else to_json(name).decode()
    prefix, _, rest = field.partition(".")
    if prefix == "task" and rest:
        return f"[schedules.{table}.task] {rest}"
    return f"[schedules.{table}] {field}".rstrip()


def encoded(name: str, schedule: Mapping[str, Any]) -> bytes:
    """As it is sent. Raises `ValueError` for what JSON cannot say, and `NaiveTimeError`."""
    timing = {field: value for field, value in schedule.items() if field != "task"}
    task = {"title": name, **schedule["task"]}
    return encode_schedule(name, cast("ScheduledTask", task), timing)


def _wrong(document: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{key}: is unknown" for key in document.keys() - {"name", "schedules"})
    name = document.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= NAME_LIMIT or name != name.strip():
        yield f"name: is needed: 1 to {NAME_LIMIT} characters, no space at its ends"
    schedules = document.get("schedules")
    if not isinstance(schedules, dict):
        yield "[schedules]: is needed"
        return
    for name, table in schedules.items():
        yield from _wrong_with(name, table)


def _wrong_with(name: str, table: Any) -> Iterator[str]:
    try:
        check_name(name)
    except ValueError as error:
        yield f"{place(name)}: {error}"
    if not isinstance(table, dict):
        yield f"{place(name)}: must be a table"
        return
    task = table.get("task", {})
    unknown = [*(table.keys() - TIMING_FIELDS - {"task"})]
    if isinstance(task, dict):
        unknown += [f"task.{key}" for key in task.keys() - TASK_FIELDS]
    yield from (f"{place(name, field)}: is unknown" for field in sorted(unknown))
    if not isinstance(task, dict):
        yield f"{place(name, 'task')}: must be a table"
    elif not isinstance(task.get("tags", []), list):
        yield f"{place(name, 'task.tags')}: must be an array"
    elif not unknown:
        try:
            encoded(name, {**table, "task": task})
        except NaiveTimeError as error:
            field, _, said = str(error).partition(": ")
            yield f"{place(name, field)}: {said}"
        except ValueError as error:
            yield f"{place(name)}: {error}"


def _tagged(tag: str, table: Mapping[str, Any]) -> dict[str, Any]:
    task = table.get("task", {})
    return {**table, "task": {**task, "tags": [*task.get("tags", ()), tag]}}
