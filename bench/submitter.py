"""A program that submits: by one of the SDK's clients, or by `http.client` as by hand.

`python -m bench.submitter`
"""

import asyncio
import http.client
import json
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any
from uuid import uuid4

from bench.remote import Job, work_off
from bench.scripts import task
from rowlock import AsyncClient, Client


def _asyncio(url: str, callers: int, until: float) -> int:
    async def main() -> int:
        numbers = count()
        async with AsyncClient(url) as client:

            async def call() -> int:
                stored = 0
                while time.perf_counter() < until:
                    await client.submit(**task(next(numbers)))
                    stored += 1
                return stored

            return sum(await asyncio.gather(*(call() for _ in range(callers))))

    return asyncio.run(main())


def _blocking(url: str, _callers: int, until: float) -> int:
    stored = 0
    with Client(url) as client:
        while time.perf_counter() < until:
            client.submit(**task(stored))
            stored += 1
    return stored


def _by_hand(url: str, _callers: int, until: float, *, is_keyed: bool = False) -> int:
    stored = 0
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    headers = {"Content-Type": "application/json"}
    while time.perf_counter() < until:
        if is_keyed:
            headers["Idempotency-Key"] = uuid4().hex
        connection.request("POST", "/tasks", json.dumps(task(stored)), headers)
        answer = connection.getresponse()
        json.loads(answer.read())
        assert answer.status == http.client.CREATED, answer.status
        stored += 1
    connection.close()
    return stored


KINDS: dict[str, Callable[[str, int, float], int]] = {
    "asyncio": _asyncio,
    "blocking": _blocking,
    "by hand": _by_hand,
    "by hand, keyed": partial(_by_hand, is_keyed=True),
}


def run(job: dict[str, Any]) -> Job:
    """Let `callers` of one client submit for `seconds`."""
    cpu, began = time.process_time(), time.perf_counter()
    units = KINDS[job["kind"]](job["url"], job.get("callers", 1), began + job["seconds"])
    seconds = time.perf_counter() - began
    return {"units": units, "seconds": seconds, "cpu_seconds": time.process_time() - cpu}


if __name__ == "__main__":
    work_off(run)
