"""Faults, one after the other, as the seed says."""

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tests.chaos.parts import Part, freeze, thaw

BETWEEN_SECONDS: Final = (0.3, 1.5)
DEAD_SECONDS: Final = (0.1, 2.0)
# Longer than any of the platform's own time-outs, at times.
FROZEN_SECONDS: Final = (0.5, 7.0)


class Faults:
    """Kills and freezes parts. From the main thread: it starts them again."""

    def __init__(
        self, parts: Mapping[str, Sequence[Part]], seed: int, say: Callable[[str], object]
    ) -> None:
        self._parts = parts
        self._random = random.Random(seed)
        self._say = say
        self.done: Counter[str] = Counter()
        # Parts that ended by themselves, which a worker may whose character it is.
        self.fallen: list[str] = []

    def run(self, seconds: float) -> None:
        """So long; everything runs at the end."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(self._random.uniform(*BETWEEN_SECONDS))
            kind = self._random.choice(sorted(self._parts))
            part = self._random.choice(self._parts[kind])
            is_fatal = self._random.random() < 0.5
            self._start_what_crashed()
            if is_fatal:
                self._kill(part)
            else:
                self._freeze(part)
            self.done[f"{kind} {'killed' if is_fatal else 'stopped'}"] += 1

    def _kill(self, part: Part) -> None:
        part.kill()
        seconds = self._random.uniform(*DEAD_SECONDS)
        self._say(f"{part.name} killed for {seconds:.1f} s")
        time.sleep(seconds)
        part.start()

    def _freeze(self, part: Part) -> None:
        freeze(part)
        seconds = self._random.uniform(*FROZEN_SECONDS)
        self._say(f"{part.name} stopped for {seconds:.1f} s")
        time.sleep(seconds)
        thaw(part)

    def _start_what_crashed(self) -> None:
        for part in (part for parts in self._parts.values() for part in parts):
            if not part.is_running:
                if not part.name.endswith("crashing"):
                    self.fallen.append(part.name)
                part.start()
