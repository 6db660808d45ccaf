"""The command `rowlock`.

A command's module is loaded when the command is asked for, and all of them for `--help`. Others
add commands by entry points of the group `rowlock.commands`: the entry point's name is the
command's, its object the `typer.Typer` that has it. The server's come from `rowlock-server`.
"""

from collections import UserDict
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_group

import rowlock

_OWN: Final = {
    "tasks": ("submit", "list", "show", "wait", "patch", "delete"),
    "import_export": ("import", "export"),
    "management": ("pause", "resume", "cancel", "retry", "queues"),
    "figures": ("stats",),
    "worker": ("worker",),
    "run": ("run",),
}


class _Commands(UserDict[str, Any]):
    """Commands by name, each loaded when it is looked up."""

    def __init__(self) -> None:
        super().__init__({e.name: e.load for e in entry_points(group="rowlock.commands")})
        for module, names in _OWN.items():
            self.data |= dict.fromkeys(names, partial(_app_of, module))

    def __getitem__(self, name: str) -> Any:
        load: Callable[[], typer.Typer] = self.data[name]
        return get_group(load()).commands[name]


class _Root(TyperGroup):
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands()


def _app_of(module: str) -> typer.Typer:
    found: typer.Typer = import_module(f"{__name__}.{module}").app
    return found


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"rowlock {rowlock.__version__}")
        raise typer.Exit


app = typer.Typer(
    name="rowlock",
    cls=_Root,
    help="Background tasks for people who already run MySQL.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; faults are one sentence on stderr and exit code 1."""
    app(prog_name="rowlock")
