"""What stands on the command line as a value: text, a number, one of several words."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

# What a value that is not whole yet may become.
Offer = Callable[[str], Iterable[str]]


class Kind(Protocol):
    """A kind of value."""

    @property
    def label(self) -> str:
        """What stands for it in the help."""

    @property
    def limits(self) -> str:
        """What the help says of its bounds, if it has any."""

    @property
    def offer(self) -> Offer:
        """What a shell completes it to."""

    def of(self, text: str) -> object:
        """The value; ValueError says what is wrong with it."""


def words(*known: str) -> Offer:
    """These words. Others may be good too, if the kind takes them."""
    return lambda incomplete: [word for word in known if word.startswith(incomplete)]


_UNKNOWN: Final = words()


@dataclass(frozen=True)
class Text:
    """Any text."""

    label: str = "TEXT"
    offer: Offer = _UNKNOWN
    limits: str = ""

    def of(self, text: str) -> str:
        """As it is."""
        return text


@dataclass(frozen=True)
class Number:
    """A number, whole or not, of at least and at most that."""

    type: type[int] | type[float]
    least: float = -math.inf
    most: float = math.inf
    label: str = "NUMBER"
    offer: Offer = _UNKNOWN

    @property
    def limits(self) -> str:
        """Such as "1 to 64"."""
        if math.isinf(self.least):
            return ""
        return f"at least {self.least}" if math.isinf(self.most) else f"{self.least} to {self.most}"

    def of(self, text: str) -> float:
        """Finite, whatever the bounds are."""
        try:
            value = self.type(text)
        except ValueError:
            value = math.nan
        if isinstance(value, float) and not math.isfinite(value):
            what = "whole number" if self.type is int else "number"
            raise ValueError(f"{text!r} is not a {what}.")
        if value < self.least:
            raise ValueError(f"{text} is less than {self.least}.")
        if value > self.most:
            raise ValueError(f"{text} is more than {self.most}.")
        return value


@dataclass(frozen=True)
class Ids:
    """Ids of tasks, with commas between them."""

    label: str = "ID,…"
    offer: Offer = _UNKNOWN
    limits: str = ""

    def of(self, text: str) -> list[int]:
        """All of them."""
        one = Number(int, 1)
        return [int(one.of(word)) for word in text.split(",")]


class Choice:
    """One of these words."""

    limits = ""

    def __init__(self, *values: str) -> None:
        self.values = values
        self.label = "|".join(values)
        self.offer = words(*values)

    def of(self, text: str) -> str:
        """The same, if it is one of them."""
        if text not in self.values:
            raise ValueError(f"{text!r} is not one of {', '.join(self.values)}.")
        return text
