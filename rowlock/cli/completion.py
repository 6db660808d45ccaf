"""What a word that is being typed may become."""

from collections.abc import Iterator, Mapping, Sequence

from rowlock.cli.commands import Command
from rowlock.cli.parser import UsageError, Words

# With what the help says of it.
Candidate = tuple[str, str]


def candidates(
    root: Command, commands: Mapping[str, Command], words: Sequence[str], incomplete: str
) -> list[Candidate]:
    """After these words of a command line, without the program's name. None where they are no
    command line."""
    try:
        found = Words(root, words)
        if not found.rest and not incomplete.startswith("-"):
            names = [name for name in commands if name.startswith(incomplete)]
            return [(name, commands[name].summary) for name in names]
        if not found.rest:
            return list(_names(root, found, incomplete))
        name, *words = found.rest
        if name not in commands:
            return []
        command = commands[name]
        if command.below:
            return candidates(command, command.below, words, incomplete)
        return list(_of(command, Words(command, words), incomplete))
    except UsageError:
        return []


def _of(command: Command, found: Words, incomplete: str) -> Iterator[Candidate]:
    if found.pending:
        _, option = found.pending
        yield from ((value, "") for value in option.kind.offer(incomplete))
    elif found.is_over or not incomplete.startswith("-"):
        yield from ((value, "") for value in _argument(command, found, incomplete))
    elif "=" in incomplete:
        name, _, part = incomplete.partition("=")
        for option in command.options:
            if name in option.names:
                yield from ((f"{name}={value}", "") for value in option.kind.offer(part))
    else:
        yield from _names(command, found, incomplete)


def _argument(command: Command, found: Words, incomplete: str) -> Iterator[str]:
    place = len(found.rest)
    for number, argument in enumerate(command.arguments):
        if number == place or argument.is_many:
            yield from argument.kind.offer(incomplete)
            return


def _names(command: Command, found: Words, incomplete: str) -> Iterator[Candidate]:
    """Of the options that may still be given."""
    given = {option for option, _ in found.given}
    for option in command.options:
        if option.is_hidden or (option in given and not option.is_many):
            continue
        for name in option.names:
            if name.startswith(incomplete):
                yield name, option.about
