"""Clients, and the ledger of what they were told."""

import random
import threading
import time
from collections import Counter, defaultdict
from datetime import datetime
from typing import Any, Final, NamedTuple

import httpx

CALL_SECONDS: Final = 15.0
PATIENT_SHARE: Final = 0.04
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
        # While one API alone has lost Redis, and as long after as an answer may be kept, another
        # one may answer from what it has cached (docs/reliability.md).
        self.apart_until = 0.0
        self.reads_after_write = 0
        self.stale: list[str] = []
        self.acknowledged: dict[int, str] = {}
        self.keys_of: dict[str, set[int]] = defaultdict(set)
        self.deleted: set[int] = set()
        self.perhaps_deleted: set[int] = set()
        self.seen: dict[int, set[Sight]] = defaultdict(set)
        self.answers: Counter[str] = Counter()
        self.unexpected: list[str] = []
        self.latencies_ms: list[float] = []


class Written:
    """What a client has written to a task of its own."""

    def __init__(self) -> None:
        self.acknowledged: str | None = None
        self.url = ""
        # Of these it has not heard; they may come to pass at any time.
        self.perhaps: set[str] = set()


class Client(threading.Thread):
    """Creates, reads, changes, cancels and deletes tasks of its own until told to stop."""

    def __init__(self, number: int, seed: int, urls: list[str], ledger: Ledger) -> None:
        super().__init__(name=f"client-{number}")
        self._number = number
        self._random = random.Random(seed * 1000 + number)
        self._urls = urls
        self._ledger = ledger
        self._ids: list[int] = []
        self._written: dict[int, Written] = {}
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
        if dice < 0.75:
            self._read(task_id)
        elif dice < 0.93:
            self._change(task_id, str(dice))
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
        if is_patient := self._random.random() < PATIENT_SHARE:
            # Only its lease can end an attempt at it.
            task |= {"queue": "patient", "timeout_seconds": 3600}
        while True:
            answer = self._call("POST", "/tasks", json=task, headers={"Idempotency-Key": key})
            if answer is not None and answer.status_code in (200, 201):
                task_id = answer.json()["id"]
                self._ledger.keys_of[key].add(task_id)
                self._ledger.acknowledged[task_id] = key
                if not is_patient:
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

    def _read(self, task_id: int) -> None:
        """The task, or a list with nothing else in it, has to show what was written to it."""
        url = self._random.choice(self._urls)
        written = self._written.get(task_id)
        is_apart = time.monotonic() < self._ledger.apart_until
        path = self._random.choice((f"/tasks/{task_id}", f"/tasks?id={task_id}"))
        answer = self._call("GET", path, url=url)
        if written is None or answer is None or answer.status_code != httpx.codes.OK:
            return
        is_apart |= time.monotonic() < self._ledger.apart_until
        if written.acknowledged is None or (is_apart and written.url != url):
            return
        self._ledger.reads_after_write += 1
        shown = _tasks(answer)[0]["description"] if _tasks(answer) else "nothing"
        if shown not in {written.acknowledged, *written.perhaps}:
            self._ledger.stale.append(
                f"GET {path} of {url}: {shown} instead of {written.acknowledged}, which "
                f"{written.url} had acknowledged (or {written.perhaps})"
            )

    def _change(self, task_id: int, description: str) -> None:
        written = self._written.setdefault(task_id, Written())
        changes = {"description": description, "tags": self._random.sample(TAGS, 2)}
        url = self._random.choice(self._urls)
        answer = self._call("PATCH", f"/tasks/{task_id}", url=url, json=changes)
        if answer is None or answer.status_code != httpx.codes.OK:
            written.perhaps.add(description)
            return
        written.acknowledged, written.url = description, url
        self._read(task_id)

    def _remove(self, task_id: int) -> None:
        self._ids.remove(task_id)
        self._ledger.perhaps_deleted.add(task_id)
        while not self.stopping.is_set():
            answer = self._call("DELETE", f"/tasks/{task_id}")
            if answer is not None and answer.status_code in (204, 404):
                self._ledger.deleted.add(task_id)
                return
            time.sleep(0.1)

    def _call(
        self, method: str, path: str, *, url: str | None = None, **options: Any
    ) -> httpx.Response | None:
        began = time.monotonic()
        try:
            target = (url or self._random.choice(self._urls)) + path
            answer = self._http.request(method, target, **options)
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
            for task in _tasks(answer):
                sight = Sight(
                    datetime.fromisoformat(task["updated_at"]), task["status"], task["attempt"]
                )
                self._ledger.seen[task["id"]].add(sight)
        return answer


def _tasks(answer: httpx.Response) -> list[dict[str, Any]]:
    found = answer.json()
    return found if isinstance(found, list) else [found]
