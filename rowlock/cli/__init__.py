"""The command `rowlock`.

A command's module is loaded when the command is asked for, and all of them for `--help`. Others
add commands by entry points of the group `rowlock.commands`: the entry point's name is the
command's, its object the `Command`. The server's come from `rowlock-server`.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Final

import rowlock
from rowlock.cli.commands import Command, Flag, command, commands_of
from rowlock.cli.exit_codes import FAILED, INTERRUPTED
from rowlock.cli.groups import BELOW, run_below
from rowlock.cli.running import run_with

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_OWN: Final = {
    "tasks": ("submit", "list", "count", "show", "wait", "patch"),
    "why": ("why",),
    "dependencies": ("dependencies",),
    "import_export": ("import", "export"),
    "management": ("pause", "resume", "cancel", "retry", "delete", "queues"),
    "queue": ("queue",),
    "figures": ("stats",),
    "history": ("history",),
    "schedule": ("schedule",),
    "workers": ("workers",),
    "system": ("processes", "findings", "me"),
    "worker": ("worker",),
    "run": ("run",),
    "shells": ("completion",),
}
_MODULES: Final = {name: module for module, names in _OWN.items() for name in names}
_WHERE_SHELLS_ASK: Final = "_ROWLOCK_COMPLETE"


class _Commands(Mapping[str, Command]):
    """By their names, each loaded when it is looked up; the others' first."""

    def __getitem__(self, name: str) -> Command:
        if name in _MODULES:
            return commands_of(import_module(f"{__name__}.{_MODULES[name]}"))[name]
        found: Command = self._others[name].load()
        return found

    def __contains__(self, name: object) -> bool:
        return name in _MODULES or name in self._others

    def __iter__(self) -> Iterator[str]:
        yield from self._others
        yield from _MODULES

    def __len__(self) -> int:
        return len(self._others) + len(_MODULES)

    @cached_property
    def _others(self) -> dict[str, "EntryPoint"]:
        # It takes longer than all the rest.
        from importlib.metadata import entry_points  # noqa: PLC0415

        found = entry_points(group="rowlock.commands")
        return {each.name: each for each in found if each.name not in _MODULES}


COMMANDS: Final = _Commands()


@command(
    "rowlock",
    "",
    Flag("--version", about="Show the version and exit."),
    *BELOW,
    options_first=True,
)
def _root(*, version: bool, name: str | None, words: list[str]) -> None:
    """Background tasks for people who already run MySQL."""
    if version:
        print(f"rowlock {rowlock.__version__}")
    else:
        run_below(_root, COMMANDS, name, words)


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line, that of the process if none is given; faults are one sentence on
    stderr and exit code 1."""
    try:
        if asked := os.environ.get(_WHERE_SHELLS_ASK):
            from rowlock.cli.shells import answer  # noqa: PLC0415  (hardly ever needed)

            answer(_root, COMMANDS, asked)
        else:
            run_with(sys.argv[1:] if words is None else words, _root, COMMANDS.values())
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read it has gone. Else Python would try again at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
