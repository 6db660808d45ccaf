"""Callers that leave: what was waited for is free again, and work that reached nobody is given
back at once, at no cost. On a real server, by plain sockets."""

import json
import socket
import struct
from contextlib import ExitStack
from typing import Any

import pytest

from tests.acceptance.deployment import Api, ServeWith, until

SEATS = 20
LONG_ENOUGH = 20.0
LARGE = "x" * 250_000
# Of thirty callers that hang up at once, at most.
TAKEN_IN = 4


@pytest.fixture(scope="module")
def api(serve_with: ServeWith) -> Api:
    return serve_with({"WAITING_LIMIT": str(SEATS), "TRANSFER_TIMEOUT_SECONDS": "1"})


def connected(api: Api) -> socket.socket:
    return socket.create_connection(("127.0.0.1", api.port), timeout=LONG_ENOUGH)


def post(path: str, body: Any, headers: str = "") -> bytes:
    text = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}{headers}Content-Length: {len(text)}\r\n\r\n".encode() + text


def submitted(api: Api, queue: str, count: int, **fields: Any) -> list[int]:
    task = {"title": "t", "queue": queue, "timeout_seconds": 3600, "retry_limit": 0} | fields
    made = api.http.post("/tasks/batch", json={"tasks": [task] * count})
    return [task["id"] for task in made.raise_for_status().json()]


def given_back(api: Api, ids: list[int]) -> int:
    tasks = [api.http.get(f"/tasks/{task_id}").json() for task_id in ids]
    return [(task["status"], task["current_retry_count"]) for task in tasks].count(("to_do", 0))


def all_given_back(api: Api, ids: list[int]) -> bool:
    return given_back(api, ids) == len(ids)


def waiting(api: Api) -> int:
    (figure,) = [
        line.split()[1]
        for line in api.http.get("/metrics").text.splitlines()
        if line.startswith("rowlock_waiting_callers ")
    ]
    return int(float(figure))


@pytest.mark.parametrize("how", ["closes", "resets", "half-closes"])
@pytest.mark.parametrize("path", ["/leases", "/leases/finish"])
def test_what_is_claimed_for_a_caller_that_hangs_up_at_once_is_given_back(
    api: Api, path: str, how: str
) -> None:
    queue = f"{path[1:].replace('/', '-')}-{how}"
    ids = submitted(api, queue, 30)
    claim = {"worker": "gone", "queues": [queue]}
    body = claim if path == "/leases" else {"items": [], "claim": claim}
    with ExitStack() as half_closed:
        for _ in ids:
            caller = half_closed.enter_context(connected(api))
            caller.sendall(post(path, body))
            if how == "half-closes":
                caller.shutdown(socket.SHUT_WR)
                continue
            if how == "resets":
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            caller.close()
        # An answer that the caller's own machine took in before it heard of the close has been
        # taken, as far as anybody can tell: such a lease is lost when its time is over.
        until(lambda: given_back(api, ids) >= len(ids) - TAKEN_IN, "given back")
        count = len(api.http.post("/leases", json=claim | {"limit": 100}).json())
        assert count >= len(ids) - TAKEN_IN


@pytest.mark.parametrize("how", ["the caller leaves", "the server cuts it off"])
@pytest.mark.parametrize("path", ["/leases", "/leases/finish"])
def test_what_an_answer_hands_out_that_is_not_taken_whole_is_given_back(
    api: Api, path: str, how: str
) -> None:
    queue = f"large{path.replace('/', '-')}-{how[4:10].strip()}"
    ids = submitted(api, queue, 30, payload=LARGE)
    claim = {"worker": "gone", "queues": [queue], "limit": 100}
    body = claim if path == "/leases" else {"items": [], "claim": claim}
    with connected(api) as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.sendall(post(path, body))
        assert caller.recv(1000).startswith(b"HTTP/1.1 200 ")
        if how == "the caller leaves":
            caller.close()
        until(lambda: all_given_back(api, ids), "given back")


def test_what_is_taken_whole_is_nobody_elses(api: Api) -> None:
    (task_id,) = submitted(api, "taken", 1, payload=LARGE)
    with connected(api) as caller:
        caller.sendall(post("/leases", {"worker": "w", "queues": ["taken"]}))
        received = b""
        while not received.endswith(b"}]"):
            received += caller.recv(65_536)
    assert api.http.get(f"/tasks/{task_id}").json()["status"] == "in_progress"
    lease = json.loads(received.partition(b"\r\n\r\n")[2])[0]["lease_id"]
    assert api.http.post(f"/leases/{lease}/complete").json()["status"] == "done"


@pytest.mark.parametrize("kind", ["for work", "for a task's end"])
@pytest.mark.parametrize("headers", ["", "Connection: close\r\n"], ids=["kept", "closed"])
def test_a_long_poll_that_hangs_up_leaves_its_seat(api: Api, kind: str, headers: str) -> None:
    (task_id,) = submitted(api, "later", 1, available_at="2999-01-01T00:00:00Z")
    if kind == "for work":
        poll = post("/leases", {"worker": "w", "queues": ["none"], "wait_seconds": 30}, headers)
    else:
        path = f"/tasks/{task_id}?wait_seconds=60"
        poll = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode()
    for _ in range(2):
        with ExitStack() as polls:
            for _ in range(SEATS):
                polls.enter_context(connected(api)).sendall(poll)
            until(lambda: waiting(api) == SEATS, "all wait")
            assert api.http.get(f"/tasks/{task_id}?wait_seconds=60").status_code == 429
        until(lambda: waiting(api) == 0, "nobody waits")


def test_polls_with_padded_bodies_keep_no_room_from_others(api: Api) -> None:
    """They wait for half a minute, and what they sent is needed no longer."""
    claim = {"worker": "w", "queues": ["none"], "wait_seconds": 30}
    finish = {"items": [], "claim": claim}
    with ExitStack() as polls:
        for path, body in [("/leases", claim), ("/leases/finish", finish)] * (SEATS // 2):
            text = json.dumps(body).ljust(1_000_000).encode()
            head = post(path, body).partition(b"Content-Length")[0]
            poll = polls.enter_context(connected(api))
            poll.sendall(head + b"Content-Length: %d\r\n\r\n" % len(text) + text)
        until(lambda: waiting(api) == SEATS, "all wait")
        answer = api.http.post("/tasks", json={"title": "t", "payload": LARGE}, timeout=10)
        assert answer.status_code == 201


def test_a_finish_that_would_rather_speak_another_protocol_ends_as_it_says(api: Api) -> None:
    """As `curl --http2` and Java's HttpClient send it: what they sent was lost."""
    submitted(api, "upgrade", 2, retry_limit=3)
    upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    with connected(api) as caller:
        caller.sendall(post("/leases", {"worker": "w", "queues": ["upgrade"], "limit": 2}, upgrade))
        done, failed = _answer(caller)
        caller.sendall(post(f"/leases/{done['lease_id']}/complete", {"result": 42}, upgrade))
        ended = _answer(caller)
        assert (ended["status"], ended["result"]) == ("done", 42)
        fail = {"error": "no such file", "retryable": False}
        caller.sendall(post(f"/leases/{failed['lease_id']}/fail", fail, upgrade))
        ended = _answer(caller)
        assert (ended["status"], ended["error"]) == ("failed", "no such file")


def _answer(caller: socket.socket) -> Any:
    received = b""
    while b"\r\n\r\n" not in received:
        received += caller.recv(65_536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += caller.recv(65_536)
    return json.loads(body)
