"""A worker of some character: `python -m tests.trials.chaos.workers KIND NAME NOTES URL …`.

It notes each answer to a finish, once it has it.
"""

import json
import math
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import httpx

from tests.trials.chaos.limits import QUEUES

LEASE_SECONDS: Final = 5
CALL_SECONDS: Final = 15.0
# Of what has to be heard before the lease is over, by one API if not by the other.
BEAT_SECONDS: Final = 1.0

AFTER: Final = "after "
# The task that it depends on may fail, or fail for now.
_RUNS: Final = {"on_parent_failure": "run"}

Lease = dict[str, Any]


class Worker:
    """Claims a few tasks at a time, and treats them as its kind does."""

    def __init__(self, kind: str, name: str, notes: str, urls: list[str]) -> None:
        self._kind = kind
        self._name = name
        self._notes = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._urls = urls
        self._http = httpx.Client(timeout=CALL_SECONDS)
        self._held: set[str] = set()

    def run(self) -> None:
        """Until killed."""
        treat: Callable[[Lease], None] = getattr(self, f"_{self._kind}")
        claim = {
            "worker": self._name,
            "limit": 4,
            "wait_seconds": 2,
            "lease_seconds": LEASE_SECONDS,
            "queues": ["default", *QUEUES],
        }
        if self._kind == "patient":
            claim["queues"] = ["patient"]
            threading.Thread(target=self._beat, daemon=True).start()
        while True:
            answer = self._try("/leases", claim)
            if answer is None or not answer.is_success:
                time.sleep(0.2)
                continue
            leases = answer.json()
            self._held |= {lease["lease_id"] for lease in leases}
            for lease in leases:
                self._note(lease, "claim", answer.status_code)
            for lease in leases:
                treat(lease)

    def _well(self, lease: Lease) -> None:
        time.sleep(random.uniform(0.005, 0.05))
        dice = random.random()
        if dice < 0.1:
            self._finish(lease, "fail", {"error": "it broke", "submit": _next(lease)})
        elif dice < 0.12:
            failed = {"error": "never", "retryable": False, "submit": _next(lease)}
            self._finish(lease, "fail", failed)
        elif dice < 0.15:
            self._finish(lease, "release", None)
        else:
            self._finish(lease, "complete", {"result": self._name, "submit": _next(lease)})

    def _patient(self, lease: Lease) -> None:
        """Work that may be longer than its lease, with heartbeats until its end has been heard,
        however long the APIs are away."""
        is_long = random.random() < 0.15
        time.sleep(random.uniform(LEASE_SECONDS, 9) if is_long else random.uniform(0.05, 0.5))
        self._finish(lease, "complete", {"result": self._name}, patience_seconds=math.inf)
        self._held.discard(lease["lease_id"])

    def _beat(self) -> None:
        with httpx.Client(timeout=BEAT_SECONDS) as http:
            while True:
                time.sleep(BEAT_SECONDS)
                for lease_id in list(self._held):
                    for url in random.sample(self._urls, len(self._urls)):
                        try:
                            answer = http.post(f"{url}/leases/{lease_id}/heartbeat")
                        except httpx.HTTPError:
                            continue
                        if answer.is_success or answer.is_client_error:
                            break

    def _slow(self, lease: Lease) -> None:
        """Beyond the task's time-out, with heartbeats, and then it wants to complete."""
        until = time.monotonic() + lease["task"]["timeout_seconds"] + 0.5
        while time.monotonic() < until:
            self._try(f"/leases/{lease['lease_id']}/heartbeat", {"progress": self._name})
            time.sleep(0.5)
        self._finish(lease, "complete", {"result": self._name})

    def _crashing(self, _lease: Lease) -> None:
        os._exit(1)

    def _silent(self, _lease: Lease) -> None:
        """Never heard of again."""

    def _twice(self, lease: Lease) -> None:
        for _ in range(2):
            self._finish(lease, "complete", {"result": self._name, "submit": _next(lease)})

    def _late(self, lease: Lease) -> None:
        """After its lease has run out, without a heartbeat."""
        time.sleep(LEASE_SECONDS + 1.5)
        self._finish(lease, "complete", {"result": self._name, "submit": _next(lease)})

    def _finish(
        self, lease: Lease, ending: str, body: Any, *, patience_seconds: float = 20
    ) -> None:
        """Until it is answered, or pointless."""
        give_up_at = time.monotonic() + patience_seconds
        while time.monotonic() < give_up_at:
            answer = self._try(f"/leases/{lease['lease_id']}/{ending}", body)
            if answer is not None and answer.status_code != 503:
                submitted = answer.json().get("submitted") if answer.is_success else None
                self._note(lease, ending, answer.status_code, submitted=submitted)
                return
            time.sleep(0.1)

    def _note(
        self, lease: Lease, ending: str, status: int, *, submitted: list[int] | None = None
    ) -> None:
        note = {
            "worker": self._name,
            "task": lease["task"]["id"],
            "attempt": lease["attempt"],
            "lease": lease["lease_id"],
            "ending": ending,
            "status": status,
            "submitted": submitted,
        }
        os.write(self._notes, json.dumps(note).encode() + b"\n")

    def _try(self, path: str, body: Any) -> httpx.Response | None:
        url = random.choice(self._urls) + path
        try:
            return self._http.post(url) if body is None else self._http.post(url, json=body)
        except httpx.HTTPError:
            return None


def _next(lease: Lease) -> list[dict[str, Any]]:
    """What comes of a client's task, of some, the same however often it is asked; and nothing of
    that."""
    is_one = lease["lease_id"][-1] in "0123"
    if not is_one or lease["task"]["title"].startswith(AFTER):
        return []
    task = {"title": AFTER + lease["lease_id"], "timeout_seconds": 3, "retry_delay_seconds": 1}
    return [task | {"tags": ["after"], "depends_on": [lease["task"]["id"]], **_RUNS}]


if __name__ == "__main__":
    Worker(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]).run()
