"""`rowlock submit`, `list`, `show`, `wait`, `patch`."""

from itertools import islice
from typing import Any, Final, Literal, cast, get_args

from rowlock.cli import options, render
from rowlock.cli.columns import LONG, NAMES, USUAL, show_tasks
from rowlock.cli.commands import Argument, Flag, Option, command
from rowlock.cli.connection import connected, fail
from rowlock.cli.exit_codes import USAGE
from rowlock.cli.filters import FILTERS, filters_of
from rowlock.cli.payload import fields_of
from rowlock.cli.unique_key import UNIQUE, with_unique
from rowlock.cli.values import Choice, Ids, Number, Text
from rowlock.cli.waiting import show_all, show_how_ended, wait_for, wait_for_new
from rowlock.client.fields import OnParentFailure, OrderBy, View

_PANEL: Final = "Tasks"
_LARGEST_PAGE: Final = 1000

_OTHERS: Final = (
    Option("--depends-on", kind=Ids(), about="It is not claimed before these tasks have ended."),
    Option(
        "--on-parent-failure",
        kind=Choice(*get_args(OnParentFailure)),
        about="If one of these fails or is cancelled: cancel it too, or run it. (default: cancel)",
    ),
    Option("--blocks", kind=Ids(), about="Tasks that wait for others, and shall wait for it too."),
)


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
    options.GROUP,
    *UNIQUE,
    *_OTHERS,
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
    fields = with_unique(fields_of(given))
    with connected(url, token) as client:
        task = client.submit(title, idempotency_key=idempotency_key, **fields)
        if wait:
            task = wait_for_new(client, task, is_quiet=as_json)
    if wait:
        show_how_ended([task], as_json=as_json)
    else:
        show_all([task], as_json=as_json)


@command(
    "list",
    _PANEL,
    Option("--limit", "-n", kind=Number(int, 1), default=50, about="Maximum number of tasks."),
    Option("--order", kind=Choice("asc", "desc"), default="desc", about="desc is newest first."),
    Option(
        "--order-by",
        kind=Choice(*get_args(OrderBy)),
        default="created_at",
        about="available_at: those that wait for their time, by that.",
    ),
    Option(
        "--view",
        kind=Choice(*get_args(View)),
        default="full",
        about="With --json. summary: without description, payload and result.",
    ),
    Option(
        "--columns",
        "-c",
        kind=Text("NAME,…"),
        about=f"What to show, of {', '.join(NAMES)}. (default: {','.join(USUAL)})",
    ),
    Flag("--cost", about="Only say what the list would have MySQL read."),
    options.AS_JSON,
    *FILTERS,
    *options.SERVER,
)
def list_tasks(
    *,
    limit: int,
    order: Literal["asc", "desc"],
    order_by: OrderBy,
    view: View,
    columns: str | None,
    cost: bool,
    as_json: bool,
    url: str | None,
    token: str | None,
    **given: Any,
) -> None:
    """List tasks."""
    names = USUAL if columns is None else tuple(columns.replace(" ", "").split(","))
    if unknown := [name for name in names if name not in NAMES]:
        fail(f"--columns: {unknown[0]!r} is none of {', '.join(NAMES)}.", USAGE)
    if not as_json:
        view = "full" if LONG.intersection(names) else "summary"
    with connected(url, token) as client:
        page_size = min(limit, _LARGEST_PAGE)
        if cost:
            asked = filters_of(given)
            said = client.cost(order=order, order_by=order_by, page_size=page_size, **asked)
            (render.show_json if as_json else render.show_fields)(said)
            return
        every = client.list(
            order=order, order_by=order_by, view=view, page_size=page_size, **filters_of(given)
        )
        found = islice(every, limit)
        if as_json:
            show_all(found, as_json=True)
        else:
            show_tasks(found, names, get=client.get)


@command(
    "count",
    _PANEL,
    Option(
        "--limit",
        "-n",
        kind=Number(int, 1, 100_000),
        default=100_000,
        about="What the server does not know is counted so far.",
    ),
    options.AS_JSON,
    *FILTERS,
    *options.SERVER,
)
def count(*, limit: int, as_json: bool, url: str | None, token: str | None, **given: Any) -> None:
    """Count tasks."""
    with connected(url, token) as client:
        found = client.count(limit=limit, **filters_of(given))
    if as_json:
        render.show_json(found)
    else:
        print(f"{'' if found.is_exact else 'at least '}{found.count:,}")


@command("show", _PANEL, options.IDS, options.AS_JSON, *options.SERVER)
def show(*, ids: list[int], as_json: bool, url: str | None, token: str | None) -> None:
    """Show all fields of a task, and its attempts."""
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
        ended = wait_for(client, ids, seconds)
    show_how_ended(ended, as_json=as_json)


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
    changes = fields_of(given)
    if both := changes.keys() & set(clear):
        fail(f"{min(both)} is both set and cleared.", USAGE)
    changes |= dict.fromkeys(clear)
    if not changes:
        fail("Nothing to change: name at least one field.", USAGE)
    with connected(url, token) as client:
        show_all([client.patch(task_id, **cast("Any", changes))], as_json=as_json)
