"""Clients, and the ledger of what they were told."""

import random
import threading
import time
from collections import Counter, defaultdict
from datetime import datetime
from typing import Any, Final, NamedTuple

import httpx

CALL_SECONDS: Final = 15.0
TAGS: Final = ("a", "b", "c")
# What the door may say to these calls of a task's own client; anything else is a fault.
EXPECTED: Final = {
    "GET": {200, 503},
    "PATCH": {200, 503},
    "POST": {200, 201, 503},
    "DELETE": {204, 404, 503},  # 404: again, after an answer that was lost
    "cancel": {200, 409, 503},
}


class Sight(NamedTuple):
    """A task as an answer has shown it."""

    updated_at: datetime
    status: str
    attempt: int


class Ledger:
    """What all clients know together."""

    def __init__(self) -> None:
        self.acknowledged: dict[int, str] = {}
        self.keys_of: dict[str, set[int]] = defaultdict(set)
        self.deleted: set[int] = set()
        self.perhaps_deleted: set[int] = set()
        self.seen: dict[int, set[Sight]] = defaultdict(set)
        self.answers: Counter[str] = Counter()
        self.unexpected: list[str] = []
        self.latencies_ms: list[float] = []


class Client(threading.Thread):
    """Creates, reads, changes, cancels and deletes tasks of its own until told to stop."""

    def __init__(self, number: int, seed: int, urls: list[str], ledger: Ledger) -> None:
        super().__init__(name=f"client-{number}")
        self._number = number
        self._random = random.Random(seed * 1000 + number)
        self._urls = urls
        self._ledger = ledger
        self._ids: list[int] = []
        self._count = 0
        self._http = httpx.Client(timeout=CALL_SECONDS)
        self.stopping = threading.Event()

    def run(self) -> None:
        with self._http:
            try:
                while not self.stopping.is_set():
                    self._act()
                    time.sleep(self._random.uniform(0, 0.02))
            except Exception as error:
                self._ledger.unexpected.append(f"{self.name} ended by {error!r}")
                raise

    def _act(self) -> None:
        dice = self._random.random()
        if dice < 0.5 or not self._ids:
            self._create()
            return
        task_id = self._random.choice(self._ids[-200:])
        if dice < 0.8:
            self._call("GET", f"/tasks/{task_id}")
        elif dice < 0.93:
            changes = {"description": str(dice), "tags": self._random.sample(TAGS, 2)}
            self._call("PATCH", f"/tasks/{task_id}", json=changes)
        elif dice < 0.98:
            self._call("POST", f"/admin/tasks/{task_id}/cancel")
        else:
            self._remove(task_id)

    def _create(self) -> None:
        self._count += 1
        key = f"{self._number}-{self._count}"
        task = {
            "title": key,
            "priority": self._random.choice(("高", "中", "低")),
            "tags": self._random.sample(TAGS, self._random.randrange(3)),
            "timeout_seconds": self._random.randint(2, 6),
            "retry_limit": self._random.randrange(6),
            "retry_delay_seconds": self._random.randrange(2),
            "retry_backoff": "fixed",
        }
        while True:
            answer = self._call("POST", "/tasks", json=task, headers={"Idempotency-Key": key})
            if answer is not None and answer.status_code in (200, 201):
                task_id = answer.json()["id"]
                self._ledger.keys_of[key].add(task_id)
                self._ledger.acknowledged[task_id] = key
                self._ids.append(task_id)
                # Once more, as a client would that has not heard the answer.
                if self._random.random() < 0.05:
                    again = self._call(
                        "POST", "/tasks", json=task, headers={"Idempotency-Key": key}
                    )
                    if again is not None and again.status_code in (200, 201):
                        self._ledger.keys_of[key].add(again.json()["id"])
                return
            if self.stopping.is_set():
                return  # never acknowledged: it may be there or not
            time.sleep(0.1)

    def _remove(self, task_id: int) -> None:
        self._ids.remove(task_id)
        self._ledger.perhaps_deleted.add(task_id)
        while not self.stopping.is_set():
            answer = self._call("DELETE", f"/tasks/{task_id}")
            if answer is not None and answer.status_code in (204, 404):
                self._ledger.deleted.add(task_id)
                return
            time.sleep(0.1)

    def _call(self, method: str, path: str, **options: Any) -> httpx.Response | None:
        began = time.monotonic()
        try:
            answer = self._http.request(method, self._random.choice(self._urls) + path, **options)
        except httpx.HTTPError as error:
            self._ledger.answers[type(error).__name__] += 1
            return None
        finally:
            self._ledger.latencies_ms.append(1000 * (time.monotonic() - began))
        self._ledger.answers[str(answer.status_code)] += 1
        expected = EXPECTED["cancel" if path.endswith("/cancel") else method]
        if answer.status_code not in expected:
            self._ledger.unexpected.append(f"{method} {path}: {answer.status_code} {answer.text}")
        if answer.status_code == 503 and "retry-after" not in answer.headers:
            self._ledger.unexpected.append(f"{method} {path}: 503 without Retry-After")
        if answer.status_code in (200, 201):
            task = answer.json()
            sight = Sight(
                datetime.fromisoformat(task["updated_at"]), task["status"], task["attempt"]
            )
            self._ledger.seen[task["id"]].add(sight)
        return answer
