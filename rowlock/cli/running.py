"""A command run with the words that were given to it."""

import sys
from collections.abc import Collection, Sequence

from rowlock.cli.commands import Command
from rowlock.cli.exit_codes import USAGE
from rowlock.cli.help import page, program, usage
from rowlock.cli.parser import UsageError, Words, parameters
from rowlock.printable import harmless


def run_with(words: Sequence[str], command: Command, below: Collection[Command] = ()) -> None:
    """Do what the words say. What is wrong with them ends the program, with exit code 2; below
    are the commands that the help of this one lists, where it is no group that has its own."""
    try:
        found = Words(command, words)
        if found.asks_help:
            print(page(command, below or command.below.values()))
            return
        given = parameters(command, found)
        command.function(**given)
    except UsageError as error:
        print(f"Usage: {usage(command)}", file=sys.stderr)
        print(f"Try '{program(command)} --help' for help.\n", file=sys.stderr)
        print(f"Error: {harmless(str(error))}", file=sys.stderr)
        sys.exit(USAGE)
