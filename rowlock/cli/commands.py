"""What a command is: a name, what can be given to it, and the function that gets it."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final

from rowlock.cli.values import Kind, Text

TEXT: Final = Text()


class Option:
    """What is given by a name of its own, and a value; several times where it is of many.

    What is not on the command line is taken from the first of its environment variables that is
    set and not empty, or is the default; of many the default is none at all.
    """

    def __init__(
        self,
        *names: str,
        about: str,
        to: str | None = None,
        kind: Kind = TEXT,
        default: Any = None,
        env: Sequence[str] = (),
        panel: str = "Options",
        is_many: bool = False,
        is_required: bool = False,
        is_hidden: bool = False,
    ) -> None:
        self.names = names
        # The function's parameter that it goes to.
        self.name = to or names[0].removeprefix("--").replace("-", "_")
        self.about = about
        self.kind = kind
        self.default = default
        self.env = env
        self.panel = panel
        self.is_many = is_many
        self.is_required = is_required
        self.is_hidden = is_hidden

    @property
    def takes_value(self) -> bool:
        """Whether something has to follow its name."""
        return not isinstance(self, Flag)


class Flag(Option):
    """What is given by its name alone: True where it is there."""

    def __init__(self, *names: str, about: str, to: str | None = None) -> None:
        super().__init__(*names, about=about, to=to, default=False)


@dataclass(frozen=True)
class Argument:
    """What is given by its place; of many, all that are left."""

    name: str
    kind: Kind
    about: str = ""
    is_many: bool = False
    is_required: bool = True


HELP: Final = Flag("--help", "-h", about="Show this message and exit.")


@dataclass(frozen=True)
class Command:
    """The function gets each parameter by its name. Where the options come first, what follows
    the first argument is arguments, whatever it looks like. A group has commands below it, by the
    last word of their names."""

    name: str
    panel: str
    parameters: Sequence[Option | Argument]
    function: Callable[..., None]
    about: str
    options_first: bool = False
    below: Mapping[str, "Command"] = field(default_factory=dict)

    @property
    def options(self) -> list[Option]:
        """Its own, then that of help, which each command has."""
        return [*(each for each in self.parameters if isinstance(each, Option)), HELP]

    @property
    def arguments(self) -> list[Argument]:
        """In their order."""
        return [each for each in self.parameters if isinstance(each, Argument)]

    @property
    def summary(self) -> str:
        """The first paragraph of what it is about."""
        return self.about.partition("\n\n")[0]


def command(
    name: str, panel: str, *parameters: Option | Argument, options_first: bool = False
) -> Callable[[Callable[..., None]], Command]:
    """Make a command of a function; its docstring is the help, in paragraphs."""

    def made(function: Callable[..., None]) -> Command:
        about = inspect.getdoc(function) or ""
        return Command(name, panel, parameters, function, about, options_first)

    return made


def commands_of(module: ModuleType) -> Mapping[str, Command]:
    """The commands of a module by their names."""
    return {found.name: found for found in vars(module).values() if isinstance(found, Command)}
