"""What both machines have in common."""

import sys
from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant
from hypothesis.strategies._internal.featureflags import FeatureFlags

from tests.model.world import World


class Walker(RuleBasedStateMachine):
    """Goes through a world of its own."""

    def __init__(self, world: Callable[[], World]) -> None:
        super().__init__()
        # Every operation in every example. Hypothesis would leave out some: each of so many needs
        # others before it, and would seldom come to anything.
        self._rules_strategy.enabled_rules_strategy = st.just(FeatureFlags())
        self.world = world()

    @invariant()
    def look(self) -> None:
        """After every step."""
        self.world.tally.steps += 1

    def teardown(self) -> None:
        if error := sys.exc_info()[1]:
            error.add_note("\n".join(self.world.trail))
        self.world.close()
