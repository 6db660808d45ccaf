"""When a rule comes: a cron expression on the wall clock of a zone, or an interval. Pure.

Times are naive UTC. The rule for the hours that a wall clock skips or shows twice is
`_pieces`, and nowhere else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from app.domain.cron import Cron
from app.domain.zones import END_OF_TIME, EPOCH, stretches

# What does not come for so long is taken never to come.
HORIZON: Final = timedelta(days=3653)

_SECOND: Final = timedelta(seconds=1)
_HORIZON_SECONDS: Final = HORIZON // _SECOND
# No two offsets are further apart: what was on the wall before cannot be there again.
_LOOK_BACK_SECONDS: Final = 2 * 86_400


class _Piece(NamedTuple):
    """Times on the wall, which are `offset` ahead of UTC; or, with `lands`, times that were skipped
    and of which one at least is named: all of those come at that instant."""

    begin: int
    end: int
    offset: int
    lands: int | None = None


@dataclass(frozen=True, slots=True)
class CronRule:
    """A cron expression in a zone."""

    cron: Cron
    zone: ZoneInfo

    def after(self, instant: datetime) -> Iterator[datetime]:
        """Those after the instant, until none comes for ten years."""
        last = _floor(instant)
        begin, end = last + 1, last + _HORIZON_SECONDS
        while begin < end:
            for piece in self._pieces(begin, end):
                for last in self._within(piece):
                    yield EPOCH + last * _SECOND
            begin, end = end, last + _HORIZON_SECONDS

    def backwards(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Those after the one and up to the other, the newest first."""
        for piece in reversed([*self._pieces(_floor(after) + 1, _floor(until) + 1)]):
            for instant in self._within(piece, backwards=True):
                yield EPOCH + instant * _SECOND

    def count(self, after: datetime, until: datetime) -> int:
        """How many are after the one and up to the other; exact, without a look at each."""
        pieces = self._pieces(_floor(after) + 1, _floor(until) + 1)
        return sum(
            self.cron.count(piece.begin, piece.end) if piece.lands is None else 1
            for piece in pieces
        )

    def _within(self, piece: _Piece, *, backwards: bool = False) -> Iterator[int]:
        if piece.lands is not None:
            yield piece.lands
            return
        walk = self.cron.within_backwards if backwards else self.cron.within
        yield from (wall - piece.offset for wall in walk(piece.begin, piece.end))

    def _any(self, begin: int, end: int) -> bool:
        return next(self.cron.within(begin, end), None) is not None

    def _pieces(self, begin: int, end: int) -> Iterator[_Piece]:
        """What the wall clock shows from begin to end, as far as the rule looks at it.

        An expression that names times runs once for each such time on the wall: in a gap at the
        first instant after it, in a repeated hour the first time only. Any other follows the wall
        clock: what does not exist is left out, what exists twice runs twice.
        """
        if not self.cron.names_times:
            for stretch in stretches(self.zone, begin, end):
                yield _Piece(*_shown(stretch.begin, stretch.end, stretch.offset), stretch.offset)
            return
        seen: int | None = None  # all up to here has been on the wall, or was skipped
        for stretch in stretches(self.zone, begin - _LOOK_BACK_SECONDS, end):
            shown, gone = _shown(stretch.begin, stretch.end, stretch.offset)
            fresh = shown if seen is None else max(shown, seen)
            if seen is not None and stretch.begin >= begin and self._any(seen, shown):
                yield _Piece(seen, shown, stretch.offset, lands=stretch.begin)
                fresh += 1  # at that instant it runs already
            fresh = max(fresh, begin + stretch.offset)
            if fresh < gone:
                yield _Piece(fresh, gone, stretch.offset)
            seen = gone if seen is None else max(seen, gone)


@dataclass(frozen=True, slots=True)
class IntervalRule:
    """Each so many seconds, counted from the anchor in both directions, whatever a clock shows."""

    seconds: int
    anchor: datetime

    def after(self, instant: datetime) -> Iterator[datetime]:
        """Those after the instant."""
        turn = self._turns(instant) + 1
        while (occurrence := self._occurrence(turn)) is not None:
            yield occurrence
            turn += 1

    def backwards(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Those after the one and up to the other, the newest first."""
        for turn in range(self._turns(min(until, END_OF_TIME)), self._turns(after), -1):
            occurrence = self._occurrence(turn)
            assert occurrence is not None
            yield occurrence

    def count(self, after: datetime, until: datetime) -> int:
        """How many are after the one and up to the other."""
        return max(self._turns(min(until, END_OF_TIME)) - self._turns(after), 0)

    def _turns(self, instant: datetime) -> int:
        return (instant - self.anchor) // (self.seconds * _SECOND)

    def _occurrence(self, turn: int) -> datetime | None:
        distance = turn * self.seconds
        if distance > (END_OF_TIME - self.anchor) // _SECOND:
            return None
        return self.anchor + distance * _SECOND


def _floor(instant: datetime) -> int:
    return (instant - EPOCH) // _SECOND


def _shown(begin: int, end: int, offset: int) -> tuple[int, int]:
    return begin + offset, end + offset
