"""`rowlock schedule run`, `backfill`."""

from rowlock.cli import options, render
from rowlock.cli.commands import Flag, Option, command
from rowlock.cli.connection import connected
from rowlock.cli.schedule.parameters import NAME, PANEL
from rowlock.cli.times import time_of
from rowlock.cli.waiting import show_all, show_how_ended, wait_for_new


@command(
    "schedule run",
    PANEL,
    NAME,
    Option("--idempotency-key", about="Repeating a call with the same key stores nothing new."),
    Flag("--wait", about="Wait until it has ended; exit code 3 unless it is done."),
    options.AS_JSON,
    *options.SERVER,
)
def run(
    *,
    name: str,
    idempotency_key: str | None,
    wait: bool,
    as_json: bool,
    url: str | None,
    token: str | None,
) -> None:
    """Submit a schedule's task now, whatever it has under way, paused or not."""
    with connected(url, token) as client:
        task = client.schedules.run(name, idempotency_key=idempotency_key)
        if wait:
            task = wait_for_new(client, task, is_quiet=as_json)
    if wait:
        show_how_ended([task], as_json=as_json)
    else:
        show_all([task], as_json=as_json)


@command(
    "schedule backfill",
    PANEL,
    NAME,
    Option(
        "--from",
        to="begin",
        kind=options.TIME,
        is_required=True,
        about="At or after; RFC 3339, or 15m, 1h, 2d ago.",
    ),
    Option("--to", to="end", kind=options.TIME, is_required=True, about="Before; the same."),
    options.AS_JSON,
    *options.SERVER,
)
def backfill(
    *, name: str, begin: str, end: str, as_json: bool, url: str | None, token: str | None
) -> None:
    """Submit a task for each past occurrence that has none, at most 1,000 at once."""
    with connected(url, token) as client:
        begin, end = time_of(begin, is_past=True), time_of(end, is_past=True)
        result = client.schedules.backfill(name, begin, end)
    if as_json:
        render.show_json(result)
    else:
        print(f"{result.submitted:,} submitted, {result.existing:,} had a task already")
