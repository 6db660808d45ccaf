"""`rowlock schedule put`, `pause`, `resume`, `delete`."""

from typing import Any, Final, get_args

from rowlock.cli import options
from rowlock.cli.commands import Option, command
from rowlock.cli.connection import connected
from rowlock.cli.payload import fields_of
from rowlock.cli.schedule.parameters import NAME, NAMES, PANEL
from rowlock.cli.schedule.shown import show_schedules
from rowlock.cli.unique_key import UNIQUE, with_unique
from rowlock.cli.values import Choice, Number
from rowlock.client.schedule_fields import CatchUp, Overlap

TIMING: Final = (
    Option("--cron", about='Cron expression, such as "30 2 * * *"; or --every.'),
    Option(
        "--every",
        to="interval_seconds",
        kind=options.SECONDS,
        about="Interval, counted from --starts-at, or from when the schedule is made.",
    ),
    Option("--timezone", about="IANA zone that --cron is in. (default: UTC)"),
    Option(
        "--catch-up",
        kind=Choice(*get_args(CatchUp)),
        about="Which occurrences run that no scheduler was there for. (default: one)",
    ),
    Option(
        "--overlap",
        kind=Choice(*get_args(Overlap)),
        about="While the last one's task has not ended. (default: skip)",
    ),
    Option("--jitter-seconds", kind=options.SECONDS, about="A task may be claimed so much later."),
    Option("--starts-at", kind=options.TIME, about="No occurrence before; RFC 3339."),
    Option("--ends-at", kind=options.TIME, about="No occurrence after; RFC 3339."),
)


@command(
    "schedule put",
    PANEL,
    NAME,
    *TIMING,
    Option("--title", about="Title of its tasks. (default: the schedule's name)"),
    Option("--queue", "-q", about="Queue of its tasks. (default: default)"),
    *options.FIELDS,
    options.GROUP,
    *UNIQUE,
    Option("--if-match", kind=Number(int, 1, label="REVISION"), about="Change only this revision."),
    options.AS_JSON,
    *options.SERVER,
)
def put(
    *,
    name: str,
    if_match: int | None,
    as_json: bool,
    url: str | None,
    token: str | None,
    **given: Any,
) -> None:
    """Make a schedule, or change one to be just this.

    What is not named has its default, also where the schedule had something else. The same again
    changes nothing.
    """
    fields = with_unique(fields_of(given))
    with connected(url, token) as client:
        schedule = client.schedules.put(name, if_match=if_match, **fields)
    show_schedules([schedule], as_json=as_json)


@command("schedule pause", PANEL, NAMES, options.AS_JSON, *options.SERVER)
def pause(*, names: list[str], as_json: bool, url: str | None, token: str | None) -> None:
    """Pause schedules: they submit nothing until resumed. Needs an admin token."""
    with connected(url, token) as client:
        schedules = [client.admin.pause_schedule(name) for name in names]
    show_schedules(schedules, as_json=as_json)


@command("schedule resume", PANEL, NAMES, options.AS_JSON, *options.SERVER)
def resume(*, names: list[str], as_json: bool, url: str | None, token: str | None) -> None:
    """Resume schedules; what fell into the pause is left out. Needs an admin token."""
    with connected(url, token) as client:
        schedules = [client.admin.resume_schedule(name) for name in names]
    show_schedules(schedules, as_json=as_json)


@command("schedule delete", PANEL, NAMES, *options.SERVER)
def delete(*, names: list[str], url: str | None, token: str | None) -> None:
    """Delete schedules and their runs; the tasks that they have submitted stay."""
    with connected(url, token) as client:
        for name in names:
            client.schedules.delete(name)
