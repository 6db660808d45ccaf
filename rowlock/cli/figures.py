"""`rowlock stats`: how the queues stand."""

import time
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer
from rich.live import Live
from rich.table import Table

from rowlock.cli import options, render
from rowlock.cli.connection import connected
from rowlock.client.sync_client import Client
from rowlock.models import QueueStats, Stats

app = typer.Typer()

_COLUMNS: Final = (
    *("queue", "waiting", "oldest", "in progress", "retrying", "paused", "done", "failed"),
    *("done/min", "failure rate"),
)


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
    terminal = render.console()
    if as_json or not terminal.is_terminal:
        while True:
            _show(client.stats(*queues), as_json=as_json)
            time.sleep(seconds)
    with Live(console=terminal, auto_refresh=False, screen=True) as live:
        while True:
            live.update(_table(client.stats(*queues)), refresh=True)
            time.sleep(seconds)


def _show(found: Stats, *, as_json: bool) -> None:
    if as_json:
        render.show_json(found)
    else:
        render.console().print(_table(found))


def _table(found: Stats) -> Table:
    return render.table(_COLUMNS, [_row(queue) for queue in found.queues])


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


def duration(seconds: float) -> str:
    """Such as "45 s", "12 min", "5 h", "3 d"."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
