"""What one connection asks for, call after call; a call may depend on the last answer.

A script yields a request and how many units its answer stands for, and is sent the answer's
body.
"""

import itertools
import json
import random
import re
from collections.abc import Callable, Generator, Iterator
from functools import cache
from typing import Any, Final
from uuid import uuid4

from bench.result import BenchError
from bench.wire import request, with_body

Script = Generator[tuple[bytes, int], bytes, None]

_LEASE: Final = re.compile(rb'"lease_id":"([^"]+)"')
_VARIANTS: Final = 64
_TAGS: Final = ("images", "invoices", "核心业务", "nightly", "mail")
# Stands for a key that is as long.
_A_KEY: Final = "-" * 32
_RESULT: Final = {"path": "/data/out.png", "bytes": 48_213}


def task(number: int, queue: str = "default") -> dict[str, Any]:
    """A task such as people send."""
    return {
        "title": f"resize image {number}",
        "description": "to half its width, for the catalogue",
        "priority": ("high", "medium", "low")[number % 3],
        "tags": [_TAGS[number % 5], _TAGS[(number + 2) % 5]],
        "queue": queue,
        "timeout_seconds": 60,
        "payload": {"path": f"/data/{number}.png", "width": 640},
    }


def submit(queue: str = "default") -> Script:
    """One task a call."""
    for one in itertools.cycle(random.sample(_submissions(queue), _VARIANTS)):
        yield one, 1


def submit_once(queue: str = "default") -> Script:
    """The same, each with a key of its own, so that it could be sent again."""
    for one in submit(queue):
        key = b"Idempotency-Key: %s\r\n\r\n" % uuid4().hex.encode()
        yield one[0].replace(b"\r\n\r\n", b"\r\n" + key, 1), 1


def submit_unique(way: str, queue: str = "default") -> Script:
    """One task a call, with a unique key: `free`, which nobody holds; `held` by another task, which
    is kept; or `debounced`, which puts that one off."""
    if way == "free":
        for one in _keyed({"key": _A_KEY}, queue):
            yield one, 1
    unique = {"debounce_seconds": 3600} if way == "debounced" else {}
    bodies = [
        request("POST", "/tasks", task(n, queue) | {"unique": {"key": f"key-{n}", **unique}})
        for n in range(_VARIANTS)
    ]
    for one in itertools.cycle(random.sample(bodies, _VARIANTS)):
        yield one, 1


def submit_and_cycle(*, is_unique: bool, queue: str = "default") -> Script:
    """Submit one, with a unique key or without; claim one, complete it."""
    unique = {"key": _A_KEY, "while": "active"} if is_unique else None
    claim = request("POST", "/leases", _claim(queue, 1))
    result = json.dumps({"result": _RESULT}).encode()
    for one in _keyed(unique, queue):
        yield one, 0
        (lease,) = _leases((yield claim, 0), "claim")
        yield with_body("POST", f"/leases/{lease.decode()}/complete", result), 1


def get(ids: Iterator[int]) -> Script:
    """One task by its id a call."""
    for task_id in ids:
        yield request("GET", f"/tasks/{task_id}"), 1


def delete(ids: Iterator[int]) -> Script:
    """One task by its id a call."""
    for task_id in ids:
        yield request("DELETE", f"/tasks/{task_id}"), 1


def cycle(queue: str = "default") -> Script:
    """Claim one, complete it."""
    claim = request("POST", "/leases", _claim(queue, 1))
    result = json.dumps({"result": _RESULT}).encode()
    while True:
        (lease,) = _leases((yield claim, 0), "claim")
        yield with_body("POST", f"/leases/{lease.decode()}/complete", result), 1


