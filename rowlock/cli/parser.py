"""A command line's words made a command's parameters."""

import os
from collections import deque
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from rowlock.cli.commands import HELP, Argument, Command, Option


class UsageError(Exception):
    """What is wrong with a command line, in a sentence."""


class Words:
    """Which of the words are whose, before any of them is looked at."""

    def __init__(self, command: Command, words: Iterable[str]) -> None:
        # Each with its value, if it takes one, in the order in which they came.
        self.given: list[tuple[Option, str]] = []
        self.rest: list[str] = []
        # The option that still lacks its value, by the name that was used.
        self.pending: tuple[str, Option] | None = None
        # Whether what comes next is no option, whatever it looks like.
        self.is_over = False
        self._by_name: Final = {name: each for each in command.options for name in each.names}
        left = deque(words)
        while left:
            word = left.popleft()
            if self.is_over or word == "-" or not word.startswith("-"):
                self.rest.append(word)
                self.is_over = self.is_over or command.options_first
            elif word == "--":
                self.is_over = True
            elif word.startswith("--"):
                self._take_long(word, left)
            else:
                self._take_letters(word, left)

    def _take_long(self, word: str, left: deque[str]) -> None:
        name, has_value, value = word.partition("=")
        option = self._option(name)
        if not has_value:
            self._take(name, option, left)
        elif option.takes_value:
            self.given.append((option, value))
        else:
            raise UsageError(f"Option '{name}' does not take a value.")

    def _take_letters(self, word: str, left: deque[str]) -> None:
        """`-a`, `-aVALUE`, and flags in one word."""
        for place, letter in enumerate(word[1:], 2):
            option = self._option(f"-{letter}")
            if option.takes_value and word[place:]:
                self.given.append((option, word[place:]))
                return
            self._take(f"-{letter}", option, left)

    def _take(self, name: str, option: Option, left: deque[str]) -> None:
        if not option.takes_value:
            self.given.append((option, ""))
        elif left:
            self.given.append((option, left.popleft()))
        else:
            self.pending = (name, option)

    def _option(self, name: str) -> Option:
        if name in self._by_name:
            return self._by_name[name]
        raise UsageError(f"No such option '{name}'.{meant(name, self._by_name)}")

    @property
    def asks_help(self) -> bool:
        """Whether the help is wanted, and nothing else."""
        return any(option is HELP for option, _ in self.given)


def parameters(command: Command, words: Words) -> dict[str, Any]:
    """What the command's function gets; UsageError names what is wrong."""
    if words.pending:
        raise UsageError(f"Option '{words.pending[0]}' requires an argument.")
    texts: Mapping[Option | Argument, list[str]] = {each: [] for each in command.parameters}
    for option, text in words.given:
        texts[option].append(text)
    rest = deque(words.rest)
    for argument in command.arguments:
        while rest and (argument.is_many or not texts[argument]):
            texts[argument].append(rest.popleft())
    if rest:
        raise UsageError(f"Got unexpected extra arguments ({' '.join(rest)})")
    return {each.name: _value(each, found) for each, found in texts.items()}


def hint(parameter: Option | Argument) -> str:
    """A parameter as an error names it."""
    if isinstance(parameter, Option):
        return " / ".join(f"'{name}'" for name in parameter.names)
    return f"'{parameter.kind.label}'"


def meant(name: str, known: Iterable[str]) -> str:
    """A question, where a name that is there is much like that one."""
    found = get_close_matches(name, list(known), 1)
    return f" Did you mean '{found[0]}'?" if found else ""


def _value(parameter: Option | Argument, texts: list[str]) -> Any:
    if isinstance(parameter, Option) and not parameter.takes_value:
        return bool(texts)
    if isinstance(parameter, Option) and not texts:
        texts = [found for name in parameter.env if (found := os.environ.get(name))][:1]
    if parameter.is_required and not texts:
        what = "option" if isinstance(parameter, Option) else "argument"
        raise UsageError(f"Missing {what} {hint(parameter)}.")
    try:
        values = [parameter.kind.of(text) for text in texts]
    except ValueError as error:
        raise UsageError(f"Invalid value for {hint(parameter)}: {error}") from None
    if parameter.is_many:
        return values
    if values:
        return values[-1]
    return parameter.default if isinstance(parameter, Option) else None
