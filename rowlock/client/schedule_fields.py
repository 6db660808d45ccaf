"""The fields of schedules, as keywords that type checkers know."""

from collections.abc import Mapping
from typing import Any, Final, Literal, Required, TypedDict

from rowlock.client.fields import TaskDefaults, Time, Unique, with_times
from rowlock.encoding import encode

CatchUp = Literal["none", "one", "all"]
Overlap = Literal["skip", "allow", "queue_one"]


class ScheduleOptions(TypedDict, total=False):
    """How a schedule keeps its times."""

    timezone: str
    catch_up: CatchUp
    overlap: Overlap
    jitter_seconds: int
    starts_at: Time | None
    ends_at: Time | None


class ScheduleTiming(ScheduleOptions, total=False):
    """When a schedule submits its task. Either `cron` or `interval_seconds` is needed."""

    cron: str | None
    interval_seconds: int | None


class ScheduledTaskFields(TaskDefaults, total=False):
    """The optional fields of the task that a schedule submits."""

    due_date: Time | None
    payload: Any
    unique: Unique | None
    group: str | None


class ScheduledTask(ScheduledTaskFields):
    """The task that a schedule submits."""

    title: Required[str]


class ScheduleFields(ScheduleTiming, ScheduledTaskFields, total=False):
    """When a schedule submits its task, and that task's fields."""

    title: str


TASK_FIELDS: Final = ScheduledTask.__required_keys__ | ScheduledTask.__optional_keys__
TIMING_FIELDS: Final = ScheduleTiming.__optional_keys__
_TIMES: Final = ("starts_at", "ends_at")
_TASK_TIMES: Final = ("due_date",)


def encode_schedule(name: str, task: ScheduledTask | None, fields: Mapping[str, Any]) -> bytes:
    """A schedule as JSON. Its task is the one that is given, or else of the fields, titled like the
    schedule unless they say so.

    Raises `NaiveTimeError`, and `TypeError` for a task that is given both ways.
    """
    timing = {field: value for field, value in fields.items() if field in TIMING_FIELDS}
    others = {field: value for field, value in fields.items() if field not in TIMING_FIELDS}
    if task is not None and others:
        raise TypeError(f"{', '.join(others)} and task: give the task's fields in one way")
    given: Mapping[str, Any] = {"title": name, **others} if task is None else task
    shown = with_times(given, _TASK_TIMES, below="task.")
    return encode({**with_times(timing, _TIMES), "task": shown})
