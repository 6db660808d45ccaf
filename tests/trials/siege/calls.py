"""The requests that attackers send."""

import json
from collections.abc import Sequence
from typing import Any

CLIENT, WORKER = ("c" * 32, "w" * 32)


def request(
    method: str,
    path: str,
    *,
    token: str | None = None,
    body: bytes | None = None,
    length: int | None = None,
    headers: str = "",
) -> bytes:
    """A request; with another `length`, the beginning of one."""
    if token is not None:
        headers += f"Authorization: Bearer {token}\r\n"
    if body is not None:
        size = len(body) if length is None else length
        headers += f"Content-Type: application/json\r\nContent-Length: {size}\r\n"
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode() + (body or b"")


def endless(token: str | None) -> dict[str, bytes]:
    """A body in chunks that never ends."""
    authorization = "" if token is None else f"Authorization: Bearer {token}\r\n"
    head = f"POST /tasks HTTP/1.1\r\nHost: x\r\n{authorization}Content-Type: application/json\r\n"
    opening = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode()
    return {"opening": opening, "endless": b"10000\r\n" + b" " * 65_536 + b"\r\n"}


def dense(unit: bytes, size: int) -> bytes:
    """A batch with a payload of as many values as fit."""
    payload = unit * (size // len(unit))
    return b'{"tasks":[{"title":"t","payload":[' + payload + b"0]}]}"


def submit(payload: Any) -> bytes:
    task = {"title": "t", "queue": "large", "payload": payload}
    return request(
        "POST", "/tasks", token=CLIENT, body=json.dumps(task, ensure_ascii=False).encode()
    )


def batch(body: bytes) -> bytes:
    return request("POST", "/tasks/batch", token=CLIENT, body=body)


def read(ids: Sequence[int]) -> bytes:
    return request("GET", f"/tasks/{ids[0]}", token=CLIENT) * 16


def finish(ids: Sequence[int]) -> bytes:
    items = [{"lease_id": f"{number}.{'0' * 32}", "outcome": "complete"} for number in ids]
    body = json.dumps({"items": items}).encode()
    return request("POST", "/leases/finish", token=WORKER, body=body)


def claim_of(*queues: str, limit: int = 1, wait_seconds: int = 30) -> dict[str, Any]:
    return {"worker": "w", "queues": queues, "limit": limit, "wait_seconds": wait_seconds}


def poll(queue: str, limit: int = 1, wait_seconds: int = 30, padded: int = 0) -> bytes:
    claim = json.dumps(claim_of(queue, limit=limit, wait_seconds=wait_seconds)).ljust(padded)
    return request("POST", "/leases", token=WORKER, body=claim.encode())


def finish_and_poll(size: int) -> bytes:
    """Finishes with results of that size, by leases that are none, and a long poll."""
    items = [
        {"lease_id": f"{10**17 + n}.{'0' * 32}", "outcome": "complete", "result": "x" * size}
        for n in range(60)
    ]
    body = json.dumps({"items": items, "claim": claim_of("nothing")}).encode()
    return request("POST", "/leases/finish", token=WORKER, body=body)


def names(count: int) -> str:
    """A query of that many names."""
    return "&".join(f"{number:x}" for number in range(count))


def nested(size: int) -> Any:
    """Lists in lists, the most that a text of that size can be."""
    return json.loads("[" + ",".join(["[[[[[[]]]]]]"] * (size // 13)) + "]")
