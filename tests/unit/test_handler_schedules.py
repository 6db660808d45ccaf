"""`@worker.schedule`: which handler it is for, and what cannot be one."""

import json
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, assert_type

import pytest
from pydantic import BaseModel

from rowlock import (
    NaiveTimeError,
    PayloadError,
    ScheduledTask,
    ScheduleError,
    Task,
    TaskHandler,
    Worker,
)


class Report(BaseModel):
    day: str
    pages: int = 1


def schedules(worker: Worker) -> dict[str, Any]:
    """As they are sent."""
    return {name: json.loads(body) for name, body in worker._schedules.encoded().items()}


def traced(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def around(*arguments: Any) -> Any:
        return function(*arguments)

    return around


def test_it_stands_above_or_below_the_handler_with_others_between() -> None:
    worker = Worker(queues=["reports", "others"])

    @worker.schedule("30 2 * * *", timezone="Europe/Berlin", jitter_seconds=60)
    @traced
    @worker.handler("above", timeout_seconds=60, tags=["a"])
    def above(task: Task) -> str:
        return "above"

    @worker.handler("below", queue="others")
    @traced
    @worker.schedule(every_seconds=90, name="each 90 s", overlap="allow", payload=[1])
    def below(task: Task) -> str:
        return "below"

    assert isinstance(below, TaskHandler)
    task = {"title": "above", "queue": "reports", "timeout_seconds": 60, "tags": ["a"]}
    assert schedules(worker) == {
        "above": {
            "cron": "30 2 * * *",
            "interval_seconds": None,
            "timezone": "Europe/Berlin",
            "jitter_seconds": 60,
            "task": task | {"payload": None},
        },
        "each 90 s": {
            "cron": None,
            "interval_seconds": 90,
            "overlap": "allow",
            "task": {"title": "below", "queue": "others", "payload": [1]},
        },
    }
    assert schedules(worker.with_options(concurrency=2)) == schedules(worker)


def test_it_leaves_the_handlers_type_as_it_is() -> None:
    worker = Worker()

    @worker.schedule("@daily")
    @worker.handler("above")
    def above(task: Task) -> str:
        return task.title

    @worker.handler("below")
    @worker.schedule("@daily", payload={"day": "x"})
    def below(report: Report) -> int:
        return report.pages

    assert_type(above, TaskHandler[[Task], str, Any])
    assert_type(below, TaskHandler[[Report], int, Report])
    assert below(Report(day="x", pages=3)) == 3
    assert_type(below.scheduled(Report(day="x")), ScheduledTask)


def test_a_handler_may_have_several_of_names_of_their_own() -> None:
    worker = Worker()

    @worker.schedule("0 9 * * MON", name="weekly", payload={"day": "monday", "pages": 9})
    @worker.schedule("0 9 * * *", payload=Report(day="today"))
    @worker.handler("report")
    def report(report: Report) -> None: ...

    assert {name: one["task"]["payload"] for name, one in schedules(worker).items()} == {
        "report": {"day": "today", "pages": 1},
        "weekly": {"day": "monday", "pages": 9},
    }
    with pytest.raises(ValueError, match="already a schedule 'weekly'; name this one by name="):
        worker.schedule("@daily", name="weekly", payload={"day": "x"})(report)


def test_what_cannot_be_scheduled_is_refused_where_it_is_written() -> None:
    worker = Worker()

    @worker.handler("report")
    def report(report: Report) -> None: ...

    with pytest.raises(ValueError, match=r"schedule 'report' needs payload=: .*payload"):
        worker.schedule("@daily")(report)
    with pytest.raises(PayloadError, match=r"payload\.day"):
        worker.schedule("@daily", payload={"pages": 2})(report)
    with pytest.raises(NaiveTimeError, match="starts_at"):
        worker.schedule("@daily", payload={"day": "x"}, starts_at=datetime(2030, 1, 1))(report)  # noqa: DTZ001
    for name in ("a/b", ""):
        with pytest.raises(ValueError, match="no slash"):
            worker.schedule("@daily", name=name, payload={"day": "x"})(report)
    with pytest.raises(ValueError, match="handler of another worker"):
        Worker().schedule("@daily", payload={"day": "x"})(report)
    for said in ({}, {"cron": "@daily", "every_seconds": 5}, {"cron": report}):
        with pytest.raises(TypeError, match="say when"):
            worker.schedule(**said)
    assert schedules(worker) == {}


async def test_one_without_a_title_ends_the_worker_before_it_begins() -> None:
    worker = Worker()

    @worker.handler
    @worker.schedule("@daily")
    def anything(task: Task) -> None: ...

    with pytest.raises(ScheduleError, match=r"anything .* has no task: give it a title"):
        await worker.run_async()
