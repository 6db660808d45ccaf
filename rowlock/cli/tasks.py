"""`rowlock submit`, `list`, `show`, `wait`, `patch`, `delete`."""

from collections.abc import Iterable
from http.client import INTERNAL_SERVER_ERROR
from itertools import islice
from time import monotonic, sleep
from typing import Annotated, Any, Final, Literal, cast

import typer

from rowlock.cli import options, render
from rowlock.cli.columns import NAMES, USUAL, show_ends, show_tasks
from rowlock.cli.connection import NOT_IN_TIME, TASK_NOT_DONE, USAGE, connected, fail, sentence
from rowlock.cli.filters import takes_filters
from rowlock.cli.payload import payload_of
from rowlock.client.fields import Filters
from rowlock.client.sync_client import Client
from rowlock.errors import UnavailableError, UnreachableError, WaitTimeoutError
from rowlock.models import Task

app = typer.Typer()
_PANEL: Final = "Tasks"
_LARGEST_PAGE: Final = 1000
# Between looks whether a server that is away is back.
_AWAY_SECONDS: Final = 1.0


@app.command(rich_help_panel=_PANEL)
def submit(
    title: Annotated[str, typer.Argument(help="Title of the task.", show_default=False)],
    description: options.Description = None,
    priority: options.Importance = None,
    tags: options.Tags = None,
    queue: Annotated[
        str | None, typer.Option("--queue", "-q", help="Queue of the task. (default: default)")
    ] = None,
    payload: options.Payload = None,
    due_date: options.Due = None,
    available_at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Earliest time at which it may be claimed; RFC 3339."),
    ] = None,
    timeout_seconds: options.TimeoutSeconds = None,
    retry_limit: options.RetryLimit = None,
    retry_delay_seconds: options.RetryDelay = None,
    retry_backoff: options.RetryBackoff = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="Repeating a call with the same key stores nothing new.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until it has ended; exit code 3 unless it is done.")
    ] = False,
    as_json: options.AsJson = False,
    url: options.Url = None,
    token: options.Token = None,
) -> None:
    """Submit a task."""
    fields = _given(
        description=description,
        priority=priority,
        tags=tags,
        queue=queue,
        due_date=due_date,
        available_at=available_at,
        timeout_seconds=timeout_seconds,
        retry_limit=retry_limit,
        retry_delay_seconds=retry_delay_seconds,
        retry_backoff=retry_backoff,
    )
    if payload is not None:
        fields["payload"] = payload_of(payload)
    with connected(url, token) as client:
        task = client.submit(title, idempotency_key=idempotency_key, **fields)
        if wait:
            if not as_json:
                typer.echo(f"Waiting for task {task.id} …", err=True)
            (task,) = _wait(client, [task.id], None)
    if wait:
        _show_ends([task], as_json=as_json)
    else:
        _show([task], as_json=as_json)


@app.command("list", rich_help_panel=_PANEL)
@takes_filters
def list_tasks(
    filters: Filters,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, help="Maximum number of tasks.")
    ] = 50,
    order: Annotated[Literal["asc", "desc"], typer.Option(help="desc is newest first.")] = "desc",
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns",
            "-c",
            metavar="NAME,…",
            help=f"What to show, of {', '.join(NAMES)}. (default: {','.join(USUAL)})",
        ),
    ] = None,
    as_json: options.AsJson = False,
    url: options.Url = None,
    token: options.Token = None,
) -> None:
    """List tasks."""
    names = USUAL if columns is None else tuple(columns.replace(" ", "").split(","))
    if unknown := [name for name in names if name not in NAMES]:
        fail(f"--columns: {unknown[0]!r} is none of {', '.join(NAMES)}.", USAGE)
    with connected(url, token) as client:
        page_size = min(limit, _LARGEST_PAGE)
        found = islice(client.list(order=order, page_size=page_size, **filters), limit)
        if as_json:
            _show(found, as_json=True)
        else:
            show_tasks(found, names, get=client.get)


