"""The states of a task and the one table of transitions between them.

The code asks this table; `docs/state_machine.md` is checked against it by a test.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class Status(StrEnum):
    """Where a task stands, and who moves it on."""

    TO_DO = "to_do"  # waits; a worker claims it once it is due
    IN_PROGRESS = "in_progress"  # a worker holds it; the worker or the sweep ends the attempt
    DONE = "done"  # final
    PAUSED = "paused"  # management resumes or cancels it
    RETRYING = "retrying"  # waits like to_do, after a failed attempt and its delay
    FAILED = "failed"  # no retries left; management may retry it
    CANCELLED = "cancelled"  # by management, or with what it depends on; may be retried


class Priority(StrEnum):
    """Claimed in this order; the value is what the API shows."""

    HIGH = "高"
    MEDIUM = "中"
    LOW = "低"


RANK: Final = {Priority.HIGH: 0, Priority.MEDIUM: 1, Priority.LOW: 2}


class Event(StrEnum):
    """What can happen to a task."""

    SUBMIT = "submit"
    CLAIM = "claim"
    COMPLETE = "complete"
    FAIL = "fail"
    FAIL_FOR_GOOD = "fail_for_good"
    RELEASE = "release"
    TIME_OUT = "time_out"
    LOSE = "lose"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"
    CASCADE = "cascade"


class Actor(StrEnum):
    """Who causes an event."""

    CLIENT = "client"
    WORKER = "worker"
    SWEEP = "sweep"
    MANAGEMENT = "management"


class Transition(NamedTuple):
    source: Status | None
    event: Event
    actor: Actor
    target: Status


_T, _P, _D = Status.TO_DO, Status.IN_PROGRESS, Status.DONE
_Z, _R, _F, _C = Status.PAUSED, Status.RETRYING, Status.FAILED, Status.CANCELLED

TRANSITIONS: Final = (
    Transition(None, Event.SUBMIT, Actor.CLIENT, _T),
    Transition(_T, Event.CLAIM, Actor.WORKER, _P),
    Transition(_R, Event.CLAIM, Actor.WORKER, _P),
    Transition(_P, Event.COMPLETE, Actor.WORKER, _D),
    Transition(_P, Event.FAIL, Actor.WORKER, _R),
    Transition(_P, Event.FAIL, Actor.WORKER, _F),
    Transition(_P, Event.FAIL_FOR_GOOD, Actor.WORKER, _F),
    Transition(_P, Event.RELEASE, Actor.WORKER, _T),
    Transition(_P, Event.RELEASE, Actor.WORKER, _R),
    Transition(_P, Event.TIME_OUT, Actor.SWEEP, _R),
    Transition(_P, Event.TIME_OUT, Actor.SWEEP, _F),
    Transition(_P, Event.LOSE, Actor.SWEEP, _R),
    Transition(_P, Event.LOSE, Actor.SWEEP, _F),
    Transition(_T, Event.PAUSE, Actor.MANAGEMENT, _Z),
    Transition(_R, Event.PAUSE, Actor.MANAGEMENT, _Z),
    Transition(_Z, Event.RESUME, Actor.MANAGEMENT, _T),
    Transition(_Z, Event.RESUME, Actor.MANAGEMENT, _R),
    Transition(_T, Event.CANCEL, Actor.MANAGEMENT, _C),
    Transition(_R, Event.CANCEL, Actor.MANAGEMENT, _C),
    Transition(_Z, Event.CANCEL, Actor.MANAGEMENT, _C),
    Transition(_P, Event.CANCEL, Actor.MANAGEMENT, _C),
    Transition(_T, Event.CASCADE, Actor.SWEEP, _C),
    Transition(_R, Event.CASCADE, Actor.SWEEP, _C),
    Transition(_Z, Event.CASCADE, Actor.SWEEP, _C),
    Transition(_F, Event.RETRY, Actor.MANAGEMENT, _T),
    Transition(_C, Event.RETRY, Actor.MANAGEMENT, _T),
)

_TARGETS: Final[dict[tuple[Status | None, Event], frozenset[Status]]] = {
    (source, event): frozenset(
        t.target for t in TRANSITIONS if t.source == source and t.event == event
    )
    for source, event, _, _ in TRANSITIONS
}

WAITING: Final = frozenset({Status.TO_DO, Status.RETRYING})
ENDED: Final = frozenset({Status.DONE, Status.FAILED, Status.CANCELLED})


def allows(source: Status | None, event: Event) -> bool:
    """Whether `event` may happen to a task in `source`."""
    return (source, event) in _TARGETS


def targets(source: Status | None, event: Event) -> frozenset[Status]:
    """Where `event` takes a task from `source`; none where it may not happen."""
    return _TARGETS.get((source, event), frozenset())


def leads_to(source: Status | None, event: Event, target: Status) -> bool:
    """Whether the table has this very edge."""
    return target in targets(source, event)


class Backoff(StrEnum):
    """How the delay before a retry grows."""

    EXPONENTIAL = "exponential"
    FIXED = "fixed"
    LINEAR = "linear"


class Outcome(StrEnum):
    """How an attempt ended."""

    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    LOST = "lost"
    RELEASED = "released"
    CANCELLED = "cancelled"


# How each event ends the attempt that it finds running.
OUTCOMES: Final[Mapping[Event, Outcome]] = {
    Event.COMPLETE: Outcome.DONE,
    Event.FAIL: Outcome.FAILED,
    Event.FAIL_FOR_GOOD: Outcome.FAILED,
    Event.RELEASE: Outcome.RELEASED,
    Event.TIME_OUT: Outcome.TIMED_OUT,
    Event.LOSE: Outcome.LOST,
    Event.CANCEL: Outcome.CANCELLED,
}
