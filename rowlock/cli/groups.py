"""Commands below a command, as in `rowlock schedule put`."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rowlock.cli.commands import Argument, Command
from rowlock.cli.exit_codes import USAGE
from rowlock.cli.help import page
from rowlock.cli.parser import UsageError, meant
from rowlock.cli.running import run_with
from rowlock.cli.values import Text

# What a command takes that has others below it.
BELOW: Final = (
    Argument("name", Text("COMMAND"), is_required=False),
    Argument("words", Text("ARG"), is_many=True, is_required=False),
)


def group(name: str, panel: str, about: str, commands: Iterable[Command]) -> Command:
    """A command that does what one of these does, each named by two words: its own and one more."""
    below = {each.name.removeprefix(f"{name} "): each for each in commands}

    def run(*, name: str | None, words: Sequence[str]) -> None:
        run_below(made, below, name, words)

    made = Command(name, panel, BELOW, run, about, options_first=True, below=below)
    return made


def run_below(
    command: Command, below: Mapping[str, Command], name: str | None, words: Sequence[str]
) -> None:
    """Run the command of that name; without one the help is shown, and is not what was wanted."""
    if name is None:
        print(page(command, below.values()))
        sys.exit(USAGE)
    if name not in below:
        raise UsageError(f"No such command '{name}'.{meant(name, below)}")
    run_with(words, below[name])
