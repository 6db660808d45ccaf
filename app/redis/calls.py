"""What is asked of Redis. Keys are without the deployment's prefix, which is put before them."""

from collections.abc import Sequence
from dataclasses import dataclass

Word = str | bytes | int
Words = Sequence[Word]


@dataclass(frozen=True, slots=True)
class Command:
    """One command; its keys come first, then its arguments."""

    name: str
    keys: Sequence[str] = ()
    arguments: Words = ()

    def words(self, prefix: str) -> Words:
        """As Redis takes it."""
        return (self.name, *[f"{prefix}{key}" for key in self.keys], *self.arguments)


@dataclass(frozen=True, slots=True)
class Script:
    """A script to run: many commands as one, at one moment."""

    text: str
    keys: Sequence[str] = ()
    arguments: Words = ()

    def words(self, prefix: str) -> Words:
        """As Redis takes it."""
        keys = [f"{prefix}{key}" for key in self.keys]
        return ("EVAL", self.text, len(keys), *keys, *self.arguments)


Call = Command | Script
