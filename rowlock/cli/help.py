"""The pages of `--help`, as wide as the terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rowlock.cli.commands import Argument, Command, Option
from rowlock.cli.terminal import cells, styled, width, wrapped

_WIDEST: Final = 100
_INDENT: Final = 2
_GAP: Final = 2
# Of the width, for the column of names.
_LARGEST_SHARE: Final = 0.4
Entry = tuple[str, str]


def program(command: Command) -> str:
    """What is typed for it."""
    return "rowlock" if command.name == "rowlock" else f"rowlock {command.name}"


def usage(command: Command) -> str:
    """What is typed for it, and what may follow."""
    return " ".join([program(command), "[OPTIONS]", *map(_place, command.arguments)])


def page(command: Command, commands: Iterable[Command] = ()) -> str:
    """All that there is to say of a command, and a line of each that it has below it."""
    room = min(width(), _WIDEST)
    lines = [*_usage_lines(command, room), ""]
    for paragraph in command.about.split("\n\n"):
        lines += [*_indented(wrapped(paragraph, room - _INDENT)), ""]
    for title, entries in _panels(command, commands).items():
        lines += [styled(f"{title}:", "bold"), *_listed(entries, room), ""]
    return "\n".join(lines[:-1])


def _usage_lines(command: Command, room: int) -> list[str]:
    first, *others = wrapped(f"Usage: {usage(command)}", room)
    return [styled(first, "bold"), *_indented(others)]


def _panels(command: Command, commands: Iterable[Command]) -> Mapping[str, list[Entry]]:
    """By their titles, the options in the order in which they first come."""
    found: dict[str, list[Entry]] = {"Arguments": [], "Options": []}
    for argument in command.arguments:
        if argument.about:
            found["Arguments"].append((argument.kind.label, _about(argument)))
    for option in command.options:
        if not option.is_hidden:
            found.setdefault(option.panel, []).append((_call(option), _about(option)))
    for each in commands:
        name = each.name.removeprefix(f"{command.name} ")
        found.setdefault(each.panel, []).append((name, each.summary))
    return {title: entries for title, entries in found.items() if entries}


def _place(argument: Argument) -> str:
    name = argument.kind.label + (" …" if argument.is_many else "")
    return name if argument.is_required else f"[{name}]"


def _call(option: Option) -> str:
    names = ", ".join(sorted(option.names, key=len))
    return f"{names} {option.kind.label}" if option.takes_value else names


def _about(parameter: Option | Argument) -> str:
    more = [parameter.kind.limits]
    if isinstance(parameter, Option):
        if parameter.default not in (None, False, ""):
            more.append(f"default: {parameter.default}")
        if parameter.env:
            more.append(f"env: {', '.join(parameter.env)}")
        if parameter.is_required:
            more.append("required")
    said = "; ".join(filter(None, more))
    return f"{parameter.about} [{said}]" if said else parameter.about


def _listed(entries: Sequence[Entry], room: int) -> list[str]:
    """In two columns; a name that is too long for the first has lines of its own."""
    widths = [cells(name) for name, _ in entries]
    left = max([each for each in widths if each <= room * _LARGEST_SHARE], default=0)
    margin = " " * (_INDENT + left + _GAP)
    lines = []
    for (name, about), taken in zip(entries, widths, strict=True):
        told = wrapped(about, room - len(margin))
        if taken <= left:
            first = styled(name, "cyan") + " " * (left - taken + _GAP) + "".join(told[:1])
            lines += _indented([first.rstrip()])
            told = told[1:]
        else:
            lines += _indented(styled(part, "cyan") for part in wrapped(name, room - _INDENT))
        lines += [margin + line for line in told]
    return lines


def _indented(lines: Iterable[str]) -> list[str]:
    return [" " * _INDENT + line for line in lines]
