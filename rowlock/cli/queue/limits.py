"""`rowlock queue groups`, and `rowlock queue group set` and `unset`."""

from collections.abc import Iterable
from typing import Final

from rowlock.cli import options, render
from rowlock.cli.commands import Argument, Flag, Option, command
from rowlock.cli.connection import connected, fail
from rowlock.cli.exit_codes import USAGE
from rowlock.cli.table import show_table
from rowlock.cli.values import Number, Text
from rowlock.models import QueueGroup

_PANEL: Final = "Management"
_NAME: Final = Argument("name", Text("NAME"), "Name of the queue.")
_GROUP: Final = Argument("group", Text("GROUP"), "As its tasks name it.")


@command(
    "queue groups",
    _PANEL,
    _NAME,
    Flag("--waiting", about="Only groups in which tasks wait."),
    options.AS_JSON,
    *options.SERVER,
)
def groups(*, name: str, waiting: bool, as_json: bool, url: str | None, token: str | None) -> None:
    """Show a queue's groups: how many tasks have a slot, and how many wait for one."""
    with connected(url, token) as client:
        found = client.admin.queue_groups(name, waiting=waiting)
    _show(found, as_json=as_json)


@command(
    "queue group set",
    _PANEL,
    _NAME,
    _GROUP,
    Option(
        "--running",
        kind=Number(int, 1),
        about="So many of its tasks run at a time, whatever is set for the queue.",
    ),
    Option(
        "--weight",
        kind=Number(int, 1),
        about="Where groups take turns, so many for one of another group's.",
    ),
    options.AS_JSON,
    *options.SERVER,
)
def set_group(
    *,
    name: str,
    group: str,
    running: int | None,
    weight: int | None,
    as_json: bool,
    url: str | None,
    token: str | None,
) -> None:
    """Give a group a limit and a weight of its own, in place of those that it has. A lower limit
    stops nobody."""
    if running is None and weight is None:
        fail("Give --running, --weight or both.", USAGE)
    with connected(url, token) as client:
        found = client.admin.set_queue_group(name, group, running=running, weight=weight)
    _show([found], as_json=as_json)


@command("queue group unset", _PANEL, _NAME, _GROUP, *options.SERVER)
def unset(*, name: str, group: str, url: str | None, token: str | None) -> None:
    """Take away what a group has of its own: it has its queue's limit again, and one turn."""
    with connected(url, token) as client:
        client.admin.unset_queue_group(name, group)


def _show(found: Iterable[QueueGroup], *, as_json: bool) -> None:
    if as_json:
        for each in found:
            render.show_json(each)
        return
    show_table(
        ("group", "held", "limit", "waiting", "weight", "next token at"),
        (
            (
                *(each.group, each.held, each.running_limit, each.waiting),
                *(each.weight, each.next_token_at),
            )
            for each in found
        ),
    )
