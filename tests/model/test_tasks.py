"""All operations in any order, on two API processes and a scheduler, against a model: every
answer is what it says, every document, every figure.

`make model` takes many more."""

import pytest

from app.domain.schedule import Outcome
from app.domain.states import Event
from tests.model.admin_rules import AdminRules
from tests.model.ageing_rules import AgeingRules
from tests.model.conftest import STEPS, Go
from tests.model.successor_rules import SuccessorRules
from tests.model.time_rules import TimeRules


class TaskMachine(SuccessorRules, AgeingRules, AdminRules, TimeRules):
    """Clients, workers, management and time."""


@pytest.mark.timeout(0)
def test_every_answer_is_what_the_model_says(go: Go) -> None:
    tally = go(TaskMachine)

    if tally.steps >= STEPS:
        assert {event for _, event, _ in tally.transitions} == set(Event)
        assert {f"occurrence {outcome}" for outcome in Outcome} <= set(tally.counts)
