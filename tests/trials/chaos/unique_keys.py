"""Many tasks of few unique keys, while things fail."""

import random
import threading
import time
from typing import Any, Final

import httpx
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from tests.trials.chaos.checks import Check

CALL_SECONDS: Final = 15.0
KEYS: Final = 5
# One statement, and so one snapshot: who holds which key, by the tasks and by the keys.
HOLDERS: Final = """
SELECT 'task', unique_key, id FROM tasks
WHERE flags & 128 AND status IN ('to_do', 'paused') AND attempt = 0
    OR flags & 256 AND status IN ('to_do', 'paused', 'retrying', 'in_progress')
UNION ALL
SELECT 'key', unique_key, task_id FROM unique_keys LEFT JOIN tasks ON id = task_id
"""


class UniqueKeys(threading.Thread):
    """Submits tasks, in every way to find a key held, and looks who holds each, until told to
    stop."""

    def __init__(self, number: int, seed: int, urls: list[str], engine: Engine) -> None:
        super().__init__(name=f"unique-keys-{number}")
        self._number = number
        self._random = random.Random(f"{seed} {number}")
        self._urls = urls
        self._engine = engine
        self._http = httpx.Client(timeout=CALL_SECONDS)
        self.looked_at = 0
        self.broken: list[str] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        with self._http:
            count = 0
            while not self.stopping.is_set():
                count += 1
                self._submit(f"shared-{self._number}-{count}")
                try:
                    with self._engine.connect() as connection:
                        self._look(connection)
                except DBAPIError:
                    time.sleep(0.1)

    def _submit(self, title: str) -> None:
        unique: dict[str, Any] = {"key": f"key-{self._random.randrange(KEYS)}"}
        way = self._random.choice(["keep", "replace", "reject", "debounce"])
        unique |= {"debounce_seconds": 1} if way == "debounce" else {"conflict": way}
        if way != "debounce":
            unique["while"] = self._random.choice(["waiting", "active"])
        headers = {"Idempotency-Key": title} if self._random.random() < 0.5 else {}
        body = {"title": title, "timeout_seconds": 3, "retry_delay_seconds": 1, "unique": unique}
        try:
            answer = self._http.post(
                f"{self._random.choice(self._urls)}/tasks", json=body, headers=headers
            )
        except httpx.HTTPError:
            return
        if answer.status_code not in (200, 201, 409, 503):
            self.broken.append(f"POST /tasks: {answer.status_code} {answer.text}")

    def _look(self, connection: Connection) -> None:
        found = connection.execute(text(HOLDERS)).all()
        by_task = sorted((key, task_id) for where, key, task_id in found if where == "task")
        by_key = sorted((key, task_id) for where, key, task_id in found if where == "key")
        self.looked_at += 1
        if by_task != by_key or len({key for key, _ in by_task}) < len(by_task):
            self.broken.append(f"by the tasks {by_task}, by the keys {by_key}")


def checked(threads: list[UniqueKeys], connection: Connection) -> Check:
    """At every look, and that nothing is left."""
    broken = [each for thread in threads for each in thread.broken]
    left = connection.execute(text("SELECT COUNT(*) FROM unique_keys")).scalar_one()
    if left:
        broken.append(f"{left} keys are left")
    looked_at = sum(thread.looked_at for thread in threads)
    return Check("a unique key has one holder, and none is left", looked_at, broken)
