"""What one process lets callers take of it, on a real server with small limits."""

import gzip
import json
import socket
import threading
from contextlib import ExitStack

import httpx
import pytest

from tests.acceptance.deployment import Api, ServeWith, until
from tests.support.calls import problem

SETTINGS = {
    "CONNECTION_LIMIT": "16",
    "WAITING_LIMIT": "2",
    "IDLE_TIMEOUT_SECONDS": "30",
    "TRANSFER_TIMEOUT_SECONDS": "1",
    "BODY_VALUES_LIMIT": "1000",
}
LONG_ENOUGH = 20.0
# Their requests are larger together than what a large one leaves of a megabyte.
POLLS = 240


@pytest.fixture(scope="module")
def api(serve_with: ServeWith) -> Api:
    return serve_with(SETTINGS)


@pytest.fixture(scope="module")
def small_api(serve_with: ServeWith) -> Api:
    """With a megabyte for requests, and one for answers."""
    return serve_with({"TRANSFER_MEMORY_MIB": "1", "CONNECTION_LIMIT": "256"})


def connected(api: Api) -> socket.socket:
    return socket.create_connection(("127.0.0.1", api.port), timeout=LONG_ENOUGH)


def head_of(length: int, *, path: str = "/tasks") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {length}\r\n\r\n".encode()


def all_of(connection: socket.socket) -> bytes:
    """Until the server has closed."""
    received = b""
    while part := connection.recv(65_536):
        received += part
    return received


def test_many_idle_connections_keep_nobody_out(api: Api) -> None:
    idle = [connected(api) for _ in range(40)]
    with httpx.Client(base_url=api.url) as honest:
        assert honest.post("/tasks", json={"title": "served"}).status_code == 201
    # The first to have come had to go.
    assert idle[0].recv(1) == b""
    for connection in idle:
        connection.close()


def test_who_begins_and_does_not_go_on_is_told_so(api: Api) -> None:
    with connected(api) as slow:
        slow.sendall(b"POST /tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n")
        assert all_of(slow).startswith(b"HTTP/1.1 408 ")


def test_a_head_has_an_end(api: Api) -> None:
    with connected(api) as endless:
        endless.sendall(b"GET /tasks HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        answer = b""
        try:
            for number in range(10_000):
                endless.sendall(b"X-%d: %s\r\n" % (number, b"x" * 100))
        except OSError:
            pass
        answer = all_of(endless)
    assert answer.startswith(b"HTTP/1.1 431 ")


def test_of_long_polls_there_is_room_for_so_many(api: Api) -> None:
    task = api.http.post("/tasks", json={"title": "waited for"}).json()
    answers: list[int] = []

    def wait() -> None:
        path = f"{api.url}/tasks/{task['id']}?wait_seconds=30"
        answers.append(httpx.get(path, timeout=60).status_code)

    waiting = [threading.Thread(target=wait) for _ in range(2)]
    for thread in waiting:
        thread.start()
    until(lambda: "rowlock_waiting_callers 2.0" in api.http.get("/metrics").text, "two waiting")
    answer = api.http.get(f"/tasks/{task['id']}?wait_seconds=30")
    problem(answer, 429)
    assert int(answer.headers["retry-after"]) > 0
    # Who need not wait is answered all the same.
    assert api.http.get(f"/tasks/{task['id']}").status_code == 200
    api.http.post(f"/admin/tasks/{task['id']}/cancel")
    for thread in waiting:
        thread.join(LONG_ENOUGH)
    assert answers == [200, 200]


def test_a_body_may_hold_so_many_values_and_is_never_unpacked(api: Api) -> None:
    many = {"title": "t", "payload": [0] * 2000}
    problem(api.http.post("/tasks", json=many), 413, "body")
    text = {"title": "t", "payload": "[0,0,{}," * 2000}
    assert api.http.post("/tasks", json=text).status_code == 201, "in a string they are no values"
    packed = gzip.compress(json.dumps({"title": "t"}).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    problem(api.http.post("/tasks", content=packed, headers=headers), 415, "Content-Encoding")


def test_requests_behind_each_other_are_answered_in_their_order_up_to_a_number(api: Api) -> None:
    with connected(api) as hasty:
        one = b"GET /tasks/%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        hasty.sendall(b"".join(one % number for number in range(10**9, 10**9 + 200)))
        answers = all_of(hasty)
    numbers = [int(part.split(b"}", 1)[0]) for part in answers.split(b'"task_id":')[1:]]
    assert numbers == list(range(10**9, 10**9 + len(numbers)))
    assert 1 <= len(numbers) < 200
    assert api.http.get("/healthz").status_code == 200


def test_of_requests_that_take_too_much_memory_the_oldest_goes(small_api: Api) -> None:
    begun = head_of(1_000_000) + b" " * 700_000
    with connected(small_api) as first, connected(small_api) as second:
        first.sendall(begun)
        assert small_api.http.get("/healthz").status_code == 200  # the first one is there
        second.sendall(begun)
        answer = all_of(first)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: " in answer.lower()
        second.sendall(b'{"title": "t"}'.rjust(300_000))
        assert second.recv(65_536).startswith(b"HTTP/1.1 201 ")
    figures = small_api.http.get("/metrics").text
    assert 'rowlock_connections_cut_total{reason="memory"} 1.0' in figures


def test_long_polls_take_nothing_of_the_memory_for_large_requests(small_api: Api) -> None:
    claim = json.dumps({"worker": "w" * 200, "queues": ["nothing"], "wait_seconds": 30}).encode()
    with ExitStack() as waiting:
        for _ in range(POLLS):
            poll = waiting.enter_context(connected(small_api))
            poll.sendall(head_of(len(claim), path="/leases") + claim)
        figure = f"rowlock_waiting_callers {POLLS}.0"
        until(lambda: figure in small_api.http.get("/metrics").text, "all wait")
        with connected(small_api) as large:
            large.sendall(head_of(1_000_000) + b'{"title": "t"}'.rjust(1_000_000))
            assert large.recv(65_536).startswith(b"HTTP/1.1 201 ")
