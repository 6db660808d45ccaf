"""How far, and which way."""

import asyncio
import random
from collections.abc import Callable

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from sqlalchemy import Engine

from app.settings import Settings
from tests.model.tally import Tally
from tests.model.world import World

STEPS_AT_A_TIME = 125
# Hypothesis makes its first ten examples anew, and later ones for the most part of those before:
# good for values, but not for a long way on which each step needs others.
EXAMPLES_BY_A_SEED = 9
# What every change has to pass: always the same steps, so that what fails fails again.
STEPS, SEED = 3000, 1

Machine = Callable[[Callable[[], World]], RuleBasedStateMachine]
Go = Callable[[Machine], Tally]


def pytest_addoption(parser: pytest.Parser) -> None:
    """For `make model`, which names this directory; elsewhere there are none."""
    group = parser.getgroup("model")
    group.addoption("--steps", type=int, help="steps of each machine, in other examples each time")
    group.addoption("--seed", type=int, help="the first seed, of which the examples are made")


@pytest.fixture
def go(
    settings: Settings,
    engine: Engine,
    capsys: pytest.CaptureFixture[str],
    pytestconfig: pytest.Config,
) -> Go:
    """Goes through a machine, through so many steps. Where they are asked for by number, a
    failure is made as short as can be, and it is told what was done."""
    asked: int | None = pytestconfig.getoption("steps", None)
    seed: int | None = pytestconfig.getoption("seed", None)
    if seed is None:
        seed = SEED if asked is None else random.randrange(10**6)
    examples = -(-(asked or STEPS) // STEPS_AT_A_TIME)
    plan = hypothesis.settings(
        max_examples=EXAMPLES_BY_A_SEED,
        stateful_step_count=STEPS_AT_A_TIME,
        phases=(Phase.generate,) if asked is None else (Phase.generate, Phase.shrink),
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )

    def go(machine: Machine) -> Tally:
        tally = Tally()
        try:
            with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
                while tally.examples < examples:
                    tally.seeds.append(seed + len(tally.seeds))

                    @hypothesis.seed(tally.seeds[-1])
                    def begun() -> RuleBasedStateMachine:
                        return machine(lambda: World(runner, settings, engine, tally))

                    run_state_machine_as_test(begun, settings=plan)  # type: ignore[arg-type]
        finally:
            if asked is not None:
                with capsys.disabled():
                    print(f"\n{machine.__name__}: {tally}")
        return tally

    return go
