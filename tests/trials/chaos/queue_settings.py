"""A queue ages by other seconds all the time, while things fail."""

import random
import threading
from typing import Any, Final

import httpx

from tests.trials.chaos.checks import Check

CALL_SECONDS: Final = 15.0
PATH: Final = "/admin/queues/default/settings"
PAUSE_SECONDS: Final = (0.2, 1.0)
# So few seconds that what waits is overdue.
MEDIUM_SECONDS: Final = 1


class QueueSettings(threading.Thread):
    """Sets the queue, no value twice, and looks at what each API shows, until told to stop."""

    def __init__(self, seed: int, urls: list[str]) -> None:
        super().__init__(name="settings")
        self._random = random.Random(seed)
        self._urls = urls
        self._http = httpx.Client(timeout=CALL_SECONDS)
        self._acknowledged: int | None = None
        # Of these nothing was heard; they may come to pass at any time.
        self._perhaps: set[int] = set()
        self._looked_at = 0
        self._stale: list[str] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        low = MEDIUM_SECONDS
        with self._http:
            while not self.stopping.wait(self._random.uniform(*PAUSE_SECONDS)):
                low += 1
                self._perhaps.add(low)
                ages = {"中": MEDIUM_SECONDS, "低": low}
                if self._call("PUT", json={"ageing_seconds": ages}) is not None:
                    self._perhaps.discard(low)
                    self._acknowledged = low
                self._look()

    def check(self) -> Check:
        """What was looked at."""
        return Check(
            "settings that were acknowledged are what every API shows", self._looked_at, self._stale
        )

    def _look(self) -> None:
        found = self._call("GET")
        if found is None or self._acknowledged is None:
            return
        self._looked_at += 1
        shown = found["ageing_seconds"]["低"]
        if shown not in {self._acknowledged, *self._perhaps}:
            self._stale.append(f"{shown} instead of {self._acknowledged} (or {self._perhaps})")

    def _call(self, method: str, **options: Any) -> dict[str, Any] | None:
        try:
            answer = self._http.request(method, self._random.choice(self._urls) + PATH, **options)
        except httpx.HTTPError:
            return None
        if answer.status_code not in (200, 503):
            self._stale.append(f"{method} {PATH}: {answer.status_code} {answer.text}")
        return dict(answer.json()) if answer.is_success else None
