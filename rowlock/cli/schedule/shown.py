"""Schedules as commands show them."""

from collections.abc import Iterable
from typing import Any

from rowlock.cli import render
from rowlock.cli.table import show_table
from rowlock.models import Schedule


def show_schedules(schedules: Iterable[Schedule], *, as_json: bool) -> None:
    """A line a schedule."""
    if as_json:
        for schedule in schedules:
            render.show_json(schedule)
        return
    show_table(
        ("name", "when", "timezone", "next", "queue", "revision", "title"),
        map(_row, schedules),
        droppable=("revision", "queue", "timezone", "title"),
    )


def _row(schedule: Schedule) -> tuple[Any, ...]:
    when = schedule.cron or f"every {schedule.interval_seconds:,} s"
    following = "paused" if schedule.paused_at else schedule.next_at
    task = schedule.task
    return (
        *(schedule.name, when, schedule.timezone, following),
        *(task.get("queue"), schedule.revision, task.get("title")),
    )
