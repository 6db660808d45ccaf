"""Times that a model cannot know to the microsecond, and documents compared with what it says."""

import json
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.support.calls import Document
from tests.support.elapse import moment

MICROSECOND = timedelta(microseconds=1)

_json = json.JSONEncoder(default=str).encode


class Between(NamedTuple):
    """A moment of which no more is known than between which two it lies, these included."""

    since: datetime
    until: datetime

    def plus(self, seconds: float, most: float | None = None) -> "Between":
        """So many seconds later; or between so many and at most so many."""
        until = seconds if most is None else most
        return Between(
            self.since + timedelta(seconds=seconds), self.until + timedelta(seconds=until)
        )

    def after(self, other: "Moment") -> "Between":
        """The same moment, if it has to be later than another one."""
        since, until = (bound + MICROSECOND for bound in bounds(other))
        return Between(max(self.since, since), max(self.until, until))


Moment = datetime | Between


def bounds(when: Moment) -> Between:
    """Between which two it lies."""
    return when if isinstance(when, Between) else Between(when, when)


def earlier(when: Moment, shift: timedelta) -> Moment:
    """The same moment, seen so much later."""
    if isinstance(when, Between):
        return Between(when.since - shift, when.until - shift)
    return when - shift


def first(one: Moment, other: Moment) -> Between:
    """The earlier of two, whichever it is."""
    return Between(*map(min, zip(bounds(one), bounds(other), strict=True)))


def last(one: Moment, other: Moment) -> Between:
    """The later of two, whichever it is."""
    return Between(*map(max, zip(bounds(one), bounds(other), strict=True)))


def has_come(when: Moment, now: Between) -> bool:
    """Whether it had come by `now`, which is not too close to say."""
    if bounds(when).until <= now.since:
        return True
    assert bounds(when).since > now.until, f"{when} is too close to {now}"
    return False


def agree(expected: Document, found: Document) -> None:
    """What was found is what was expected. From now on the model knows its times for sure."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        if isinstance(value, Between | datetime):
            assert found[name] is not None, f"{name} is not set"
        if isinstance(value, Between):
            when = moment(found[name])
            assert value.since <= when <= value.until, f"{name}: {when} is not within {value}"
            expected[name] = when
        elif isinstance(value, datetime):
            assert moment(found[name]) == value, f"{name}: {found[name]} is not {value}"
        else:
            assert same(found[name], value), f"{name}: {found[name]!r} is not {value!r}"


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON, to the letter."""
    return _json(one) == _json(other)
