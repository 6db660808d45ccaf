"""`rowlock pause`, `resume`, `cancel`, `retry`, for tasks or all that match; `queues`."""

from collections.abc import Callable
from typing import Annotated, Final, Literal

import typer

from rowlock.cli import options, render
from rowlock.cli.connection import USAGE, confirm, connected, fail
from rowlock.cli.filters import takes_filters
from rowlock.cli.progress import working
from rowlock.cli.table import show_table
from rowlock.client import calls
from rowlock.client.fields import Filters

app = typer.Typer()
_PANEL: Final = "Management"

Action = Literal["pause", "resume", "cancel", "retry"]
_HELP: Final[dict[Action, str]] = {
    "pause": "Pause tasks: they are not claimed until resumed.",
    "resume": "Resume paused tasks.",
    "cancel": "Cancel tasks; a worker that runs one is notified.",
    "retry": "Retry failed or cancelled tasks, with all their retries.",
}


def _command(action: Action) -> Callable[..., None]:
    @takes_filters
    def command(
        filters: Filters,
        ids: Annotated[
            list[int] | None, typer.Argument(metavar="[ID …]", min=1, show_default=False)
        ] = None,
        yes: options.Yes = False,
        as_json: options.AsJson = False,
        url: options.Url = None,
        token: options.Token = None,
    ) -> None:
        if bool(ids) == bool(filters):
            fail("Name the tasks by their ids or by at least one filter, not both.", USAGE)
        with connected(url, token) as client:
            if ids:
                for task_id in ids:
                    task = client.ask(calls.intervene(action, task_id))
                    if as_json:
                        render.show_json(task)
                    else:
                        typer.echo(f"task {task.id} is {task.status}")
                return
            result = client.ask(calls.intervene_in_all(action, filters, is_dry_run=True))
            if result.matched:
                some = f"{result.matched:,} task{'s'[: result.matched != 1]}"
                confirm(f"{action.capitalize()} {some}?", yes=yes)
                call = calls.intervene_in_all(action, filters, is_dry_run=False)
                with working(f"{action} {some}"):
                    result = client.ask(call)
        if as_json:
            render.show_json(result)
        else:
            typer.echo(f"{result.matched:,} matched, {result.changed:,} changed")

    command.__doc__ = (
        f"{_HELP[action]}\n\nName them by their ids or by filters. With filters, the number of "
        "tasks is shown for confirmation."
    )
    return command


for _action in _HELP:
    app.command(_action, rich_help_panel=_PANEL)(_command(_action))


@app.command(rich_help_panel=_PANEL)
def queues(
    pause: Annotated[
        list[str] | None,
        typer.Option(metavar="QUEUE", help="Pause this queue; repeat for several."),
    ] = None,
    resume: Annotated[
        list[str] | None,
        typer.Option(metavar="QUEUE", help="Resume this queue; repeat for several."),
    ] = None,
    as_json: options.AsJson = False,
    url: options.Url = None,
    token: options.Token = None,
) -> None:
    """Show, pause and resume queues."""
    with connected(url, token) as client:
        for name in pause or ():
            client.admin.pause_queue(name)
        for name in resume or ():
            client.admin.resume_queue(name)
        found = client.admin.queues()
    if as_json:
        for queue in found:
            render.show_json(queue)
        return
    show_table(
        ("queue", "paused", "waiting", "in progress", "paused since"),
        ((q.queue, q.paused, q.waiting, q.in_progress, q.paused_at) for q in found),
        droppable=("paused since",),
    )