def finish_and_claim(queue: str = "default") -> Script:
    """Finish the last one and claim the next, in one call."""
    item = {"lease_id": "LEASE", "outcome": "complete", "result": _RESULT}
    both = json.dumps({"items": [item], "claim": _claim(queue, 1)}).encode()
    head, tail = both.split(b"LEASE")
    (lease,) = _leases((yield request("POST", "/leases", _claim(queue, 1)), 0), "claim")
    while True:
        answer = yield with_body("POST", "/leases/finish", head + lease + tail), 1
        if b'"status":200' not in answer:
            raise BenchError(f"a finish was refused: {answer[:300]!r}")
        (lease,) = _leases(answer.partition(b'"leases":')[2], "finish")


def work_off(queue: str = "default") -> Script:
    """Claim one, complete it, until there is none."""
    claim = request("POST", "/leases", _claim(queue, 1))
    result = json.dumps({"result": _RESULT}).encode()
    while found := _LEASE.findall((yield claim, 0)):
        yield with_body("POST", f"/leases/{found[0].decode()}/complete", result), 1


def submit_many(size: int, queue: str = "default") -> Script:
    """Many tasks a call."""
    one = request("POST", "/tasks/batch", {"tasks": [task(n, queue) for n in range(size)]})
    while True:
        yield one, size


def cycle_many(size: int, queue: str = "default") -> Script:
    """Claim many, finish them."""
    claim = request("POST", "/leases", _claim(queue, size))
    while True:
        leases = _leases((yield claim, 0), "claim")
        yield _finish(leases), len(leases)


def mill(size: int, queue: str = "default") -> Script:
    """Submit many; claim and finish as many, by hundreds."""
    batch = request("POST", "/tasks/batch", {"tasks": [task(n, queue) for n in range(size)]})
    claim = request("POST", "/leases", _claim(queue, 100))
    while True:
        yield batch, 0
        for _ in range(-(-size // 100)):
            leases = _LEASE.findall((yield claim, 0))
            if leases:
                yield _finish(leases), len(leases)


def scripts(name: str, arguments: dict[str, Any], connections: int) -> list[Script]:
    """A script for each connection. Those that read share their ids: none is asked for twice."""
    if name == "get":
        first, last = int(arguments["first"]), int(arguments["last"])
        shared = itertools.cycle(range(first, last + 1))
        return [get(shared) for _ in range(connections)]
    if name == "delete":
        once = iter(arguments["ids"])
        return [delete(once) for _ in range(connections)]
    of: dict[str, Callable[..., Script]] = {
        **{"submit": submit, "submit_once": submit_once},
        **{"submit_unique": submit_unique, "submit_and_cycle": submit_and_cycle},
        **{"cycle": cycle, "finish_and_claim": finish_and_claim, "work_off": work_off},
        **{"submit_many": submit_many, "cycle_many": cycle_many, "mill": mill},
    }
    return [of[name](**arguments) for _ in range(connections)]


@cache
def _submissions(queue: str) -> list[bytes]:
    return [request("POST", "/tasks", task(number, queue)) for number in range(_VARIANTS)]


def _keyed(unique: dict[str, str] | None, queue: str) -> Iterator[bytes]:
    """Submissions, each with a key of its own where there is one."""
    bodies = [
        request("POST", "/tasks", task(number, queue) | {"unique": unique})
        for number in range(_VARIANTS)
    ]
    for one in itertools.cycle(random.sample(bodies, _VARIANTS)):
        yield one.replace(_A_KEY.encode(), uuid4().hex.encode(), 1)


def _claim(queue: str, limit: int) -> dict[str, Any]:
    return {"worker": "bench-1", "queues": [queue], "limit": limit}


def _finish(leases: list[bytes]) -> bytes:
    items = [
        {"lease_id": lease.decode(), "outcome": "complete", "result": _RESULT} for lease in leases
    ]
    return request("POST", "/leases/finish", {"items": items})


def _leases(answer: bytes, what: str) -> list[bytes]:
    found = _LEASE.findall(answer)
    if not found:
        raise BenchError(f"a {what} got no task: {answer[:300]!r}")
    return found
