"""`rowlock queue settings`: what is set for a queue."""

from dataclasses import dataclass
from typing import Final

from rowlock.cli import options, render
from rowlock.cli.commands import Argument, Flag, Option, command
from rowlock.cli.connection import connected, fail
from rowlock.cli.exit_codes import USAGE
from rowlock.cli.table import show_table
from rowlock.cli.values import Offer, Text, words
from rowlock.client import calls
from rowlock.models import QueueSettings

_PRIORITIES: Final = words("中=", "低=", "medium=", "low=")
# Of an answer, what is not set.
_SHOWN_BESIDE: Final = frozenset({"queue", "in_force_at"})


@dataclass(frozen=True)
class Age:
    """A priority's seconds, such as 低=3600."""

    label: str = "PRIORITY=SECONDS"
    limits: str = ""
    offer: Offer = _PRIORITIES

    def of(self, text: str) -> tuple[str, int]:
        """What they may be the server says."""
        priority, _, seconds = text.partition("=")
        if not (priority and seconds.isascii() and seconds.isdecimal()):
            raise ValueError(f"{text!r} is not a priority and its seconds, such as 低=3600.")
        return priority, int(seconds)


@command(
    "queue settings",
    "Management",
    Argument("name", Text("NAME"), "Name of the queue."),
    Option(
        "--ageing",
        kind=Age(),
        is_many=True,
        about="A task of this priority is claimed before those of `高` that came so many seconds "
        "later; repeat for the other one.",
    ),
    Flag("--no-ageing", about="Tasks are claimed strictly by priority."),
    options.AS_JSON,
    *options.SERVER,
)
def show(
    *,
    name: str,
    ageing: list[tuple[str, int]],
    no_ageing: bool,
    as_json: bool,
    url: str | None,
    token: str | None,
) -> None:
    """Show and change what is set for a queue."""
    if ageing and no_ageing:
        fail("Give --ageing or --no-ageing, not both.", USAGE)
    with connected(url, token) as client:
        found = client.admin.queue_settings(name)
        if ageing or no_ageing:
            changed = _set(found) | {"ageing_seconds": dict(ageing) or None}
            found = client.ask(calls.set_queue_settings(name, changed))
    if as_json:
        render.show_json(found)
        return
    ages = " ".join(f"{p}={seconds}" for p, seconds in (found.ageing_seconds or {}).items())
    show_table(("queue", "ageing", "in force at"), [(found.queue, ages or "no", found.in_force_at)])


def _set(found: QueueSettings) -> dict[str, object]:
    """All of it, what a newer server knows too: what is sent replaces all."""
    return {n: value for n, value in found.model_dump().items() if n not in _SHOWN_BESIDE}
