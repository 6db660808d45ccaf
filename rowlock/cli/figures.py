"""`rowlock stats`: how the queues stand."""

import time
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rowlock.cli import options, render
from rowlock.cli.connection import connected, sentence
from rowlock.cli.table import console, duration, show_table, table
from rowlock.client.sync_client import Client
from rowlock.errors import UnavailableError, UnreachableError
from rowlock.models import QueueStats, Stats

app = typer.Typer()

_COLUMNS: Final = (
    *("queue", "waiting", "oldest", "in progress", "retrying", "paused", "done", "failed"),
    *("done/min", "failure rate"),
)
# In a narrow terminal these are left out, the first of them first.
_DROPPABLE: Final = ("paused", "retrying", "failure rate", "oldest", "done", "done/min")


@app.command(rich_help_panel="Management")
def stats(
    queue: Annotated[
        list[str] | None,
        typer.Option("--queue", "-q", help="Only this queue; repeat for several."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Refresh until Ctrl-C.")] = False,
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=0.1, help="How often to refresh.")
    ] = 2.0,
    as_json: options.AsJson = False,
    url: options.Url = None,
    token: options.Token = None,
) -> None:
    """Show the state and the recent throughput of each queue."""
    with connected(url, token) as client:
        if not watch:
            _show(client.stats(*(queue or ())), as_json=as_json)
            return
        try:
            _watch(client, every, queue or (), as_json=as_json)
        except KeyboardInterrupt:
            return


def _watch(client: Client, seconds: float, queues: Sequence[str], *, as_json: bool) -> None:
    terminal = console()
    found: Stats | None = None
    if as_json or not terminal.is_terminal:
        is_away = False
        while True:
            try:
                found = client.stats(*queues)
            except (UnreachableError, UnavailableError) as error:
                if not is_away:
                    typer.echo(f"rowlock: {sentence(error)}", err=True)
                is_away = True
            else:
                is_away = False
                _show(found, as_json=as_json)
            time.sleep(seconds)
    with Live(console=terminal, auto_refresh=False, screen=True) as live:
        while True:
            away: list[Text] = []
            try:
                found = client.stats(*queues)
            except (UnreachableError, UnavailableError) as error:
                away = [Text(f"The server is away: {sentence(error)}", "red")]
            shown = [] if found is None else [_table(found, terminal.width)]
            live.update(Group(*shown, *away), refresh=True)
            time.sleep(seconds)


def _show(found: Stats, *, as_json: bool) -> None:
    if as_json:
        render.show_json(found)
    else:
        show_table(_COLUMNS, map(_row, found.queues), droppable=_DROPPABLE)


def _table(found: Stats, width: int) -> Table:
    return table(_COLUMNS, map(_row, found.queues), droppable=_DROPPABLE, width=width)


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
