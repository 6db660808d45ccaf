"""`rowlock stats`: how the queues stand."""

import sys
import time
from collections.abc import Sequence
from typing import Any, Final

from rowlock.cli import options, render
from rowlock.cli.commands import Flag, Option, command
from rowlock.cli.connection import connected, sentence
from rowlock.cli.screen import whole_screen
from rowlock.cli.table import duration, show_table, table
from rowlock.cli.terminal import can_redraw, height, styled, width, wrapped
from rowlock.cli.values import Number
from rowlock.client.sync_client import Client
from rowlock.errors import UnavailableError, UnreachableError
from rowlock.models import QueueStats, Stats

_COLUMNS: Final = (
    *("queue", "waiting", "oldest", "in progress", "retrying", "paused", "done", "failed"),
    *("done/min", "failure rate"),
)
# In a narrow terminal these are left out, the first of them first.
_DROPPABLE: Final = ("paused", "retrying", "failure rate", "oldest", "done", "done/min")


@command(
    "stats",
    "Management",
    Option(
        "--queue", "-q", to="queues", is_many=True, about="Only this queue; repeat for several."
    ),
    Flag("--watch", "-w", about="Refresh until Ctrl-C."),
    Option(
        "--every",
        to="seconds",
        kind=Number(float, 0.1, label="SECONDS"),
        default=2.0,
        about="How often to refresh.",
    ),
    options.AS_JSON,
    *options.SERVER,
)
def stats(
    *,
    queues: list[str],
    watch: bool,
    seconds: float,
    as_json: bool,
    url: str | None,
    token: str | None,
) -> None:
    """Show the state and the recent throughput of each queue."""
    with connected(url, token) as client:
        if not watch:
            _show(client.stats(*queues), as_json=as_json)
            return
        try:
            if as_json or not can_redraw(sys.stdout):
                _tell(client, seconds, queues, as_json=as_json)
            else:
                _watch(client, seconds, queues)
        except KeyboardInterrupt:
            return


def _tell(client: Client, seconds: float, queues: Sequence[str], *, as_json: bool) -> None:
    """One below the other."""
    is_away = False
    while True:
        try:
            found = client.stats(*queues)
        except (UnreachableError, UnavailableError) as error:
            if not is_away:
                print(f"rowlock: {sentence(error)}", file=sys.stderr)
            is_away = True
        else:
            is_away = False
            _show(found, as_json=as_json)
        time.sleep(seconds)


def _watch(client: Client, seconds: float, queues: Sequence[str]) -> None:
    """On the whole terminal, each in place of the last."""
    found: Stats | None = None
    with whole_screen() as draw:
        while True:
            away: list[str] = []
            try:
                found = client.stats(*queues)
            except (UnreachableError, UnavailableError) as error:
                said = wrapped(f"The server is away: {sentence(error)}", width())
                away = [styled(line, "red") for line in said]
            rows = map(_row, found.queues) if found else ()
            lines = table(_COLUMNS, rows, droppable=_DROPPABLE, room=width())
            draw([*lines[: max(height() - len(away), 0)], *away])
            time.sleep(seconds)


def _show(found: Stats, *, as_json: bool) -> None:
    if as_json:
        render.show_json(found)
    else:
        show_table(_COLUMNS, map(_row, found.queues), droppable=_DROPPABLE)


def _row(queue: QueueStats) -> tuple[Any, ...]:
    def of(status: str) -> int:
        return sum(queue.tasks.get(status, {}).values())

    name = f"{queue.queue} (paused)" if queue.paused else queue.queue
    oldest = queue.oldest_waiting_seconds
    failing = queue.failure_rate
    return (
        *(name, queue.waiting, None if oldest is None else duration(oldest)),
        *(queue.in_progress, of("retrying"), of("paused"), of("done"), of("failed")),
        f"{queue.done_per_minute:,.1f}",
        None if failing is None else f"{100 * failing:.1f} %",
    )
