"""`rowlock schedule list`, `show`, `next`, `runs`."""

from collections.abc import Iterable
from itertools import islice
from typing import Final

from rowlock.cli import options, render
from rowlock.cli.commands import Argument, Option, command
from rowlock.cli.connection import connected, fail
from rowlock.cli.exit_codes import USAGE
from rowlock.cli.schedule.parameters import NAME, NAMES, PANEL
from rowlock.cli.schedule.shown import show_schedules
from rowlock.cli.table import show_table
from rowlock.cli.times import time_of
from rowlock.cli.values import Number
from rowlock.models import Occurrence, ScheduleRun

_LARGEST_PAGE: Final = 1000
_RUNS_SHOWN: Final = 10


@command("schedule list", PANEL, options.AS_JSON, *options.SERVER)
def list_schedules(*, as_json: bool, url: str | None, token: str | None) -> None:
    """List the schedules by name."""
    with connected(url, token) as client:
        show_schedules(client.schedules.list(), as_json=as_json)


@command("schedule show", PANEL, NAMES, options.AS_JSON, *options.SERVER)
def show(*, names: list[str], as_json: bool, url: str | None, token: str | None) -> None:
    """Show all fields of a schedule, and its last runs."""
    with connected(url, token) as client:
        for place, name in enumerate(names):
            schedule = client.schedules.get(name)
            if as_json:
                render.show_json(schedule)
                continue
            if place:
                print()
            render.show_fields(schedule)
            runs = [*islice(client.schedules.runs(name, page_size=_RUNS_SHOWN), _RUNS_SHOWN)]
            if runs:
                print()
                _show_runs(runs, as_json=False)


@command(
    "schedule next",
    PANEL,
    Argument(NAME.name, NAME.kind, NAME.about, is_required=False),
    Option("--cron", about="Try this expression instead of a schedule."),
    Option("--timezone", about="IANA zone that --cron is in. (default: UTC)"),
    Option("--limit", "-n", to="count", kind=Number(int, 1, 100), default=10, about="How many."),
    Option("--after", kind=options.TIME, about="Not from now on; RFC 3339, or 1h, 2d from now."),
    options.AS_JSON,
    *options.SERVER,
)
def following(
    *,
    name: str | None,
    cron: str | None,
    timezone: str | None,
    count: int,
    after: str | None,
    as_json: bool,
    url: str | None,
    token: str | None,
) -> None:
    """Preview the next occurrences of a schedule, or of a cron expression."""
    if (name is None) == (cron is None):
        fail("Name a schedule or --cron, not both.", USAGE)
    if cron is None and timezone is not None:
        fail("--timezone goes with --cron; a schedule has its own.", USAGE)
    if cron is not None and after is not None:
        fail("--after goes with a schedule, not with --cron.", USAGE)
    with connected(url, token) as client:
        if name is None:
            assert cron is not None
            found = client.cron(cron, timezone or "UTC", count)
        else:
            since = None if after is None else time_of(after, is_past=False)
            found = client.schedules.next(name, count, after=since)
    _show_occurrences(found, as_json=as_json)


@command(
    "schedule runs",
    PANEL,
    NAME,
    Option("--limit", "-n", kind=Number(int, 1), default=50, about="Maximum number of runs."),
    options.AS_JSON,
    *options.SERVER,
)
def runs(*, name: str, limit: int, as_json: bool, url: str | None, token: str | None) -> None:
    """List what came of a schedule's occurrences, newest first."""
    with connected(url, token) as client:
        found = client.schedules.runs(name, page_size=min(limit, _LARGEST_PAGE))
        _show_runs(islice(found, limit), as_json=as_json)


def _show_occurrences(occurrences: list[Occurrence], *, as_json: bool) -> None:
    if as_json:
        for occurrence in occurrences:
            render.show_json(occurrence)
        return
    show_table(
        ("local", "occurrence", "claimable at"),
        ((each.local, each.occurrence_at, each.due_at) for each in occurrences),
        droppable=("claimable at",),
    )


def _show_runs(runs: Iterable[ScheduleRun], *, as_json: bool) -> None:
    if as_json:
        for run in runs:
            render.show_json(run)
        return
    show_table(
        ("occurrence", "kind", "outcome", "skipped", "task", "decided"),
        ((r.occurrence_at, r.kind, r.outcome, r.skipped, _id(r), r.fired_at) for r in runs),
        droppable=("decided", "kind"),
    )


def _id(run: ScheduleRun) -> str | None:
    return None if run.task_id is None else str(run.task_id)