@app.command(rich_help_panel=_PANEL)
def show(
    ids: options.TaskIds,
    as_json: options.AsJson = False,
    url: options.Url = None,
    token: options.Token = None,
) -> None:
    """Show all fields of a task, and its ended attempts."""
    with connected(url, token) as client:
        for place, task_id in enumerate(ids):
            task = client.get(task_id)
            if as_json:
                render.show_json(task)
                continue
            if place:
                typer.echo()
            render.show_task(task, client.attempts(task_id))


@app.command(rich_help_panel=_PANEL)
def wait(
    ids: options.TaskIds,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--for", metavar="SECONDS", min=0, help="Maximum time to wait; then exit code 4."
        ),
    ] = None,
    as_json: options.AsJson = False,
    url: options.Url = None,
    token: options.Token = None,
) -> None:
    """Wait until tasks have ended; exit code 3 unless all are done."""
    with connected(url, token) as client:
        ended = _wait(client, ids, seconds)
    _show_ends(ended, as_json=as_json)


@app.command(rich_help_panel=_PANEL)
def patch(
    task_id: Annotated[int, typer.Argument(metavar="ID", min=1, show_default=False)],
    title: Annotated[str | None, typer.Option(help="New title.")] = None,
    description: options.Description = None,
    priority: options.Importance = None,
    tags: options.Tags = None,
    payload: options.Payload = None,
    due_date: options.Due = None,
    timeout_seconds: options.TimeoutSeconds = None,
    retry_limit: options.RetryLimit = None,
    retry_delay_seconds: options.RetryDelay = None,
    retry_backoff: options.RetryBackoff = None,
    clear: options.Clear = None,
    as_json: options.AsJson = False,
    url: options.Url = None,
    token: options.Token = None,
) -> None:
    """Change a task; fields that are not named stay. --tag replaces all its tags."""
    changes = _given(
        title=title,
        description=description,
        priority=priority,
        tags=tags,
        due_date=due_date,
        timeout_seconds=timeout_seconds,
        retry_limit=retry_limit,
        retry_delay_seconds=retry_delay_seconds,
        retry_backoff=retry_backoff,
    )
    if payload is not None:
        changes["payload"] = payload_of(payload)
    if both := changes.keys() & set(clear or ()):
        fail(f"{min(both)} is both set and cleared.", USAGE)
    changes |= dict.fromkeys(clear or ())
    if not changes:
        fail("Nothing to change: name at least one field.", USAGE)
    with connected(url, token) as client:
        _show([client.patch(task_id, **cast("Any", changes))], as_json=as_json)


@app.command(rich_help_panel=_PANEL)
def delete(ids: options.TaskIds, url: options.Url = None, token: options.Token = None) -> None:
    """Delete tasks in any state."""
    with connected(url, token) as client:
        for task_id in ids:
            client.delete(task_id)


def _wait(client: Client, ids: list[int], seconds: float | None) -> list[Task]:
    until = None if seconds is None else monotonic() + seconds
    try:
        return [_wait_for(client, task_id, until) for task_id in ids]
    except WaitTimeoutError as error:
        fail(f"{str(error).capitalize()}.", NOT_IN_TIME)


def _wait_for(client: Client, task_id: int, until: float | None) -> Task:
    """However often the server goes away meanwhile."""
    is_away = False
    while True:
        try:
            return client.wait(task_id, None if until is None else max(until - monotonic(), 0))
        except (UnreachableError, UnavailableError) as error:
            if isinstance(error, UnavailableError) and error.status == INTERNAL_SERVER_ERROR:
                raise
            if not is_away:
                typer.echo(f"rowlock: {sentence(error)}\nStill waiting …", err=True)
            is_away = True
            sleep(_AWAY_SECONDS)


def _show(tasks: Iterable[Task], *, as_json: bool) -> None:
    if not as_json:
        show_tasks(tasks)
        return
    for task in tasks:
        render.show_json(task)


def _show_ends(tasks: list[Task], *, as_json: bool) -> None:
    if as_json:
        _show(tasks, as_json=True)
    else:
        show_ends(tasks)
    if any(task.status != "done" for task in tasks):
        raise typer.Exit(TASK_NOT_DONE)


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, [])}
