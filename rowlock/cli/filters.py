"""Which tasks: the filters of `GET /tasks` as options, for every command that takes them."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Final, cast, get_args

import typer

from rowlock.cli.times import time_of
from rowlock.client.fields import Filters, Priority, Status

_PANEL: Final = "Filters (a task must match all)"


def _option(hint: Any, *names: str, **more: Any) -> Any:
    return Annotated[hint, typer.Option(*names, rich_help_panel=_PANEL, **more)]


_OPTIONS: Final = {
    "status": _option(
        list[str] | None,
        "--status",
        "-s",
        help="Any of these; repeat for several.",
        autocompletion=lambda: list(get_args(Status)),
    ),
    "priority": _option(
        list[str] | None,
        "--priority",
        "-p",
        help="Any of these; repeat for several.",
        autocompletion=lambda: list(get_args(Priority)),
    ),
    "queue": _option(list[str] | None, "--queue", "-q", help="Any of these; repeat for several."),
    "tag": _option(list[str] | None, "--tag", "-t", help="All of these; repeat for several."),
    "id": _option(list[int] | None, "--id", help="Any of these; repeat for several."),
    "title": _option(str | None, "--title", help="Text in the title."),
    "created_after": _option(
        str | None,
        "--created-after",
        metavar="TIME",
        help="At or after; RFC 3339, or 90s, 15m, 1h, 2d ago.",
    ),
    "created_before": _option(
        str | None, "--created-before", metavar="TIME", help="Before; the same."
    ),
    "due_after": _option(
        str | None,
        "--due-after",
        metavar="TIME",
        help="At or after; RFC 3339, or 1h, 2d from now, or =-1h ago.",
    ),
    "due_before": _option(str | None, "--due-before", metavar="TIME", help="Before; the same."),
}

_TIMES: Final = {name for name in _OPTIONS if name.endswith(("_after", "_before"))}


def takes_filters(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command with a parameter `filters` an option for each filter instead."""
    signature = inspect.signature(command, eval_str=True)
    own = [p for name, p in signature.parameters.items() if name != "filters"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint)
        for name, hint in _OPTIONS.items()
    ]

    def with_filters(**given: Any) -> None:
        # An empty one is sent, and refused: dropped, it would let everything through.
        filters = {n: v for n in _OPTIONS if (v := given.pop(n)) not in (None, [])}
        for name in filters.keys() & _TIMES:
            filters[name] = time_of(filters[name], is_past=name.startswith("created"))
        command(**given, filters=cast("Filters", filters))

    with_filters.__doc__ = command.__doc__
    with_filters.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + added
    )
    return with_filters
