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
STARTING_SECONDS: Final = 4.0


class Faults:
    """Kills and freezes parts. From the main thread: it starts them again."""

    def __init__(
        self, parts: Mapping[str, Sequence[Part]], seed: int, say: Callable[[str], object]
    ) -> None:
        self._parts = parts
        self._random = random.Random(seed)
        self._say = say
        self.done: Counter[str] = Counter()
        # Parts that ended by themselves. A worker may whose character it is; and who is only
        # starting when MySQL goes says so and ends, for its supervisor to start it again.
        self.fallen: list[str] = []
        self._started_at: dict[str, float] = {}
        self._mysql_gone_at: list[float] = []

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
        self._note(part)
        part.kill()
        seconds = self._random.uniform(*DEAD_SECONDS)
        self._say(f"{part.name} killed for {seconds:.1f} s")
        time.sleep(seconds)
        self._start(part)

    def _freeze(self, part: Part) -> None:
        self._note(part)
        freeze(part)
        seconds = self._random.uniform(*FROZEN_SECONDS)
        self._say(f"{part.name} stopped for {seconds:.1f} s")
        time.sleep(seconds)
        thaw(part)

    def _note(self, part: Part) -> None:
        if part.name == "MySQL":
            self._mysql_gone_at.append(time.monotonic())

    def _start_what_crashed(self) -> None:
        for part in (part for parts in self._parts.values() for part in parts):
            if not part.is_running:
                if not (part.name.endswith("crashing") or self._was_starting(part)):
                    self.fallen.append(part.name)
                self._start(part)

    def _was_starting(self, part: Part) -> bool:
        began = self._started_at.get(part.name, 0.0)
        return any(0 <= gone - began < STARTING_SECONDS for gone in self._mysql_gone_at)

    def _start(self, part: Part) -> None:
        self._started_at[part.name] = time.monotonic()
        part.start()
