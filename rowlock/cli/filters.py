"""Which tasks: the filters of `GET /tasks` as options, for every command that takes them."""

from collections.abc import Mapping
from typing import Any, Final, cast, get_args

from rowlock.cli.commands import TEXT, Option
from rowlock.cli.options import TIME
from rowlock.cli.times import time_of
from rowlock.cli.values import Kind, Number, Text, words
from rowlock.client.fields import Filters, Priority, Status


def _filter(*names: str, about: str, kind: Kind = TEXT, is_many: bool = False) -> Option:
    return Option(
        *names, about=about, kind=kind, is_many=is_many, panel="Filters (a task must match all)"
    )


_ANY: Final = "Any of these; repeat for several."
# The server says which values there are.
_STATUS: Final = Text("STATUS", words(*get_args(Status)))
_PRIORITY: Final = Text("PRIORITY", words(*get_args(Priority)))

FILTERS: Final = (
    _filter("--status", "-s", kind=_STATUS, is_many=True, about=_ANY),
    _filter("--priority", "-p", kind=_PRIORITY, is_many=True, about=_ANY),
    _filter("--queue", "-q", is_many=True, about=_ANY),
    _filter("--tag", "-t", is_many=True, about="All of these; repeat for several."),
    _filter("--id", kind=Number(int, label="ID"), is_many=True, about=_ANY),
    _filter("--title", about="Text in the title."),
    _filter("--created-after", kind=TIME, about="At or after; RFC 3339, or 90s, 15m, 1h, 2d ago."),
    _filter("--created-before", kind=TIME, about="Before; the same."),
    _filter(
        "--due-after", kind=TIME, about="At or after; RFC 3339, or 1h, 2d from now, or =-1h ago."
    ),
    _filter("--due-before", kind=TIME, about="Before; the same."),
    _filter("--worker", about="The last worker that claimed it."),
    _filter("--completed-after", kind=TIME, about="Done at or after; as --created-after."),
    _filter("--completed-before", kind=TIME, about="Done before; the same."),
    _filter("--available-after", kind=TIME, about="May be claimed from then on; as --due-after."),
    _filter("--available-before", kind=TIME, about="The same, before."),
)

_PAST: Final = ("created", "completed")
_TIMES: Final = {each.name for each in FILTERS if each.kind is TIME}


def filters_of(given: Mapping[str, Any]) -> Filters:
    """What was given for these options, as the client takes it."""
    # An empty one is sent, and refused: dropped, it would let everything through.
    filters = {name: value for name, value in given.items() if value not in (None, [])}
    for name in filters.keys() & _TIMES:
        filters[name] = time_of(filters[name], is_past=name.startswith(_PAST))
    return cast("Filters", filters)
