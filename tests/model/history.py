"""What has happened to all tasks together, for the figures."""

from collections import Counter
from typing import NamedTuple

from app.domain.states import Event, Status
from tests.model.moments import Between, Moment, bounds

RECENT_SECONDS = 300
Edge = tuple[Status | None, Event, Status]


class Ended(NamedTuple):
    """An attempt that counts in the figures of the last minutes."""

    queue: str
    is_done: bool
    at: Moment

    @property
    def forgotten_at(self) -> Between:
        """When it leaves those figures, which are counted by ten seconds."""
        return bounds(self.at).plus(RECENT_SECONDS, RECENT_SECONDS + 10)


class History:
    """What has happened to all tasks together: it outlives them."""

    def __init__(self) -> None:
        self.ended: list[Ended] = []
        self.transitions: Counter[Edge] = Counter()
