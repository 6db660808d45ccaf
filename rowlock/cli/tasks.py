"""`rowlock submit`, `list`, `show`, `wait`, `patch`, `delete`."""

import sys
from collections.abc import Iterable, Mapping
from http.client import INTERNAL_SERVER_ERROR
from itertools import islice
from time import monotonic, sleep
from typing import Any, Final, Literal, cast

from rowlock.cli import options, render
from rowlock.cli.columns import NAMES, USUAL, show_ends, show_tasks
from rowlock.cli.commands import Argument, Flag, Option, command
from rowlock.cli.connection import connected, fail, sentence
from rowlock.cli.exit_codes import NOT_IN_TIME, TASK_NOT_DONE, USAGE
from rowlock.cli.filters import FILTERS, filters_of
from rowlock.cli.payload import payload_of
from rowlock.cli.values import Choice, Number, Text
from rowlock.client.sync_client import Client
from rowlock.errors import UnavailableError, UnreachableError, WaitTimeoutError
from rowlock.models import Task

_PANEL: Final = "Tasks"
_LARGEST_PAGE: Final = 1000
# Between looks whether a server that is away is back.
_AWAY_SECONDS: Final = 1.0


@command(
    "submit",
    _PANEL,
    options.TITLE,
    Option("--queue", "-q", about="Queue of the task. (default: default)"),
    *options.FIELDS,
    Option(
        "--available-at",
        kind=options.TIME,
        about="Earliest time at which it may be claimed; RFC 3339.",
    ),
    Option("--idempotency-key", about="Repeating a call with the same key stores nothing new."),
    Flag("--wait", about="Wait until it has ended; exit code 3 unless it is done."),
    options.AS_JSON,
    *options.SERVER,
)
def submit(
    *,
    title: str,
    idempotency_key: str | None,
    wait: bool,
    as_json: bool,
    url: str | None,
    token: str | None,
    **given: Any,
) -> None:
    """Submit a task."""
    fields = _fields(given)
    with connected(url, token) as client:
        task = client.submit(title, idempotency_key=idempotency_key, **fields)
        if wait:
            if not as_json:
                print(f"Waiting for task {task.id} …", file=sys.stderr)
            (task,) = _wait(client, [task.id], None)
    if wait:
        _show_ends([task], as_json=as_json)
    else:
        _show([task], as_json=as_json)


@command(
    "list",
    _PANEL,
    Option("--limit", "-n", kind=Number(int, 1), default=50, about="Maximum number of tasks."),
    Option("--order", kind=Choice("asc", "desc"), default="desc", about="desc is newest first."),
    Option(
        "--columns",
        "-c",
        kind=Text("NAME,…"),
        about=f"What to show, of {', '.join(NAMES)}. (default: {','.join(USUAL)})",
    ),
    options.AS_JSON,
    *FILTERS,
    *options.SERVER,
)
def list_tasks(
    *,
    limit: int,
    order: Literal["asc", "desc"],
    columns: str | None,
    as_json: bool,
    url: str | None,
    token: str | None,
    **given: Any,
) -> None:
    """List tasks."""
    names = USUAL if columns is None else tuple(columns.replace(" ", "").split(","))
    if unknown := [name for name in names if name not in NAMES]:
        fail(f"--columns: {unknown[0]!r} is none of {', '.join(NAMES)}.", USAGE)
    with connected(url, token) as client:
        page_size = min(limit, _LARGEST_PAGE)
        found = islice(client.list(order=order, page_size=page_size, **filters_of(given)), limit)
        if as_json:
            _show(found, as_json=True)
        else:
            show_tasks(found, names, get=client.get)


@command("show", _PANEL, options.IDS, options.AS_JSON, *options.SERVER)
def show(*, ids: list[int], as_json: bool, url: str | None, token: str | None) -> None:
    """Show all fields of a task, and its ended attempts."""
    with connected(url, token) as client:
        for place, task_id in enumerate(ids):
            task = client.get(task_id)
            if as_json:
                render.show_json(task)
                continue
            if place:
                print()
            render.show_task(task, client.attempts(task_id))


@command(
    "wait",
    _PANEL,
    options.IDS,
    Option(
        "--for",
        to="seconds",
        kind=Number(float, 0, label="SECONDS"),
        about="Maximum time to wait; then exit code 4.",
    ),
    options.AS_JSON,
    *options.SERVER,
)
def wait(
    *, ids: list[int], seconds: float | None, as_json: bool, url: str | None, token: str | None
) -> None:
    """Wait until tasks have ended; exit code 3 unless all are done."""
    with connected(url, token) as client:
        ended = _wait(client, ids, seconds)
    _show_ends(ended, as_json=as_json)


@command(
    "patch",
    _PANEL,
    Argument("task_id", options.ID),
    Option("--title", about="New title."),
    *options.FIELDS,
    Option(
        "--clear",
        kind=Choice("description", "due_date", "payload", "tags"),
        is_many=True,
        about="Clear this field; repeat for several.",
    ),
    options.AS_JSON,
    *options.SERVER,
)
def patch(
    *,
    task_id: int,
    clear: list[str],
    as_json: bool,
    url: str | None,
    token: str | None,
    **given: Any,
) -> None:
    """Change a task; fields that are not named stay. --tag replaces all its tags."""
    changes = _fields(given)
    if both := changes.keys() & set(clear):
        fail(f"{min(both)} is both set and cleared.", USAGE)
    changes |= dict.fromkeys(clear)
    if not changes:
        fail("Nothing to change: name at least one field.", USAGE)
    with connected(url, token) as client:
        _show([client.patch(task_id, **cast("Any", changes))], as_json=as_json)


@command("delete", _PANEL, options.IDS, *options.SERVER)
def delete(*, ids: list[int], url: str | None, token: str | None) -> None:
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
                print(f"rowlock: {sentence(error)}\nStill waiting …", file=sys.stderr)
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
        sys.exit(TASK_NOT_DONE)


def _fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Those that were named, the payload decoded."""
    fields = {name: value for name, value in given.items() if value not in (None, [])}
    if "payload" in fields:
        fields["payload"] = payload_of(fields["payload"])
    return fields
