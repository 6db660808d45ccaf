"""Unique keys: of the tasks of a queue that were submitted with the same one, one holds it at a
time. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final, NamedTuple

HASH_CHARACTERS: Final = 32
# How much longer than by one call alone a task may be put off, if nothing else is said.
LIMIT_FACTOR: Final = 10


class Hold(StrEnum):
    """For how long a task holds its key. In neither case does it take it again."""

    WAITING = "waiting"  # until it is claimed first, or cancelled
    ACTIVE = "active"  # until it has ended


class Conflict(StrEnum):
    """What becomes of a task whose key another one holds."""

    KEEP = "keep"  # that one stays as it is, and is the answer
    REPLACE = "replace"  # that one gets what this one says, and is the answer
    REJECT = "reject"  # it is refused


# Bits of `tasks.flags`.
FLAGS: Final = {Hold.WAITING: 128, Hold.ACTIVE: 256}
WHILE_WAITING: Final = FLAGS[Hold.WAITING]
HOLDS: Final = WHILE_WAITING | FLAGS[Hold.ACTIVE]


class Unique(NamedTuple):
    """What a submission says of its key. With `debounce_seconds` it replaces, and puts off."""

    key: str
    hold: Hold = Hold.WAITING
    conflict: Conflict = Conflict.KEEP
    debounce_seconds: int | None = None
    debounce_limit_seconds: int | None = None

    @property
    def replaces(self) -> bool:
        """Whether the task that holds the key is changed."""
        return self.conflict is Conflict.REPLACE or self.debounce_seconds is not None

    def put_off(
        self, available_at: datetime | None, *, since: datetime, now: datetime
    ) -> datetime | None:
        """When a task that was made at `since` and may be claimed at `available_at` may be."""
        if self.debounce_seconds is None:
            return available_at
        limit = self.debounce_limit_seconds or LIMIT_FACTOR * self.debounce_seconds
        return min(now + timedelta(seconds=self.debounce_seconds), since + timedelta(seconds=limit))


def hash_of(queue: str, key: str) -> str:
    """What stands for a key in a queue: an index of hashes is short, and a list of them a range
    on every server. No queue's name has a NUL."""
    return sha256(f"{queue}\0{key}".encode()).hexdigest()[:HASH_CHARACTERS]
