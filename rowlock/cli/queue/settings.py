"""`rowlock queue settings`: what is set for a queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rowlock.cli import options, render
from rowlock.cli.commands import Argument, Flag, Option, command
from rowlock.cli.connection import connected, fail
from rowlock.cli.exit_codes import USAGE
from rowlock.cli.table import show_table
from rowlock.cli.values import Number, Offer, Text, words
from rowlock.client import calls
from rowlock.models import QueueSettings

_MANY: Final = Number(int, 1)
_ANY: Final = words()
_PRIORITIES: Final = words("中=", "低=", "medium=", "low=")
_RATE: Final = ("limit", "per_seconds", "burst")
_YES_NO: Final = {True: "yes", False: "no"}
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


@dataclass(frozen=True)
class Rate:
    """So many attempts in so many seconds, and perhaps so many of them at once: 100/60/20."""

    label: str = "LIMIT/SECONDS[/BURST]"
    limits: str = ""
    offer: Offer = _ANY

    def of(self, text: str) -> dict[str, int]:
        """What they may be the server says."""
        parts = text.split("/")
        if len(parts) not in (2, 3) or not all(p.isascii() and p.isdecimal() for p in parts):
            raise ValueError(f"{text!r} is not a rate, such as 100/60 or, with a burst, 100/60/20.")
        return dict(zip(_RATE, map(int, parts), strict=False))


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
    Option("--running", kind=_MANY, about="So many of its tasks run at a time."),
    Flag("--no-running", about="Any number does."),
    Option("--running-per-group", kind=_MANY, about="So many tasks of each of its groups do."),
    Flag("--no-running-per-group", about="Any number does."),
    Option("--rate", kind=Rate(), about="So many attempts of it begin in so many seconds."),
    Flag("--no-rate", about="Any number does."),
    Option("--rate-per-group", kind=Rate(), about="So many of each of its groups do."),
    Flag("--no-rate-per-group", about="Any number does."),
    Flag("--fair", about="Its groups take turns, however many tasks each of them has."),
    Flag("--no-fair", about="Tasks are claimed as they came."),
    options.AS_JSON,
    *options.SERVER,
)
def show(
    *,
    name: str,
    ageing: list[tuple[str, int]],
    as_json: bool,
    url: str | None,
    token: str | None,
    **given: Any,
) -> None:
    """Show and change what is set for a queue."""
    wanted = _wanted({"ageing_seconds": dict(ageing) or None, **given})
    with connected(url, token) as client:
        found = client.admin.queue_settings(name)
        if wanted:
            found = client.ask(calls.set_queue_settings(name, _set(found) | wanted))
    if as_json:
        render.show_json(found)
        return
    ages = " ".join(f"{p}={seconds}" for p, seconds in (found.ageing_seconds or {}).items())
    limits = (found.running or "any", found.running_per_group or "any")
    rates = (_written(found.rate), _written(found.rate_per_group))
    show_table(
        (
            *("queue", "ageing", "running", "per group"),
            *("rate", "rate per group", "fair", "in force at"),
        ),
        [(found.queue, ages or "no", *limits, *rates, _YES_NO[found.fair], found.in_force_at)],
    )


def _written(rate: Mapping[str, int] | None) -> str:
    """As it is given, with its burst."""
    return "/".join(str(rate[part]) for part in _RATE) if rate else "any"


def _wanted(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be set, and what no longer."""
    found: dict[str, Any] = {}
    for option in ("ageing", "running", "running_per_group", "rate", "rate_per_group", "fair"):
        name = "ageing_seconds" if option == "ageing" else option
        if given[name] and given[f"no_{option}"]:
            shown = option.replace("_", "-")
            fail(f"Give --{shown} or --no-{shown}, not both.", USAGE)
        if given[name] or given[f"no_{option}"]:
            found[name] = given[name]
    return found


def _set(found: QueueSettings) -> dict[str, object]:
    """All of it, what a newer server knows too: what is sent replaces all."""
    return {
        n: value
        for n, value in found.model_dump(exclude_unset=True).items()
        if n not in _SHOWN_BESIDE
    }
