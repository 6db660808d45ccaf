"""What has to be there before an attack."""

from collections.abc import Callable
from typing import NamedTuple

import httpx

LARGE_TASKS = 64
LARGE = "x" * 250_000
# As many results of that size as a call may carry.
AT_ONCE = 60


class Doors(NamedTuple):
    """With their tokens."""

    client: httpx.Client
    worker: httpx.Client


# The ids of the tasks that it has made.
Prepare = Callable[[Doors], list[int]]


def large_tasks(queue: str) -> Prepare:
    """Of a quarter of a megabyte each."""

    def prepare(doors: Doors) -> list[int]:
        task = {"title": "t", "queue": queue, "payload": LARGE}
        ids = []
        for _ in range(LARGE_TASKS // 8):
            answer = doors.client.post("/tasks/batch", json={"tasks": [task] * 8})
            ids += [made["id"] for made in answer.raise_for_status().json()]
        return ids

    return prepare


def large_results(key: str, batch: bytes, queue: str) -> Prepare:
    """A batch stored under this key, all of whose tasks have results as large."""

    def prepare(doors: Doors) -> list[int]:
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        answer = doors.client.post("/tasks/batch", content=batch, headers=headers)
        ids = [made["id"] for made in answer.raise_for_status().json()]
        claim = {"worker": "w", "queues": [queue], "limit": AT_ONCE}
        while leases := doors.worker.post("/leases", json=claim).raise_for_status().json():
            finishes = [
                {"lease_id": lease["lease_id"], "outcome": "complete", "result": LARGE}
                for lease in leases
            ]
            doors.worker.post("/leases/finish", json={"items": finishes}).raise_for_status()
        return ids

    return prepare
