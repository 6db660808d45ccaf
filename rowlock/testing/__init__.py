"""Tests of handlers without a server: a task is made up, its attempt is real.

from rowlock import testing

outcome = testing.run(resize, {"path": "a.png"})
assert (outcome.status, outcome.result) == ("done", {"bytes": 1234})
"""

from rowlock.testing.lease import Made, MadeParent
from rowlock.testing.outcome import Outcome
from rowlock.testing.running import RunningHandler, run, run_async, start

__all__ = ["Made", "MadeParent", "Outcome", "RunningHandler", "run", "run_async", "start"]
