"""What was done and looked at on a walk through a machine."""

import time
from collections import Counter

from tests.model.history import Edge


class Tally:
    """Counts, over all examples."""

    def __init__(self) -> None:
        self.seeds: list[int] = []
        self._began = time.monotonic()
        self.examples = 0
        self.steps = 0
        self.counts: Counter[str] = Counter()
        self.transitions: Counter[Edge] = Counter()

    def __str__(self) -> str:
        seconds = time.monotonic() - self._began
        lines = [
            f"{self.steps} steps in {self.examples} examples, {seconds:.0f} s, "
            f"seeds {self.seeds[0]} to {self.seeds[-1]}:",
            *(f"{count:8} {what}" for what, count in sorted(self.counts.items())),
            *sorted(
                f"{count:8} {source or '–'} → {event} → {target}"
                for (source, event, target), count in self.transitions.items()
            ),
        ]
        return "\n".join(lines)
