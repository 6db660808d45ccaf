"""`rowlock workers`: who asks for work, and what each of them holds."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rowlock.cli import options, render
from rowlock.cli.commands import Argument, Option, command
from rowlock.cli.connection import connected, fail
from rowlock.cli.exit_codes import USAGE
from rowlock.cli.table import show_table
from rowlock.cli.values import Text
from rowlock.models import RegisteredWorker

_COLUMNS: Final = ("worker", "agent", "queues", "state", "running", "last seen")
# In a narrow terminal these are left out, the first of them first.
_DROPPABLE: Final = ("agent", "last seen", "queues")


@command(
    "workers",
    "Management",
    Argument(
        "name", Text("NAME"), "Show this one, with the tasks that it holds.", is_required=False
    ),
    Option(
        "--queue",
        "-q",
        to="queues",
        is_many=True,
        about="Only those that poll this queue, or hold a task of it; repeat for several.",
    ),
    Option(
        "--seen-within-seconds",
        kind=options.SECONDS,
        about="Leave out those that hold no task and have not polled for so long.",
    ),
    options.AS_JSON,
    *options.SERVER,
)
def workers(
    *,
    name: str | None,
    queues: list[str],
    seen_within_seconds: int | None,
    as_json: bool,
    url: str | None,
    token: str | None,
) -> None:
    """Show the workers that were seen in the last day, or one of them."""
    if name is not None and (queues or seen_within_seconds is not None):
        fail("Name a worker, or filter them, not both.", USAGE)
    with connected(url, token) as client:
        if name is not None:
            worker = client.admin.worker(name)
            show = render.show_json if as_json else render.show_worker
            show(worker)
            return
        found = client.admin.workers(*queues, seen_within_seconds=seen_within_seconds)
    if as_json:
        for each in found:
            render.show_json(each)
    else:
        show_table(_COLUMNS, _rows(found), droppable=_DROPPABLE)


def _rows(found: Sequence[RegisteredWorker]) -> Iterator[tuple[Any, ...]]:
    for each in found:
        queues = " ".join(each.queues)
        yield each.worker, each.agent, queues, each.state, each.running, each.last_seen_at
