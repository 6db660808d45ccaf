"""The options of a unique key, and the field that they come to."""

from typing import Any, Final, get_args

from rowlock.cli import options
from rowlock.cli.commands import Option
from rowlock.cli.connection import fail
from rowlock.cli.exit_codes import USAGE
from rowlock.cli.values import Choice
from rowlock.client.fields import UniqueConflict, UniqueWhile

UNIQUE: Final = (
    Option("--unique-key", about="At most one task of the queue holds this key."),
    Option(
        "--unique-while",
        kind=Choice(*get_args(UniqueWhile)),
        about="waiting: until it is first claimed; active: until it has ended. (default: waiting)",
    ),
    Option(
        "--unique-conflict",
        kind=Choice(*get_args(UniqueConflict)),
        about="If another task holds the key: keep it, replace its fields, or reject this one. "
        "(default: keep)",
    ),
    Option(
        "--unique-debounce-seconds",
        kind=options.SECONDS,
        about="Replace, and claim it only so long after the last submit.",
    ),
    Option(
        "--unique-debounce-limit-seconds",
        kind=options.SECONDS,
        about="At most so long after the first submit. (default: ten times that)",
    ),
)


def with_unique(fields: dict[str, Any]) -> dict[str, Any]:
    """The same, with what was said of the key as one of them."""
    begin = "unique_"
    unique = {n.removeprefix(begin): fields.pop(n) for n in [*fields] if n.startswith(begin)}
    if not unique:
        return fields
    if "key" not in unique:
        fail(f"--unique-{next(iter(unique)).replace('_', '-')} needs --unique-key.", USAGE)
    return fields | {"unique": unique}
